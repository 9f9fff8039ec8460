//! world.toml: the documented example is read; whatever is wrong is named with its place.

use model::codes;
use model::location::Place;
use model::world::{OnCallback, OnErase, Pkce, Round, World};
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

const CACHE: &str = r#"
[[system]]
name = "cache"
adapter = "redis"
url = "env:REDIS"
secrets = { extra = "env:EXTRA" }
[[system.location]]
name = "sessions"
key = "session:{asid}"
[[system.location]]
name = "carts"
pattern = "cart:{email}:*"
[[system.location]]
name = "online"
key = "online"
member = "{user}"
[[system.location]]
name = "profiles"
key = "profiles:{shop-no}"
field = "{user}"
[[system]]
name = "pictures"
adapter = "dir"
url = "dir:./pictures"
[[system.location]]
name = "avatars"
prefix = "avatars/{user}/"
[[system.location]]
name = "covers"
path = "covers/{user}.jpg"
"#;

#[test]
fn places_of_other_systems_than_databases_are_read_and_written_back() {
    let text = format!("{EXAMPLE}{CACHE}").replace("email = \"email\"", "email = \"email\", no = \"shop-no\"");
    let world = parse(&text).unwrap();
    let cache = &world.systems[1];
    assert_eq!(cache.identities().len(), 4);
    assert_eq!(
        cache.locations[2].place,
        Place::Member { key: "online".to_owned().into(), member: "{user}".to_owned().into() }
    );
    let json = serde_json::to_string(&world).unwrap();
    assert_eq!(serde_json::from_str::<World>(&json).unwrap(), world);
}

#[test]
fn a_place_that_could_be_anybodys_is_refused() {
    let table = [
        ("key = \"session:{asid}\"", "kye = \"session:{asid}\"", ["line", "sessions", "kye"]),
        ("key = \"session:{asid}\"", "", ["line", "sessions", "no place"]),
        ("key = \"session:{asid}\"", "key = \"a\"\npattern = \"b\"", ["line", "sessions", "key pattern"]),
        ("session:{asid}", "session:all", ["location sessions", "placeholder", "everybody"]),
        ("session:{asid}", "session:{usre}", ["location sessions", "{usre}", "kind"]),
        ("session:{asid}", "{asid}", ["location sessions", "alone", ""]),
        ("session:{asid}", " session:{asid}", ["location sessions", "spaces", ""]),
        ("cart:{email}:*", "cart:{email}*", ["location carts", "separator", ""]),
        ("cart:{email}:*", "*{email}:cart", ["location carts", "separator", ""]),
        ("cart:{email}:*", "{email}*", ["location carts", "alone", ""]),
        ("cart:{email}:*", "cart:{email}{user}", ["location carts", "separator", ""]),
        ("avatars/{user}/", "avatars/{user}", ["location avatars", "person 12", ""]),
        ("avatars/{user}/", "{user}/", ["location avatars", "alone", ""]),
        ("avatars/{user}/", "../avatars/{user}/", ["location avatars", "relative", ""]),
        ("avatars/{user}/", "/avatars/{user}/", ["location avatars", "relative", ""]),
        ("name = \"covers\"", "name = \"avatars\"", ["location avatars", "twice", ""]),
        ("path = \"covers/{user}.jpg\"", "key = \"covers:{user}\"", ["location covers", "does not know", ""]),
        ("adapter = \"redis\"", "adapter = \"sqlite\"", ["system cache", "tables, not locations", ""]),
        ("env:EXTRA", "s3cret", ["system cache", "extra", "file:PATH"]),
    ];
    let good = format!("{EXAMPLE}{CACHE}").replace("{shop-no}", "{email}");
    parse(&good).unwrap();
    for (from, to, named) in table {
        assert!(good.contains(from), "{from}");
        let problem = parse(&good.replacen(from, to, 1)).unwrap_err();
        assert!(named.iter().all(|word| problem.detail.contains(word)), "{to}: {}", problem.detail);
        assert!(!problem.detail.contains("s3cret"), "{}", problem.detail);
    }
    let empty = good.replace("[[system.location]]\nname = \"avatars\"\nprefix = \"avatars/{user}/\"\n", "");
    let empty = empty.replace("[[system.location]]\nname = \"covers\"\npath = \"covers/{user}.jpg\"\n", "");
    assert!(parse(&empty).unwrap_err().detail.contains("nothing could be searched"));
}

#[test]
fn what_is_written_is_read_again() {
    let mut world = parse(EXAMPLE).unwrap();
    let odd = r#"{ "name": "Größe \"der\" Kunden", "identity": { "E-Mail; DROP": "email" }, "container": { "a b": "users.id", "on_erase": "detach" } }"#;
    world.systems[0].tables.push(serde_json::from_str(odd).unwrap());
    let written: String = world.systems[0].tables.iter().map(wire::world::write::table).collect();
    let head = "[[system]]\nname = \"main-db\"\nadapter = \"postgres\"\nurl = \"env:X\"\n";
    let again = parse(&format!("{head}{written}")).unwrap();
    assert_eq!(again.systems[0].tables, world.systems[0].tables, "{written}");
    assert!(written.contains("container = { post_id = \"posts.id\", on_erase = \"delete\" }"), "{written}");
}
