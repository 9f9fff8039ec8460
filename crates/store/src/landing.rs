//! Items that hosts sent to accounts, and the received transfers that they belong to.

use jiff::Timestamp;
use model::{DataType, Item, Result};

use crate::blobs::{self, Received as Body};
use crate::value::{Row, json};
use crate::{Tx, params};

/// A keyed digest.
pub type Digest = [u8; 32];

/// Which sending of items something belongs to, in the sender's words.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The account that receives.
    pub account: String,
    /// The service that the data comes from; empty if unsaid.
    pub service: String,
    /// The sender's job; empty if unsaid.
    pub job: String,
}

/// An album that an item lies in, in case it has not come itself.
#[derive(Clone, Debug)]
pub struct Album {
    /// What makes two deliveries of it the same.
    pub identity: Digest,
    /// What it is until it comes.
    pub placeholder: Item,
}

/// An item to be kept.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// What it was sent with.
    pub sending: Sending,
    /// What makes two deliveries the same item.
    pub identity: Digest,
    /// What makes two deliveries of one item equal.
    pub version: Digest,
    /// The item.
    pub item: Item,
    /// The album that it lies in.
    pub album: Option<Album>,
    /// Its bytes.
    pub body: Option<Body>,
}

/// What became of an arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The item's id here, the same for every delivery of it.
    pub id: String,
    /// What it changed.
    pub change: Change,
    /// The blob that has its bytes now: another one than was received where the account had them already.
    pub blob: Option<String>,
}

/// What an arrival changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The item was not there before.
    New,
    /// It was there, and is different now.
    Updated,
    /// It was there exactly so: nothing was written.
    Repeat,
}

/// A landed item.
#[derive(Clone, Debug)]
pub struct Landed {
    /// Its id here.
    pub id: String,
    /// Its place in the account's order of arrivals and updates.
    pub seq: u64,
    /// The item, as it was sent.
    pub item: Item,
    /// The id of the landed album that it lies in.
    pub container: Option<String>,
    /// Whether it is an album of which only items came.
    pub placeholder: bool,
    /// The blob with its bytes.
    pub blob: Option<String>,
    /// The received transfer that brought it first.
    pub transfer: String,
    /// When it came first.
    pub received_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A received transfer.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its id here.
    pub id: String,
    /// Who sent what to whom.
    pub sending: Sending,
    /// Per type of data: items and bytes that it brought.
    pub tallies: Vec<(DataType, u64, u64)>,
    /// When its first item came.
    pub first_at: Timestamp,
    /// When its last item came.
    pub last_at: Timestamp,
}

/// Keeps an item, once: recognises what was there before, and makes a placeholder for an album that has not come.
pub async fn record(tx: &mut Tx<'_>, arrival: &Arrival) -> Result<Recorded> {
    let account = &arrival.sending.account;
    let known = find(tx, &arrival.identity).await?;
    if let Some(known) = &known
        && known.version == arrival.version
    {
        return Ok(Recorded { id: known.id.clone(), change: Change::Repeat, blob: known.blob.clone() });
    }
    let transfer = touch_transfer(tx, &arrival.sending).await?;
    let container = match &arrival.album {
        Some(album) => Some(ensure_album(tx, account, &transfer, album).await?),
        None => None,
    };
    if known.as_ref().is_none_or(|known| known.placeholder) {
        let bytes = arrival.body.as_ref().map_or(0, |body| body.size);
        count(tx, &transfer, arrival.item.data_type, bytes).await?;
    }
    let blob = match &arrival.body {
        Some(body) => Some(blobs::keep(tx, account, body).await?),
        None => None,
    };
    let content =
        Content { version: arrival.version, item: &arrival.item, container, placeholder: false, blob: blob.as_deref() };
    let Some(known) = known else {
        let id = insert(tx, account, &transfer, &arrival.identity, &content).await?;
        return Ok(Recorded { id, change: Change::New, blob });
    };
    replace(tx, account, &known.id, &content).await?;
    if let Some(before) = &known.blob {
        blobs::release(tx, before).await?;
    }
    Ok(Recorded { id: known.id, change: Change::Updated, blob })
}

/// What is known of an item that came before.
struct Known {
    id: String,
    version: Vec<u8>,
    placeholder: bool,
    blob: Option<String>,
}

async fn find(tx: &mut Tx<'_>, identity: &Digest) -> Result<Option<Known>> {
    let row = tx
        .query_opt("SELECT id, version, placeholder, blob FROM landed_item WHERE identity = $1", params![&identity[..]])
        .await?;
    row.map(|row| {
        Ok(Known {
            id: row.get("id")?,
            version: row.get("version")?,
            placeholder: row.get("placeholder")?,
            blob: row.get("blob")?,
        })
    })
    .transpose()
}

/// The part of a row that an update replaces.
struct Content<'a> {
    version: Digest,
    item: &'a Item,
    container: Option<String>,
    placeholder: bool,
    blob: Option<&'a str>,
}

async fn insert(
    tx: &mut Tx<'_>,
    account: &str,
    transfer: &str,
    identity: &Digest,
    content: &Content<'_>,
) -> Result<String> {
    let (id, now) = (tx.ambient.id(), tx.ambient.now());
    let seq = next_seq(tx, account).await?;
    tx.exec(
        "INSERT INTO landed_item (id, account, seq, identity, version, data_type, item, container, placeholder, blob,
                                  transfer, received_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
        params![
            &id,
            account,
            seq,
            &identity[..],
            &content.version[..],
            content.item.data_type.name(),
            json(content.item)?,
            content.container.as_deref(),
            content.placeholder,
            content.blob,
            transfer,
            now,
        ],
    )
    .await?;
    Ok(id)
}

async fn replace(tx: &mut Tx<'_>, account: &str, id: &str, content: &Content<'_>) -> Result<()> {
    let (seq, now) = (next_seq(tx, account).await?, tx.ambient.now());
    tx.exec(
        "UPDATE landed_item
         SET seq = $2, version = $3, item = $4, container = $5, placeholder = $6, blob = $7, updated_at = $8
         WHERE id = $1",
        params![
            id,
            seq,
            &content.version[..],
            json(content.item)?,
            content.container.as_deref(),
            content.placeholder,
            content.blob,
            now
        ],
    )
    .await?;
    Ok(())
}

/// Returns the id of an album, which is made if only its items came so far.
async fn ensure_album(tx: &mut Tx<'_>, account: &str, transfer: &str, album: &Album) -> Result<String> {
    if let Some(known) = find(tx, &album.identity).await? {
        return Ok(known.id);
    }
    // No delivery has this version, so the album itself will be an update whatever it says.
    let version = [0; 32];
    let content = Content { version, item: &album.placeholder, container: None, placeholder: true, blob: None };
    insert(tx, account, transfer, &album.identity, &content).await
}

/// Readers follow `seq`, so it must grow in the order of commits: it is taken inside the transaction, and unique.
async fn next_seq(tx: &mut Tx<'_>, account: &str) -> Result<u64> {
    let row = tx
        .query_one("SELECT COALESCE(MAX(seq), 0) + 1 AS seq FROM landed_item WHERE account = $1", params![account])
        .await?;
    row.get("seq")
}

async fn touch_transfer(tx: &mut Tx<'_>, sending: &Sending) -> Result<String> {
    let now = tx.ambient.now();
    let row = tx
        .query_one(
            "INSERT INTO landed_transfer (id, account, service, job, first_at, last_at)
             VALUES ($1, $2, $3, $4, $5, $5)
             ON CONFLICT (account, service, job) DO UPDATE SET last_at = excluded.last_at
             RETURNING id",
            params![tx.ambient.id(), &sending.account, &sending.service, &sending.job, now],
        )
        .await?;
    row.get("id")
}

async fn count(tx: &mut Tx<'_>, transfer: &str, data_type: DataType, bytes: u64) -> Result<()> {
    tx.exec(
        "INSERT INTO landed_tally (transfer, data_type, items, bytes) VALUES ($1, $2, 1, $3)
         ON CONFLICT (transfer, data_type)
         DO UPDATE SET items = landed_tally.items + 1, bytes = landed_tally.bytes + excluded.bytes",
        params![transfer, data_type.name(), bytes],
    )
    .await?;
    Ok(())
}

/// Returns up to `limit` items of an account that came or changed after `seq`, in that order.
pub async fn items(tx: &mut Tx<'_>, account: &str, after: u64, limit: u32) -> Result<Vec<Landed>> {
    let rows = tx
        .query(
            "SELECT id, seq, item, container, placeholder, blob, transfer, received_at, updated_at
             FROM landed_item WHERE account = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            params![account, after, limit],
        )
        .await?;
    rows.iter().map(landed).collect()
}

/// Returns one item of an account.
pub async fn item(tx: &mut Tx<'_>, account: &str, id: &str) -> Result<Option<Landed>> {
    let row = tx
        .query_opt(
            "SELECT id, seq, item, container, placeholder, blob, transfer, received_at, updated_at
             FROM landed_item WHERE account = $1 AND id = $2",
            params![account, id],
        )
        .await?;
    row.as_ref().map(landed).transpose()
}

fn landed(row: &Row) -> Result<Landed> {
    Ok(Landed {
        id: row.get("id")?,
        seq: row.get("seq")?,
        item: row.json("item")?,
        container: row.get("container")?,
        placeholder: row.get("placeholder")?,
        blob: row.get("blob")?,
        transfer: row.get("transfer")?,
        received_at: row.get("received_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// Returns the latest received transfers, of one account or of all.
pub async fn transfers(tx: &mut Tx<'_>, account: Option<&str>, limit: u32) -> Result<Vec<Received>> {
    let rows = tx
        .query(
            "SELECT id, account, service, job, first_at, last_at FROM landed_transfer
             WHERE CAST($1 AS TEXT) IS NULL OR account = $1 ORDER BY last_at DESC, id LIMIT $2",
            params![account, limit],
        )
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let id: String = row.get("id")?;
        let tallies = tx
            .query(
                "SELECT data_type, items, bytes FROM landed_tally WHERE transfer = $1 ORDER BY data_type",
                params![&id],
            )
            .await?;
        let tallies = tallies
            .iter()
            .map(|tally| Ok((tally.parse("data_type")?, tally.get("items")?, tally.get("bytes")?)))
            .collect::<Result<_>>()?;
        let sending = Sending { account: row.get("account")?, service: row.get("service")?, job: row.get("job")? };
        found.push(Received { id, sending, tallies, first_at: row.get("first_at")?, last_at: row.get("last_at")? });
    }
    Ok(found)
}
