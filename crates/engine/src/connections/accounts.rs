//! Local accounts: who can sign in, and for whom tokens are minted.

use model::{Problem, Result, codes};
use store::accounts::{self, Account, Role};

use super::passwords;
use crate::Engine;

/// Makes an account that signs in with a password.
///
/// # Errors
/// `MO-4024` if there is one of this name, `MO-4025` or `MO-4026` if the password or the name cannot be used.
pub async fn add_account(engine: &Engine, name: &str, role: Role, password: &str) -> Result<Account> {
    let name = checked(name)?;
    let hash = passwords::hash(engine, password).await?;
    let create = engine
        .store
        .write("account.add", move |tx| Box::pin(async move { accounts::create(tx, &name, role, Some(&hash)).await }));
    create.await
}

/// Sets password and role of an account, and signs it out everywhere.
///
/// # Errors
/// `MO-4018` if there is no such account, `MO-4025` if the password cannot be used.
pub async fn reset_account(engine: &Engine, name: &str, role: Role, password: &str) -> Result<Account> {
    let account = find_account(engine, name).await?;
    let hash = passwords::hash(engine, password).await?;
    let id = account.id.clone();
    let reset = engine
        .store
        .write("account.reset", move |tx| Box::pin(async move { accounts::reset(tx, &id, role, &hash).await }));
    reset.await?;
    Ok(Account { role, ..account })
}

/// Returns the account of this name.
///
/// # Errors
/// `MO-4018` if there is none.
pub async fn find_account(engine: &Engine, name: &str) -> Result<Account> {
    let name = name.to_owned();
    let found = engine.store.read("account.find", move |tx| Box::pin(async move { accounts::find(tx, &name).await }));
    found.await?.ok_or_else(|| Problem::new(&codes::landing::ACCOUNT_UNKNOWN, ""))
}

/// Returns the account of this name, made without a password if there is none, and whether it was made.
///
/// # Errors
/// `MO-4026` if the name cannot be used.
pub async fn ensure_account(engine: &Engine, name: &str) -> Result<(Account, bool)> {
    let name = checked(name)?;
    let ensure = engine.store.write("account.ensure", move |tx| {
        Box::pin(async move {
            match accounts::find(tx, &name).await? {
                Some(account) => Ok((account, false)),
                None => Ok((accounts::create(tx, &name, Role::Person, None).await?, true)),
            }
        })
    });
    ensure.await
}

/// Returns every account, by name.
///
/// # Errors
/// Only those of the store.
pub async fn list_accounts(engine: &Engine) -> Result<Vec<Account>> {
    engine.store.read("account.list", |tx| Box::pin(accounts::list(tx))).await
}

fn checked(name: &str) -> Result<String> {
    let usable = (1..=100).contains(&name.chars().count()) && name.trim() == name && !name.contains(char::is_control);
    if usable { Ok(name.to_owned()) } else { Err(Problem::new(&codes::landing::ACCOUNT_NAME_INVALID, "")) }
}
