//! Links that were mailed to people, so that they show that it is they who ask. Only digests of what the links carry are kept.

use jiff::Timestamp;
use model::Result;

use crate::params;
use crate::tx::Tx;

/// Keeps the digest of a link.
pub async fn put_proof(tx: &mut Tx<'_>, digest: &[u8; 32], erasure: &str, expires_at: Timestamp) -> Result<()> {
    tx.exec(
        "INSERT INTO erasure_proof (digest, erasure, expires_at) VALUES ($1, $2, $3)",
        params![&digest[..], erasure, expires_at],
    )
    .await?;
    Ok(())
}

/// Returns the request that a link proves, while the link is good.
pub async fn proven_by(tx: &mut Tx<'_>, digest: &[u8; 32]) -> Result<Option<String>> {
    let now = tx.ambient.now();
    let sql = "SELECT erasure FROM erasure_proof WHERE digest = $1 AND expires_at > $2";
    tx.query_opt(sql, params![&digest[..], now]).await?.map(|row| row.get("erasure")).transpose()
}

/// Forgets every link of a request.
pub async fn forget_proofs(tx: &mut Tx<'_>, erasure: &str) -> Result<()> {
    tx.exec("DELETE FROM erasure_proof WHERE erasure = $1", params![erasure]).await?;
    Ok(())
}
