//! world.toml: the documented example is read; whatever is wrong is named with its place.

use model::codes;
use model::world::{OnCallback, OnErase, Pkce, Round};
use wire::world::parse;

const EXAMPLE: &str = r#"
[[app]]
name = "shop"
platform = "meta"
secrets = ["file:./secret", "env:OLD_SECRET"]
on_callback = "erase"
contact = "privacy@shop.example"

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
[[system.table]]
name = "audit.events"
ignore = "holds no person"

[[client]]
id = "meta"
secret = "file:./client-secret"
redirect_uris = ["https://platform.example/callback"]
scopes = ["media:write"]
pkce = "off"
"#;

#[test]
fn the_documented_example_is_read() {
    let world = parse(EXAMPLE).unwrap();
    assert_eq!(world.apps[0].on_callback, OnCallback::Erase);
    let tables = &world.systems[0].tables;
    assert_eq!(tables[2].container.as_ref().unwrap().on_erase, Some(OnErase::Delete));
    assert_eq!(tables[3].keep.as_ref().unwrap().round, Some(Round::YearEnd));
    assert_eq!(world.clients[0].pkce, Pkce::Off);
}

#[test]
fn whatever_is_wrong_is_named_with_its_place() {
    // What is replaced in the example, by what, and two words that the complaint must hold.
    let table = [
        ("contact =", "contcat =", ["line 7", "contcat"]),
        ("name = \"shop\"", "name = \"sh op\"", ["app \"sh op\"", "letters"]),
        ("\"file:./secret\"", "\"s3cret\"", ["app shop", "file:PATH"]),
        ("on_callback = \"erase\"", "on_callback = \"forget\"", ["line 6", "forget"]),
        ("backups_kept = \"35d\"", "backups_kept = \"a month\"", ["system main-db", "backups_kept"]),
        ("adapter =", "apps = [\"blog\"]\nadapter =", ["system main-db", "blog"]),
        (
            "users.id\" }\n[[system.table]]\nname = \"comments\"",
            "people.id\" }\n[[system.table]]\nname = \"comments\"",
            ["table posts", "people"],
        ),
        ("author_id = \"users.id\"", "author_id = \"users\"", ["line", "table.column"]),
        ("owner = { author_id = \"users.id\" }", "", ["table posts", "neither"]),
        ("author_id = \"users.id\"", "parent_id = \"posts.id\"", ["table posts", "nobody could be found"]),
        ("name = \"posts\"", "name = \"users\"", ["table users", "twice"]),
        ("facebook_id = \"asid\"", "facebook_id = \"a b\"", ["line", "MO-2014"]),
        ("on_erase = \"delete\"", "on_erase = \"burn\"", ["line", "burn"]),
        ("for = \"8y\"", "for = \"8 apples\"", ["table invoices", "for is no period"]),
        ("for = \"8y\", ", "", ["table invoices", "belong together"]),
        ("from = \"issued_at\"", "from = \"paid_at\"", ["table invoices", "kept columns"]),
        ("law = \"HGB §257 (4)\"", "law = \" \"", ["table invoices", "no law"]),
        ("holds no person", "", ["audit.events", "why"]),
        ("secret = \"file:./client-secret\"", "", ["client meta", "pkce"]),
        ("https://platform.example/callback", "/callback", ["client meta", "redirect"]),
        ("https://platform.example/callback", "http://platform.example/callback", ["client meta", "redirect"]),
        ("media:write", "media:burn", ["client meta", "media:burn"]),
    ];
    for (good, bad, named) in table {
        assert!(EXAMPLE.contains(good), "{good}");
        let problem = parse(&EXAMPLE.replacen(good, bad, 1)).unwrap_err();
        assert!(problem.is(&codes::config::WORLD_INVALID));
        assert!(named.iter().all(|word| problem.detail.contains(word)), "{bad}: {}", problem.detail);
        assert!(!problem.detail.contains("s3cret"), "{}", problem.detail);
    }
}

#[test]
fn several_mistakes_are_told_at_once() {
    let detail = parse(&EXAMPLE.replace("35d", "never").replace("media:write", "x:y")).unwrap_err().detail;
    assert!(detail.contains("backups_kept") && detail.contains("x:y"), "{detail}");
}
