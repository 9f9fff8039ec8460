//! What people granted to OAuth clients: grants, codes and tokens. Of codes and tokens only keyed digests are here.

use jiff::{SignedDuration, Timestamp};
use model::Result;

use crate::accounts::later;
use crate::params;
use crate::tx::Tx;
use crate::value::Row;

/// A keyed digest of a code or token.
pub type Digest = [u8; 32];

/// A declared client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The keyed digest of its secret; none for a public client.
    pub secret_digest: Option<Vec<u8>>,
    /// Where it may be answered.
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// Whether it must use PKCE.
    pub pkce_required: bool,
}

/// Returns a declared client.
pub async fn client(tx: &mut Tx<'_>, id: &str) -> Result<Option<Client>> {
    let row = tx.query_opt("SELECT * FROM client WHERE id = $1", params![id]).await?;
    row.map(|row| {
        let secret_digest: Option<Vec<u8>> = row.get("secret_digest")?;
        Ok(Client {
            id: row.get("id")?,
            name: row.get("name")?,
            // Only a confidential client can be excused from PKCE.
            pkce_required: secret_digest.is_none() || row.get::<String>("pkce")? != "off",
            secret_digest,
            redirect_uris: row.json("redirect_uris")?,
            scopes: row.json("scopes")?,
        })
    })
    .transpose()
}

/// What a code stands for.
#[derive(Clone, Debug)]
pub struct Code {
    /// The client it was given to.
    pub client: String,
    /// Whose data it is about.
    pub account: String,
    /// Where the browser was sent.
    pub redirect_uri: String,
    /// Whether the authorization request named the redirect URI, so that the token request must too.
    pub redirect_named: bool,
    /// The PKCE challenge.
    pub challenge: Option<String>,
    /// What was granted.
    pub scopes: String,
}

/// Keeps a code for a while; one that expired is only kept to notice its reuse.
pub async fn put_code(tx: &mut Tx<'_>, digest: &Digest, code: &Code, good_for: SignedDuration) -> Result<()> {
    let now = tx.ambient.now();
    tx.exec("DELETE FROM oauth_code WHERE expires_at < $1", params![later(now, -SignedDuration::from_hours(24))])
        .await?;
    tx.exec(
        "INSERT INTO oauth_code (digest, client, account, redirect_uri, redirect_named, challenge, scopes, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            &digest[..],
            &code.client,
            &code.account,
            &code.redirect_uri,
            code.redirect_named,
            code.challenge.clone(),
            &code.scopes,
            later(now, good_for)
        ],
    )
    .await?;
    Ok(())
}

/// A code as it was found.
#[derive(Clone, Debug)]
pub struct FoundCode {
    /// What it stands for.
    pub code: Code,
    /// Whether its time is over.
    pub expired: bool,
    /// The grant that came of it, if it was used.
    pub grant: Option<String>,
}

/// Returns a code.
pub async fn code(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<FoundCode>> {
    let now = tx.ambient.now();
    let row = tx.query_opt("SELECT * FROM oauth_code WHERE digest = $1", params![&digest[..]]).await?;
    row.map(|row| {
        Ok(FoundCode {
            code: Code {
                client: row.get("client")?,
                account: row.get("account")?,
                redirect_uri: row.get("redirect_uri")?,
                redirect_named: row.get("redirect_named")?,
                challenge: row.get("challenge")?,
                scopes: row.get("scopes")?,
            },
            expired: row.get::<Timestamp>("expires_at")? <= now,
            grant: row.get("grant_id")?,
        })
    })
    .transpose()
}

/// Marks a code as used for a grant.
pub async fn use_code(tx: &mut Tx<'_>, digest: &Digest, grant: &str) -> Result<()> {
    tx.exec("UPDATE oauth_code SET grant_id = $2 WHERE digest = $1", params![&digest[..], grant]).await?;
    Ok(())
}

/// A grant: one account's permission for one client.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// Whose data it is about.
    pub account: String,
    /// To whom; `None` where an operator minted the token.
    pub client: Option<String>,
    /// The scopes, separated by spaces.
    pub scopes: String,
    /// The generation of the refresh token that was used last; 0 before the first was used.
    pub refresh_generation: u64,
    /// The refresh token that was used last.
    pub refresh_used: Option<Vec<u8>>,
    /// When it was used first.
    pub refresh_used_at: Option<Timestamp>,
    /// Who took it back, if somebody did.
    pub revoked_by: Option<RevokedBy>,
}

/// Who took a grant back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedBy {
    /// The person.
    Person,
    /// The client.
    Client,
    /// We did: a code or refresh token came twice, so somebody else may have it.
    Reuse,
}

impl RevokedBy {
    fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Client => "client",
            Self::Reuse => "reuse",
        }
    }
}

impl std::str::FromStr for RevokedBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "person" => Ok(Self::Person),
            "client" => Ok(Self::Client),
            "reuse" => Ok(Self::Reuse),
            other => Err(format!("{other:?} is nobody who revokes")),
        }
    }
}

/// Creates a grant and returns its id.
pub async fn create_grant(tx: &mut Tx<'_>, account: &str, client: Option<&str>, scopes: &str) -> Result<String> {
    let (id, now) = (tx.ambient.id(), tx.ambient.now());
    tx.exec(
        "INSERT INTO oauth_grant (id, account, client, scopes, created_at, refresh_generation) VALUES ($1, $2, $3, $4, $5, 0)",
        params![&id, account, client, scopes, now],
    )
    .await?;
    Ok(id)
}

/// Returns a grant.
pub async fn grant(tx: &mut Tx<'_>, id: &str) -> Result<Option<Grant>> {
    let row = tx.query_opt("SELECT * FROM oauth_grant WHERE id = $1", params![id]).await?;
    row.map(|row| {
        Ok(Grant {
            id: row.get("id")?,
            account: row.get("account")?,
            client: row.get("client")?,
            scopes: row.get("scopes")?,
            refresh_generation: row.get("refresh_generation")?,
            refresh_used: row.get("refresh_used")?,
            refresh_used_at: row.get("refresh_used_at")?,
            revoked_by: match row.get::<Option<String>>("revoked_by")? {
                Some(_) => Some(row.parse("revoked_by")?),
                None => None,
            },
        })
    })
    .transpose()
}

/// Takes a grant back: its access tokens end at once; its refresh tokens stay, to tell who took it back.
pub async fn revoke_grant(tx: &mut Tx<'_>, id: &str, by: RevokedBy) -> Result<()> {
    let now = tx.ambient.now();
    tx.exec(
        "UPDATE oauth_grant SET revoked_at = $2, revoked_by = $3 WHERE id = $1 AND revoked_at IS NULL",
        params![id, now, by.name()],
    )
    .await?;
    tx.exec("DELETE FROM oauth_token WHERE grant_id = $1 AND kind = 'access'", params![id]).await?;
    Ok(())
}

/// Notes which refresh token was used last.
pub async fn use_refresh(tx: &mut Tx<'_>, grant: &str, generation: u64, digest: &Digest) -> Result<()> {
    let now = tx.ambient.now();
    tx.exec(
        "UPDATE oauth_grant SET refresh_generation = $2, refresh_used = $3, refresh_used_at = $4 WHERE id = $1",
        params![grant, generation, &digest[..], now],
    )
    .await?;
    Ok(())
}

/// Which kind of token a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Opens doors.
    Access,
    /// Gets new tokens.
    Refresh,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// A token.
#[derive(Clone, Debug)]
pub struct Token {
    /// Which kind it is.
    pub kind: Kind,
    /// The grant it came of.
    pub grant: String,
    /// Whose data it is about.
    pub account: String,
    /// The client that holds it.
    pub client: Option<String>,
    /// The scopes, separated by spaces.
    pub scopes: String,
    /// For a refresh token: 1 for the first of its grant, then counting up.
    pub generation: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// About when it was last used.
    pub used_at: Option<Timestamp>,
}

/// Keeps a token.
pub async fn put_token(tx: &mut Tx<'_>, digest: &Digest, token: &Token) -> Result<()> {
    let now = tx.ambient.now();
    tx.exec("DELETE FROM oauth_token WHERE expires_at <= $1", params![now]).await?;
    tx.exec(
        "INSERT INTO oauth_token (digest, kind, grant_id, account, client, scopes, generation, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            &digest[..],
            token.kind.name(),
            &token.grant,
            &token.account,
            token.client.clone(),
            &token.scopes,
            token.generation,
            token.created_at,
            token.expires_at
        ],
    )
    .await?;
    Ok(())
}

fn token(row: &Row) -> Result<Token> {
    Ok(Token {
        kind: if row.get::<String>("kind")? == Kind::Access.name() { Kind::Access } else { Kind::Refresh },
        grant: row.get("grant_id")?,
        account: row.get("account")?,
        client: row.get("client")?,
        scopes: row.get("scopes")?,
        generation: row.get("generation")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        used_at: row.get("used_at")?,
    })
}

/// Returns a token that has not expired.
pub async fn find_token(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<Token>> {
    let now = tx.ambient.now();
    let row = tx
        .query_opt("SELECT * FROM oauth_token WHERE digest = $1 AND expires_at > $2", params![&digest[..], now])
        .await?;
    row.as_ref().map(token).transpose()
}

/// Notes that a token was used.
pub async fn touch_token(tx: &mut Tx<'_>, digest: &Digest) -> Result<()> {
    let now = tx.ambient.now();
    tx.exec("UPDATE oauth_token SET used_at = $2 WHERE digest = $1", params![&digest[..], now]).await?;
    Ok(())
}

/// Ends one token.
pub async fn delete_token(tx: &mut Tx<'_>, digest: &Digest) -> Result<()> {
    tx.exec("DELETE FROM oauth_token WHERE digest = $1", params![&digest[..]]).await?;
    Ok(())
}

/// A grant as the person who gave it sees it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The grant.
    pub id: String,
    /// What people call the client; `None` where an operator minted the token.
    pub client: Option<String>,
    /// The scopes, separated by spaces.
    pub scopes: String,
    /// When it was given.
    pub created_at: Timestamp,
    /// About when a token of it was last used.
    pub used_at: Option<Timestamp>,
    /// When its last token ends.
    pub expires_at: Timestamp,
}

/// Returns the grants of an account that still open something, newest first.
pub async fn connections(tx: &mut Tx<'_>, account: &str) -> Result<Vec<Connection>> {
    let now = tx.ambient.now();
    let rows = tx
        .query(
            "SELECT g.id AS id, COALESCE(MAX(c.name), g.client) AS client, g.scopes AS scopes, g.created_at AS created_at, \
                    MAX(COALESCE(t.used_at, g.refresh_used_at)) AS used_at, MAX(t.expires_at) AS expires_at \
             FROM oauth_grant g JOIN oauth_token t ON t.grant_id = g.id LEFT JOIN client c ON c.id = g.client \
             WHERE g.account = $1 AND g.revoked_at IS NULL AND t.expires_at > $2 \
             GROUP BY g.id, g.client, g.scopes, g.created_at ORDER BY g.created_at DESC, g.id DESC",
            params![account, now],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Connection {
                id: row.get("id")?,
                client: row.get("client")?,
                scopes: row.get("scopes")?,
                created_at: row.get("created_at")?,
                used_at: row.get("used_at")?,
                expires_at: row.get("expires_at")?,
            })
        })
        .collect()
}
