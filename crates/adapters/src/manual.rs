//! What `moveout adapter show` says of each adapter, beyond what it can do.

use serde::Serialize;

/// What somebody who uses an adapter must know.
#[derive(Clone, Debug, Serialize)]
pub struct Manual {
    /// How its spec is written.
    pub spec: &'static str,
    /// What can be said of it, and what that means.
    pub members: &'static [(&'static str, &'static str)],
    /// What it makes sure of.
    pub verifies: &'static str,
    /// What it does not do.
    pub limits: &'static [&'static str],
    /// An example that works: a declaration for `moveout apply`, or a command.
    pub example: &'static str,
}

/// Returns what there is to know of an adapter.
pub fn manual(name: &str) -> Option<Manual> {
    MANUALS.iter().find(|(known, _)| *known == name).map(|(_, manual)| manual.clone())
}

/// What every map of tables can say.
const MAP: &[(&str, &str)] = &[
    (
        "url",
        "the address, or env:NAME or file:PATH, which hold it; a password belongs there and not into the declaration",
    ),
    ("backups_kept", "for how long backups go on holding what is erased, like \"35d\"; shown to the person"),
    ("table.identity", "column = kind of identity: such a row is the person"),
    (
        "table.owner",
        "column = table.column: whose row it is; erased before its owner. Of a key of several columns one is enough",
    ),
    (
        "table.container",
        "column = table.column that it hangs on, and on_erase for others' rows: \"delete\", \"detach\", \"tombstone\"; unsaid: they block",
    ),
    ("table.keep", "columns, ground, law, for, from, round: what is kept, on which ground, until when"),
    ("table.ignore", "why a table holds nothing of a person although it looks like it"),
];

const POSTGRES_EXAMPLE: &str = r#"[[app]]
name = "shop"

[[system]]
name = "main-db"
adapter = "postgres"
url = "env:SHOP_DATABASE_URL"
backups_kept = "35d"

[[system.table]]
name = "users"
identity = { facebook_id = "asid", email = "email" }

[[system.table]]
name = "posts"
owner = { author_id = "users.id" }

[[system.table]]
name = "comments"
owner = { user_id = "users.id" }
container = { post_id = "posts.id", on_erase = "delete" }

[[system.table]]
name = "invoices"
owner = { user_id = "users.id" }
keep = { columns = ["number", "total", "issued_at"], ground = "legal-obligation", law = "HGB §257 (4)", for = "8y", from = "issued_at", round = "year_end" }
"#;

const SQLITE_EXAMPLE: &str = r#"[[app]]
name = "shop"

[[system]]
name = "main-db"
adapter = "sqlite"
url = "sqlite:./shop.db"

[[system.table]]
name = "users"
identity = { email = "email" }

[[system.table]]
name = "sessions"
owner = { user_id = "users.id" }
"#;

const REDIS_EXAMPLE: &str = r#"[[app]]
name = "shop"

[[system]]
name = "cache"
adapter = "redis"
url = "env:SHOP_CACHE_URL"
[[system.location]]
name = "carts"
key = "cart:{email}"

[[system]]
name = "main-db"
adapter = "sqlite"
url = "sqlite:./shop.db"
[[system.table]]
name = "users"
identity = { email = "email" }
"#;

const MANUALS: &[(&str, Manual)] = &[
    (
        "archive",
        Manual {
            spec: "archive:PATH",
            members: &[],
            verifies: "every page reads the same when it is read again; a changed archive is noticed when a transfer is resumed",
            limits: &[
                "Mastodon exports (.tar.gz, .zip) and the folders that `dir` writes",
                "a compressed tar is read from its beginning for every file out of order",
            ],
            example: "moveout transfer run --from archive:./archive-20261122.tar.gz --to dir:./my-things",
        },
    ),
    (
        "dir",
        Manual {
            spec: "dir:FOLDER",
            members: &[],
            verifies: "every file is on disk with its SHA-256 in the manifest before it is confirmed; a repeat is recognised; any BagIt tool can check the folder",
            limits: &["one transfer writes into a folder at a time"],
            example: "moveout transfer run --from dir:./my-things --to dir:./copy",
        },
    ),
    (
        "dtp",
        Manual {
            spec: "dtp+https://HOST/PATH/",
            members: &[("MOVEOUT_TOKEN", "the bearer token, in the environment; or --secret-file")],
            verifies: "the server confirmed each item with its id; bytes are hashed on the way",
            limits: &[
                "nothing can be read back, so the destination's own word is what there is",
                "repeats are recognised only by servers that say so, as moveout's landing does",
                "test items of `adapter check --write` stay there",
            ],
            example: "moveout transfer run --from dir:./my-things --to dtp+https://photos.example/dtp/",
        },
    ),
    (
        "postgres",
        Manual {
            spec: "postgres://USER@HOST:5432/DATABASE",
            members: MAP,
            verifies: "one transaction erases all or nothing; afterwards every mapped location is read again and must be empty, or hold what a ground keeps",
            limits: &[
                "the connection is not encrypted: keep it on a private network; sslmode=require is refused",
                "up to 250 000 rows of one person",
                "rows that row-level security hides are an error, never skipped",
                "the account needs SELECT, UPDATE (for locks) and DELETE on every mapped table",
            ],
            example: POSTGRES_EXAMPLE,
        },
    ),
    (
        "redis",
        Manual {
            spec: "redis://:PASSWORD@HOST:6379/0, or rediss:// with TLS",
            members: &[
                ("url", "the address, or env:NAME or file:PATH, which hold it"),
                ("secrets", "ca, certificate and key, in PEM, where TLS needs them"),
                (
                    "location.key",
                    "a key with an identity in it, like \"session:{asid}\"; with field or member, only that part of it",
                ),
                ("location.pattern", "a pattern of keys with an identity between separators, like \"cart:{email}:*\""),
            ],
            verifies: "every location is read again and must be gone",
            limits: &[
                "a location needs an identity that a table of another system, or the request, knows",
                "patterns read through all keys of the server",
            ],
            example: REDIS_EXAMPLE,
        },
    ),
    (
        "sqlite",
        Manual {
            spec: "sqlite:FILE",
            members: MAP,
            verifies: "one transaction erases all or nothing; erased content is overwritten (secure_delete) and the write-ahead log reset; every mapped location is read again",
            limits: &[
                "a file on a local disk, on the machine that moveout runs on; it is never created",
                "up to 250 000 rows of one person",
                "a full-text index keeps texts of its own unless triggers remove them",
            ],
            example: SQLITE_EXAMPLE,
        },
    ),
];

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_said_of_adapters_is_right() {
        for adapter in crate::registry() {
            let Some(manual) = super::manual(adapter.name) else { continue };
            assert!(manual.spec.starts_with(adapter.name) && !manual.limits.is_empty(), "{}", adapter.name);
            if manual.example.contains("[[system]]") {
                let world = wire::world::parse(manual.example).unwrap();
                assert_eq!(world.systems[0].adapter, adapter.name);
            } else {
                let spec = manual.example.split_whitespace().find(|word| word.starts_with(adapter.name)).unwrap();
                assert_eq!(spec.parse::<crate::Spec>().unwrap().adapter, adapter.name);
            }
        }
    }
}
