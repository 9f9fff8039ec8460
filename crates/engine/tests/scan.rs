//! Drafts of schemas as widespread frameworks make them: what an engineer would have written, and what they must decide.

use std::collections::BTreeMap;

use adapters::{Context, open_inspector};
use engine::erasure::plan::plan;
use engine::scan::{Draft, Part};
use model::world::Table;

async fn scan(schema: &str) -> Draft {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(schema).unwrap();
    let context = Context::new(net::Client::new(net::Policy::operator()));
    let inspector = open_inspector(&format!("sqlite:{}", path.display()).parse().unwrap(), &context).await.unwrap();
    let draft = engine::scan::scan(inspector.as_ref()).await.unwrap();

    // Whatever it says can be carried out, and is what the text says.
    let tables: Vec<Table> = draft.tables.iter().map(|table| table.map.clone()).collect();
    plan(&inspector.catalog().await.unwrap(), &tables).unwrap();
    let heading = engine::scan::Heading {
        app: Some("app".to_owned()),
        system: "app-db".to_owned(),
        adapter: "sqlite".to_owned(),
        url: "sqlite:./app.db".to_owned(),
    };
    let text = engine::scan::text(&draft, &heading);
    assert_eq!(wire::world::parse(&text).unwrap().systems[0].tables, tables, "{text}");
    assert!(!text.contains("zoe@") && !text.contains("192.0.2"), "a sampled value came out: {text}");
    draft
}

/// The map, a line a table: its part, then identities, owners and containers.
fn lines(draft: &Draft) -> Vec<String> {
    let line = |table: &engine::scan::Drafted| {
        let part = match table.part {
            Part::Person => "person",
            Part::Named => "named",
            Part::Owned => "owned",
            Part::Open => "open",
        };
        let identity: BTreeMap<_, _> =
            table.map.identity.iter().map(|(column, kind)| (column, kind.to_string())).collect();
        let mut line = format!("{part} {}:", table.map.name);
        identity.iter().for_each(|(column, kind)| line.push_str(&format!(" {column}={kind}")));
        table.map.owner.iter().for_each(|(column, target)| line.push_str(&format!(" {column}>{target}")));
        let containers = table.map.container.iter().flat_map(|container| &container.columns);
        containers.for_each(|(column, target)| line.push_str(&format!(" ({column}>{target})")));
        line
    };
    draft.tables.iter().map(line).collect()
}

fn open(draft: &[engine::scan::Open]) -> Vec<&str> {
    draft.iter().map(|open| open.table.as_str()).collect()
}

#[tokio::test]
async fn a_blog_without_foreign_keys() {
    let draft = scan(testkit::schemas::WORDPRESS).await;
    assert_eq!(
        lines(&draft),
        [
            "person wp_users: user_email=email",
            "owned wp_comments: user_id>wp_users.ID (comment_parent>wp_comments.comment_ID) (comment_post_ID>wp_posts.ID)",
            "owned wp_posts: post_author>wp_users.ID (post_parent>wp_posts.ID)",
            "owned wp_usermeta: user_id>wp_users.ID",
            "owned wp_commentmeta: comment_id>wp_comments.comment_ID",
            "owned wp_postmeta: post_id>wp_posts.ID",
        ]
    );
    assert_eq!(open(&draft.undecided), ["wp_comments", "wp_posts"]);
    // Guests comment with their address and without a user.
    assert_eq!(open(&draft.unreachable), ["wp_comments"]);
    assert_eq!(draft.unreachable[0].columns, ["user_id", "comment_author_email"]);
}

#[tokio::test]
async fn a_tool_whose_references_only_the_application_knows() {
    let draft = scan(testkit::schemas::RAILS).await;
    assert_eq!(
        lines(&draft),
        [
            "person users: email=email (account_id>accounts.id)",
            "owned addresses: user_id>users.id",
            "owned comments: user_id>users.id",
            "owned follows: followed_id>users.id follower_id>users.id",
            "owned identities: uid=asid user_id>users.id",
            "owned memberships: user_id>users.id (project_id>projects.id)",
            "owned messages: sender_id>users.id (recipient_id>users.id)",
            "owned orders: user_id>users.id (approved_by_id>users.id) (bill_address_id>addresses.id) (ship_address_id>addresses.id)",
            "owned line_items: order_id>orders.id (product_id>products.id)",
            "open accounts: (owner_id>users.id)",
            "open products: (created_by_id>users.id)",
            "open projects: (account_id>accounts.id) (creator_id>users.id)",
            "open tasks: (assignee_id>users.id) (parent_id>tasks.id) (project_id>projects.id)",
        ]
    );
    assert_eq!(open(&draft.unreachable), ["orders", "active_storage_attachments", "versions"]);
    // The colleague who made a product may also own it: that is offered.
    let products = draft.tables.iter().find(|table| table.map.name == "products").unwrap();
    assert_eq!(products.could_own.keys().collect::<Vec<_>>(), ["created_by_id"]);
    let orders = draft.tables.iter().find(|table| table.map.name == "orders").unwrap();
    assert_eq!(orders.keep.as_ref().unwrap().columns, ["number", "total", "currency", "completed_at"]);
}

#[tokio::test]
async fn a_magazine_whose_logins_know_the_platform_id() {
    let draft = scan(testkit::schemas::DJANGO).await;
    assert_eq!(
        lines(&draft),
        [
            "person auth_user: email=email username=username",
            "owned account_emailaddress: email=email user_id>auth_user.id",
            "owned auth_user_groups: user_id>auth_user.id",
            "owned auth_user_user_permissions: user_id>auth_user.id",
            "owned blog_article: author_id>auth_user.id (reviewed_by_id>auth_user.id)",
            "owned django_admin_log: user_id>auth_user.id",
            "owned profiles_profile: user_id>auth_user.id",
            "owned socialaccount_socialaccount: uid=asid user_id>auth_user.id",
            "owned blog_article_tags: article_id>blog_article.id",
            "owned socialaccount_socialtoken: account_id>socialaccount_socialaccount.id",
        ]
    );
    assert_eq!(open(&draft.undecided), ["blog_article"]);
    assert!(
        draft.unreachable.is_empty() && draft.nobody.contains(&"blog_category".to_owned()),
        "{:?}",
        draft.unreachable
    );
}

#[tokio::test]
async fn a_database_without_people_says_so() {
    let draft = scan("CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT)").await;
    assert!(draft.tables.is_empty() && !draft.is_whole());
    assert!(draft.notes[0].starts_with("no table of people was found"), "{:?}", draft.notes);
}
