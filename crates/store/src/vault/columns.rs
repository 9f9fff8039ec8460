//! Every column whose values are sealed. [`Vault::seal`](super::Vault::seal) takes a column of this list and nothing else, so
//! that a rotation of the master keys finds every value.

/// A column of sealed values.
#[derive(Debug)]
pub struct Column {
    /// The table.
    pub table: &'static str,
    /// The name of the column.
    pub name: &'static str,
    /// The primary key.
    pub key: &'static [&'static str],
    /// The columns whose values, joined by `/` (bytes in hexadecimal), name the row that a value is sealed for.
    pub row: &'static [&'static str],
}

/// Declares the list: `NAME = table.column, key (primary key), row (what names the row);`.
macro_rules! columns {
    ($($(#[$words:meta])+ $constant:ident = $table:literal . $name:literal, key $key:expr, row $row:expr;)+) => {
        $($(#[$words])+ pub const $constant: Column = Column { table: $table, name: $name, key: &$key, row: &$row };)+
        /// Every sealed column.
        pub const ALL: &[&Column] = &[$(&$constant),+];
    };
}

columns! {
    /// The secrets of an app.
    APP_SECRETS = "app"."secrets", key ["name"], row ["name"];
    /// The address of a system, which may hold a password.
    SYSTEM_URL = "system"."url", key ["name"], row ["name"];
    /// The further secrets of a system.
    SYSTEM_SECRETS = "system"."secrets", key ["name"], row ["name"];
    /// The address of a webhook.
    WEBHOOK_URL = "webhook"."url", key ["name"], row ["name"];
    /// The secrets that a webhook's messages are signed with.
    WEBHOOK_SECRETS = "webhook"."secrets", key ["name"], row ["name"];
    /// A callback as it came.
    INBOX_PAYLOAD = "inbox"."payload", key ["id"], row ["confirmation_code"];
    /// Whom a request is about.
    ERASURE_IDENTITIES = "erasure"."identities", key ["id"], row ["id"];
    /// The salt of a request's digest in the ledger.
    ERASURE_SALT = "erasure"."salt", key ["id"], row ["id"];
    /// The keys of a person's rows in one system.
    ERASURE_SYSTEM_FROZEN = "erasure_system"."frozen", key ["erasure", "name"], row ["erasure", "name"];
    /// What finds the rows that a request left on a ground.
    ERASURE_KEPT_KEYS = "erasure_kept"."keys", key ["erasure", "system"], row ["erasure", "system"];
    /// What somebody has to do for a request.
    ERASURE_TASK_WHAT = "erasure_task"."what", key ["id"], row ["id"];
    /// One identity of a person.
    PERSON_IDENTITY = "person_identity"."identity", key ["digest", "person"], row ["digest", "person"];
    /// The specs and the token of a transfer.
    TRANSFER_ENDS = "transfer"."ends", key ["id"], row ["id"];
}
