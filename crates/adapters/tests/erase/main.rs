//! What erasing promises, on every kind of SQL database: the same scenes, played on each.

mod database;
mod forty;
mod large;
mod mariadb;
mod postgres;
mod properties;
mod scenes;
mod shop;
mod sqlite;

use database::Database;

/// Plays each scene on each database.
macro_rules! play {
    ($($module:ident: $($scene:ident),+;)+) => {
        mod on_sqlite {
            $($(#[tokio::test]
            async fn $scene() {
                crate::$module::$scene(crate::Database::new(testkit::database::Kind::Sqlite).await).await;
            })+)+
        }
        mod on_mariadb {
            $($(#[tokio::test]
            async fn $scene() {
                crate::$module::$scene(crate::Database::new(testkit::database::Kind::Mariadb).await).await;
            })+)+
        }
        mod on_postgres {
            $($(#[tokio::test]
            async fn $scene() {
                crate::$module::$scene(crate::Database::new(testkit::database::Kind::Postgres).await).await;
            })+)+
        }
    };
}

play! {
    shop: the_example_of_the_map, others_comments_go_stay_or_block, what_is_kept_goes_when_its_time_is_over,
        a_shared_identity_blocks, strangers_block_with_and_without_a_foreign_key, a_renamed_table_blocks,
        a_refusal_rolls_back_and_a_second_try_completes, children_are_found_when_the_person_is_gone,
        rows_added_meanwhile_are_found_by_reading_again;
    scenes: rows_that_refer_to_their_own_table, tables_in_a_circle, odd_names, keys_of_several_columns_and_types,
        a_login_leads_to_its_person, blanks_do_not_collide, a_key_given_away_again_blocks, an_identity_is_matched_as_written,
        addresses_and_numbers_are_matched_however_they_are_written;
    properties: nothing_of_others_is_touched;
    forty: forty_tables;
}
