//! The schema, as an append-only list of migrations: a landed file never changes.
//!
//! SQLite is migrated when it is opened. A PostgreSQL database serves several processes, so only `moveout migrate` changes it:
//! first every process gets the new binary, which runs on its own schema and the one before, then the schema follows.

mod apply;

use model::{Code, Problem, Result, codes};

pub(crate) use apply::{build, complete, migrate_postgres, migrate_sqlite, version_of_postgres};

/// One step of the schema.
#[derive(Debug)]
pub(crate) struct Migration {
    /// Its file, without the ending: the number of its place in the list, and what it is about.
    name: &'static str,
    /// What it does, in SQLite's words; `apply` fits them to PostgreSQL.
    sql: &'static str,
    /// The SHA-256 of the file as it landed, which a test holds against it.
    #[cfg(test)]
    digest: &'static str,
    /// Whether this binary runs on a store that lacks this step: everything that uses it copes without.
    can_wait: bool,
}

/// Names a migration without which this binary does not run. The usual case: what a binary needs, it does not do without.
macro_rules! needed {
    ($name:literal, $digest:literal) => {
        Migration {
            name: $name,
            sql: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            #[cfg(test)]
            digest: $digest,
            can_wait: false,
        }
    };
}

/// The migrations in order. A new one is one more line; `sha256sum FILE` gives its digest.
const MIGRATIONS: &[Migration] = &[
    needed!("0001_core", "fb195585c2193f01eb4aa199d1ab31ddcf9837c0aac5abee9f0f74fbc1b3795b"),
    needed!("0002_erasure", "3725c26bfaee11876677ac5c40ad9a9e4b60318fb3402507cffc96debba60189"),
    needed!("0003_transfers", "4885f84dbc0f6996a356964c5bb3985165f811367a665834626a13dee64c06f4"),
    needed!("0004_oauth", "1d5f1de72a09176a7fbf381a6c4b24cdd4273cf5da11d43476008a8025c4b599"),
    needed!("0005_landing", "700b4df182dde705f88c5d127fb9410efa6d84d153c02e573f56708323fcc8d0"),
    needed!("0006_system_secrets", "0fde57abfc792b8211aa900bd67ba7a0c1fcdf559a78f72b583cad9c007070d1"),
    needed!("0007_lanes", "f002556db5f2a171a45a5a70c33215e5446c6222d7ed879f348c86873988cfe3"),
    needed!("0008_outbox", "db074c9032ae9531e824dcfebe85f4620b6e035b1d6bb7394c882023ab84fc06"),
    needed!("0009_kept", "9fee1cf243c92b42fa36ca73a484fea72d17d5050b52bb42e3de58b40e789f13"),
    needed!("0010_lists", "f7d81bdcea373b00dc9c4f790c87ee648eb42412bfe8a668ec67250d0f197a49"),
    needed!("0011_cool_off", "6f05309309a9406dccdc3bf9e6c5663740f95acdb4a6144426eb8fceab7c5a92"),
    needed!("0012_identity_map", "dee383262f2f94865224af3377937c3c0dcbbc7aa899b40f87910e8672b05eeb"),
    needed!("0013_restores", "93c135c858b06ceda60c169c24103a0b72f1b8a8dcc169b8b2596f5a75a04bc4"),
    needed!("0014_proofs", "02655d98ad9f8528447be01358f4a60b8d6c88d47b1f563c2e130af4005b5c7d"),
    needed!("0015_erasure_tasks", "8075b7e9350bdd00883c709898b5241e56231fd7c30653e4e86fc32163c34507"),
    needed!("0016_write_mark", "c81b95656a0d877e0bb9cf435956271d0d19d99ee704f56a5907ac2ae018a5fe"),
    needed!("0017_blob_doomed", "c8a09bd93738fb92eb1f83719aee669875a7df3698a17c4ed1f5ab8d934066a9"),
];

/// Refuses a store whose version this binary does not run on.
///
/// # Errors
/// `MO-5003` if a newer binary wrote it, `MO-5014` if there is none, `MO-5015` if it lacks what this binary needs.
pub(crate) fn runs_on(version: i64) -> Result<()> {
    fits(MIGRATIONS, version)
}

fn fits(list: &[Migration], version: i64) -> Result<()> {
    let refused = |code: &'static Code| {
        Err(Problem::new(code, format!("the store has schema {version}, this binary knows up to {}", list.len())))
    };
    let lacking = missing(list, version)?;
    match lacking {
        [] => Ok(()),
        _ if version == 0 => refused(&codes::store::STORE_MISSING),
        [newest] if newest.can_wait => {
            tracing::info!(
                lacking = newest.name,
                "the store has the schema before; run `moveout migrate` when every process has this binary"
            );
            Ok(())
        }
        _ => refused(&codes::store::SCHEMA_OLD),
    }
}

/// Returns the migrations that a store of this version lacks.
fn missing(list: &[Migration], version: i64) -> Result<&[Migration]> {
    usize::try_from(version).ok().and_then(|version| list.get(version..)).ok_or_else(|| {
        Problem::new(
            &codes::store::SCHEMA_NEWER,
            format!("the store has schema {version}, this binary knows up to {}", list.len()),
        )
    })
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn step(can_wait: bool) -> Migration {
        Migration { name: "0000_test", sql: "", digest: "", can_wait }
    }

    #[test]
    fn a_landed_migration_neither_changes_nor_moves() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            let name = migration.name;
            assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name} is number {} of the list", index + 1);
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, migration.sql.as_bytes());
            let digest = HEXLOWER.encode(digest.as_ref());
            assert_eq!(migration.digest, digest, "{name} is not the file that landed; add a new one instead");
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), MIGRATIONS.len(), "a file is not in the list");
    }

    #[test]
    fn a_binary_runs_on_its_own_schema_and_on_the_one_before_if_it_copes_with_that() {
        let refusal = |list: &[Migration], version| fits(list, version).err().map(|problem| problem.code.number);
        let copes = [step(false), step(false), step(true)];
        let needs = [step(false), step(true), step(false)];
        assert_eq!((refusal(&copes, 3), refusal(&needs, 3)), (None, None));
        assert_eq!((refusal(&copes, 2), refusal(&needs, 2)), (None, Some(codes::store::SCHEMA_OLD.number)));
        assert_eq!(refusal(&copes, 1), Some(codes::store::SCHEMA_OLD.number), "only one step behind");
        assert_eq!(refusal(&[step(true)], 0), Some(codes::store::STORE_MISSING.number));
        assert_eq!(refusal(&copes, 4), Some(codes::store::SCHEMA_NEWER.number));
        assert_eq!(refusal(&copes, -1), Some(codes::store::SCHEMA_NEWER.number));
    }
}
