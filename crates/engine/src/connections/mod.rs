//! What people granted to clients, and the tokens that prove it: the decisions of the OAuth 2 authorization server.
//!
//! An *account* is local to this installation. A *grant* is one account's permission for one client; codes and tokens come of
//! it and end with it. A token belongs to account and client.

mod accounts;
mod authorize;
mod exchange;
mod passwords;
mod sessions;
mod tokens;
mod withdraw;

pub use accounts::{add_account, ensure_account, find_account, list_accounts, reset_account};
pub use authorize::{Asked, Refusal, consent, judge_request, refuse};
pub use exchange::{authenticate, exchange};
pub use sessions::{FormGuard, SignedIn, operator_exists, sign_in, sign_out, signed_in};
pub use store::accounts::{Account, Role};
pub use store::oauth::{Client, Connection};
pub use tokens::{Grant, Issued, authorize_bearer, issue_token};
pub use withdraw::{connections, introspect, revoke_token, withdraw};
