//! What a column's type is able to hold, whatever the database calls it.

/// Kinds of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypeClass {
    Text,
    Integer,
    Number,
    Uuid,
    Time,
    Bytes,
    Json,
    IpAddress,
    Other,
}

impl TypeClass {
    pub(super) fn of(sql_type: &str) -> Self {
        let name = sql_type.to_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        match () {
            () if has(&["bool", "tinyint(1)", "interval", "point", "[]"]) => Self::Other,
            () if has(&["char", "text", "clob"]) || name.is_empty() => Self::Text,
            () if has(&["int", "serial"]) => Self::Integer,
            () if has(&["uuid", "uniqueidentifier"]) => Self::Uuid,
            () if has(&["date", "time"]) => Self::Time,
            () if has(&["inet", "cidr"]) => Self::IpAddress,
            () if has(&["json"]) => Self::Json,
            () if has(&["blob", "bytea", "binary"]) => Self::Bytes,
            () if has(&["num", "dec", "real", "doub", "float"]) => Self::Number,
            () => Self::Other,
        }
    }

    /// Tells whether an identity can stand in it.
    pub(super) fn holds_identity(self) -> bool {
        matches!(self, Self::Text | Self::Integer | Self::Number | Self::Uuid)
    }

    /// Tells whether values of both could be the same key.
    pub(super) fn may_refer_to(self, other: Self) -> bool {
        let key = |class: Self| match class {
            Self::Number => Self::Integer,
            other => other,
        };
        key(self) == key(other)
    }

    /// Tells whether it is worth looking at its values.
    pub(super) fn is_worth_a_look(self) -> bool {
        matches!(self, Self::Text | Self::Json | Self::IpAddress)
    }
}
