//! Plans of hand-made catalogues.

use model::catalog::{Catalog, CatalogColumn, CatalogTable, ForeignKey};
use model::plan::{Action, Plan, Redaction, StrangerTarget};
use model::problem::Reason;
use model::world::Table;

use super::plan;

/// A table whose first column is its primary key; `name!` may not be null.
fn table(name: &str, columns: &[&str]) -> CatalogTable {
    let column = |text: &&str| CatalogColumn {
        name: text.trim_end_matches('!').to_owned(),
        sql_type: "bigint".to_owned(),
        nullable: !text.ends_with('!'),
        generated: false,
    };
    let columns: Vec<_> = columns.iter().map(column).collect();
    let primary_key = vec![columns[0].name.clone()];
    let indexed = columns.iter().map(|column| column.name.clone()).collect();
    CatalogTable { name: name.to_owned(), columns, primary_key, indexed, ..CatalogTable::default() }
}

trait With {
    /// Adds a foreign key, written `columns > table.columns`.
    fn with(self, columns: &[&str], table: &str, target: &[&str]) -> Self;
}

impl With for CatalogTable {
    fn with(mut self, columns: &[&str], table: &str, target: &[&str]) -> Self {
        let names = |columns: &[&str]| columns.iter().map(|&name| name.to_owned()).collect();
        self.foreign_keys.push(ForeignKey {
            columns: names(columns),
            table: table.to_owned(),
            target: names(target),
            cascades: false,
            deferrable: false,
        });
        self
    }
}

fn map(json: &serde_json::Value) -> Vec<Table> {
    serde_json::from_value(json.clone()).unwrap()
}

fn shop() -> Catalog {
    Catalog {
        tables: vec![
            table("users", &["id!", "facebook_id", "email!"]),
            table("posts", &["id!", "author_id!", "body"]).with(&["author_id"], "users", &["id"]),
            table("comments", &["id!", "user_id!", "post_id"]).with(&["user_id"], "users", &["id"]).with(
                &["post_id"],
                "posts",
                &["id"],
            ),
            table("invoices", &["id!", "user_id!", "number!", "issued_at!", "address!", "phone"]).with(
                &["user_id"],
                "users",
                &["id"],
            ),
        ],
    }
}

fn shop_map() -> serde_json::Value {
    serde_json::json!([
        { "name": "users", "identity": { "facebook_id": "asid", "email": "email" } },
        { "name": "posts", "owner": { "author_id": "users.id" } },
        { "name": "comments", "owner": { "user_id": "users.id" }, "container": { "post_id": "posts.id", "on_erase": "delete" } },
        { "name": "invoices", "owner": { "user_id": "users.id" },
          "keep": { "columns": ["number", "issued_at"], "ground": "legal-obligation", "law": "HGB", "for": "8y", "from": "issued_at", "round": "year_end" } },
    ])
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.table.as_str()).collect()
}

fn refused(catalog: &Catalog, map: &[Table]) -> Vec<(String, String)> {
    let reasons: Vec<Reason> = plan(catalog, map).unwrap_err();
    reasons.into_iter().map(|reason| (reason.code, reason.detail)).collect()
}

#[test]
fn children_come_first_and_what_kept_rows_need_stays_as_a_stub() {
    let plan = plan(&shop(), &map(&shop_map())).unwrap();
    assert_eq!(names(&plan), ["comments", "posts", "invoices", "users"]);
    assert!(plan.strangers.is_empty() && plan.warnings.is_empty());
    assert_eq!(plan.steps[1].action, Action::Delete);

    let invoices = &plan.steps[2];
    let redaction = |name: &str| invoices.columns[name].redaction;
    assert_eq!(
        ["id", "number", "issued_at", "user_id", "address", "phone"].map(redaction),
        [Redaction::Stay, Redaction::Stay, Redaction::Stay, Redaction::Stay, Redaction::Blank, Redaction::Null]
    );
    let users = &plan.steps[3];
    assert_eq!(users.action, Action::DeleteOrStub);
    assert_eq!(users.holders[0].table, "invoices");
    assert_eq!(
        ["id", "facebook_id", "email"].map(|name| users.columns[name].redaction),
        [Redaction::Stay, Redaction::Null, Redaction::Blank]
    );

    // Where the reference may be null, the kept row lets go of it and no stub is needed.
    let mut loose = shop();
    loose.tables[3].columns[1].nullable = true;
    let plan = super::plan(&loose, &map(&shop_map())).unwrap();
    assert_eq!(plan.steps[3].action, Action::Delete);
    assert_eq!(plan.steps[2].columns["user_id"].redaction, Redaction::Null);
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let mut catalog = shop();
    catalog.tables.remove(2);
    catalog.tables[2].name = "Invoices".to_owned();
    catalog.tables[1].columns.remove(1);
    let reasons = refused(&catalog, &map(&shop_map()));
    let expected = [
        ("MO-2002", "there is no column posts.author_id"),
        ("MO-2001", "there is no table comments"),
        ("MO-2001", "there is no table invoices, but one that is written Invoices"),
    ];
    assert_eq!(reasons, expected.map(|(code, detail)| (code.to_owned(), detail.to_owned())));
}

#[test]
fn a_map_that_cannot_work_is_refused() {
    let catalog = shop();
    let users = serde_json::json!({ "name": "users", "identity": { "email": "email" } });
    let cases = [
        (
            serde_json::json!({ "name": "posts", "owner": { "author_id": "people.id" } }),
            "MO-2001",
            "there is no table people",
        ),
        (
            serde_json::json!({ "name": "comments", "owner": { "post_id": "posts.id" } }),
            "MO-2021",
            "posts is not in the map",
        ),
        (serde_json::json!({ "name": "posts", "owner": { "author_id": "users.uid" } }), "MO-2002", "users.uid"),
        (serde_json::json!({ "name": "posts" }), "MO-2021", "neither identity nor owner"),
        (
            serde_json::json!({ "name": "posts", "container": { "author_id": "users.id", "on_erase": "detach" } }),
            "MO-2021",
            "may not be null",
        ),
        (
            serde_json::json!({ "name": "posts", "owner": { "author_id": "posts.id" } }),
            "MO-2021",
            "leads to a table with an identity",
        ),
        (
            serde_json::json!({ "name": "invoices", "owner": { "user_id": "users.id" },
                "keep": { "columns": ["sum"], "ground": "g", "law": "l" } }),
            "MO-2002",
            "invoices.sum",
        ),
        (
            serde_json::json!({ "name": "invoices", "owner": { "user_id": "users.id" },
                "keep": { "columns": [], "ground": "g", "law": "l", "for": "8y" } }),
            "MO-2017",
            "from which column",
        ),
        (
            serde_json::json!({ "name": "invoices", "owner": { "user_id": "users.id" },
                "keep": { "columns": [], "ground": "g", "law": "l", "for": "a while", "from": "issued_at" } }),
            "MO-2017",
            "like \"8y\"",
        ),
        (users.clone(), "MO-2021", "in the map twice"),
    ];
    for (table, code, words) in cases {
        let reasons = refused(&catalog, &map(&serde_json::json!([users, table])));
        assert!(
            reasons.iter().any(|(found, detail)| found == code && detail.contains(words)),
            "{table}: expected {code} {words}, got {reasons:?}"
        );
    }
}

#[test]
fn strangers_are_found_by_key_and_by_name_and_ignored_where_the_map_says_so() {
    let mut catalog = shop();
    catalog.tables.push(table("logins", &["id!", "person"]).with(&["person"], "users", &["id"]));
    catalog.tables.push(table("newsletter", &["id!", "email"]));
    catalog.tables.push(table("audit", &["id!", "user_id"]));
    catalog.tables.push(table("likes", &["id!", "post"]).with(&["post"], "posts", &["id"]));
    // Called like a reference to posts, and one to another table.
    catalog.tables.push(table("series", &["id!", "post_id"]).with(&["post_id"], "series", &["id"]));
    let editor = CatalogColumn { name: "editor_id".to_owned(), ..catalog.tables[1].columns[1].clone() };
    catalog.tables[1].columns.push(editor);
    let posts = catalog.tables[1].clone();
    catalog.tables[1] = posts.with(&["editor_id"], "users", &["id"]);

    let mut declared = shop_map();
    let found = |map: &[Table]| -> Vec<(String, String)> {
        let plan = plan(&catalog, map).unwrap();
        let shown = |target: &StrangerTarget| match target {
            StrangerTarget::Rows(key) => key.clone(),
            StrangerTarget::Identity(kind) => kind.to_string(),
        };
        plan.strangers
            .iter()
            .map(|stranger| (format!("{}.{}", stranger.table, stranger.columns[0].0), shown(&stranger.target)))
            .collect()
    };
    let expected = [
        ("posts.editor_id", "users.id"),
        ("logins.person", "users.id"),
        ("newsletter.email", "email"),
        ("audit.user_id", "users.id"),
        ("likes.post", "posts.id"),
    ];
    assert_eq!(found(&map(&declared)), expected.map(|(at, to)| (at.to_owned(), to.to_owned())));

    for name in ["logins", "newsletter", "audit"] {
        declared.as_array_mut().unwrap().push(serde_json::json!({ "name": name, "ignore": "nothing personal" }));
    }
    assert_eq!(found(&map(&declared)).len(), 2);

    // An ignored table whose rows would be deleted along with the person's is a stranger all the same.
    catalog.tables[4].foreign_keys[0].cascades = true;
    let plan = plan(&catalog, &map(&declared)).unwrap();
    assert!(plan.strangers.iter().any(|stranger| stranger.table == "logins"));
}

#[test]
fn circles_are_broken_where_a_key_may_be_null_or_wait() {
    let circle = |nullable: &str, deferrable: bool| {
        let mut catalog = Catalog {
            tables: vec![
                table("users", &["id!", "email!", nullable]).with(&["avatar"], "photos", &["id"]),
                table("photos", &["id!", "user_id!"]).with(&["user_id"], "users", &["id"]),
            ],
        };
        catalog.tables[0].foreign_keys[0].deferrable = deferrable;
        plan(
            &catalog,
            &map(&serde_json::json!([
                { "name": "users", "identity": { "email": "email" } },
                { "name": "photos", "owner": { "user_id": "users.id" }, "container": { "user_id": "users.id" } },
            ])),
        )
    };
    let nulled = circle("avatar", false).unwrap();
    let users = nulled.steps.iter().find(|step| step.table == "users").unwrap();
    assert!(users.nulled_first.contains("avatar"));
    assert!(!nulled.deferred);

    let waiting = circle("avatar!", true).unwrap();
    assert!(waiting.deferred);

    let reasons = circle("avatar!", false).unwrap_err();
    assert_eq!(reasons[0].code, "MO-2012");
    assert!(reasons[0].detail.contains("users") && reasons[0].detail.contains("photos"));
}

#[test]
fn rows_that_refer_to_their_own_table_are_let_go_first() {
    let catalog = Catalog {
        tables: vec![table("users", &["id!", "email", "invited_by"]).with(&["invited_by"], "users", &["id"])],
    };
    let plan =
        plan(&catalog, &map(&serde_json::json!([{ "name": "users", "identity": { "email": "email" } }]))).unwrap();
    assert_eq!(plan.steps[0].nulled_first.iter().collect::<Vec<_>>(), ["invited_by"]);
    // The map does not say what happens to people whom the person invited.
    assert_eq!(plan.strangers[0].columns[0].0, "invited_by");
}

#[test]
fn a_foreign_key_of_several_columns_is_taken_whole() {
    let mut users = table("users", &["tenant!", "id!", "email"]);
    users.primary_key = vec!["tenant".to_owned(), "id".to_owned()];
    let orders =
        table("orders", &["id!", "tenant!", "user_id!"]).with(&["tenant", "user_id"], "users", &["tenant", "id"]);
    let plan = plan(
        &Catalog { tables: vec![users, orders] },
        &map(&serde_json::json!([
            { "name": "users", "identity": { "email": "email" } },
            { "name": "orders", "owner": { "user_id": "users.id" } },
        ])),
    )
    .unwrap();
    assert_eq!(plan.steps[0].owner[0].columns, ["tenant", "user_id"]);
    assert_eq!(plan.steps[0].owner[0].key(), "users.tenant,id");
    assert!(plan.steps[1].keys.contains(&vec!["tenant".to_owned(), "id".to_owned()]));
    assert!(plan.strangers.is_empty());
}

#[test]
fn tombstones_hold_what_they_hang_on_and_its_owner_where_it_must_be_named() {
    let mut declared = shop_map();
    declared[2]["container"]["on_erase"] = "tombstone".into();
    declared.as_array_mut().unwrap().remove(3);
    let mut catalog = shop();
    catalog.tables.remove(3);
    let plan = plan(&catalog, &map(&declared)).unwrap();
    let actions: Vec<_> = plan.steps.iter().map(|step| (step.table.as_str(), &step.action)).collect();
    assert_eq!(
        actions,
        [("comments", &Action::Delete), ("posts", &Action::DeleteOrStub), ("users", &Action::DeleteOrStub)]
    );
}

#[test]
fn a_missing_index_is_warned_about() {
    let mut catalog = shop();
    catalog.tables[1].indexed.clear();
    let plan = plan(&catalog, &map(&shop_map())).unwrap();
    assert_eq!(plan.warnings.len(), 1);
    assert!(plan.warnings[0].starts_with("posts.author_id has no index"));
}
