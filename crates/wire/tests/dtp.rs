//! The Generic Importer's wire: what is documented, what workers were seen to send, what we send, and what nobody should.

use jiff::Timestamp;
use model::item::{Activity, ActivityKind, Actor, Attachment, AttachmentKind, Content, Fields, Place, Visibility};
use model::{DataType, Item, codes};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use wire::dtp::{self, MAX_JSON, Vertical};

/// The example of the Generic Importer's README; the shipped example file has the time as a text.
const DOCUMENTED: &str = r#"{
  "@type": "GenericPayload", "schemaSource": ".../SocialPostsSerializer.java", "apiVersion": "0.1.0",
  "payload": {
    "@type": "SocialActivityData",
    "metadata": {"@type": "SocialActivityMetadata", "actor": {"@type": "SocialActivityActor", "id": "321", "name": "Steve", "url": "http://example.org/actor/Steve"}},
    "activity": {
      "@type": "SocialActivityModel", "id": "456", "published": 1731604863.845677, "type": "NOTE",
      "attachments": [{"@type": "SocialActivityAttachment", "type": "IMAGE", "url": "foo.com", "name": "Foo", "content": "Example"}],
      "location": {"@type": "SocialActivityLocation", "name": "foo", "longitude": 10.0, "latitude": 20.0},
      "title": "Hello world!", "content": "Hi there", "url": "http://example.org/post/foo"
    }
  }
}"#;

#[test]
fn the_documented_post_in_each_form_of_its_type_and_time() {
    let published: Timestamp = "2024-11-14T17:21:03.845677Z".parse().unwrap();
    for kind in ["SocialActivityData", "SocialActivity", "SocialActivityExportData"] {
        for time in ["1731604863.845677", "\"1731604863.845677\"", "\"2024-11-14T17:21:03.845677Z\""] {
            let json = DOCUMENTED.replace("SocialActivityData", kind).replace("1731604863.845677", time);
            let parsed = dtp::parse(Vertical::SocialPosts, json.as_bytes()).unwrap();
            assert_eq!((parsed.id.as_deref(), parsed.created), (Some("456"), Some(published)), "{kind} {time}");
            assert_eq!(parsed.original.get(), json);
            let Fields::Activity(activity) = parsed.fields else { panic!("{kind}") };
            assert_eq!(activity.kind, ActivityKind::Note);
            assert_eq!(activity.actor.unwrap().name.as_deref(), Some("Steve"));
            assert_eq!(activity.attachments[0].kind, AttachmentKind::Image);
            assert_eq!(activity.place.unwrap().latitude, 20.0);
        }
    }
}

#[test]
fn nulls_missing_albums_and_members_that_we_do_not_know() {
    let json = br#"{"apiVersion":null,"payload":{"@type":"PhotoExportData","albumId":null,"name":null,"description":null,
        "uploadedTime":null,"favoriteInfo":{"favorite":true,"lastUpdateTime":null},"faces":[{"x":1}]},"trace":{"id":7}}"#;
    let parsed = dtp::parse(Vertical::Media, json).unwrap();
    assert_eq!((parsed.data_type, parsed.container, parsed.created), (DataType::Photos, None, None));
    assert_eq!(parsed.fields, Fields::Media { title: String::new(), description: None, favorite: Some(true) });
    assert!(parsed.original.get().contains(r#""faces":[{"x":1}]"#));
}

#[test]
fn what_is_no_payload_says_why_without_quoting_it() {
    let deep = format!("{{\"payload\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let large = format!("{{\"payload\":{{\"@type\":\"Album\",\"id\":\"{}\"}}}}", "a".repeat(MAX_JSON));
    let table: [(&str, &model::Code, &str); 9] = [
        ("", &codes::landing::PAYLOAD_MALFORMED, "not well-formed"),
        ("{}", &codes::landing::PAYLOAD_MALFORMED, "payload is missing"),
        (r#"{"payload":{"id":"1"}}"#, &codes::landing::PAYLOAD_MALFORMED, "payload.@type is missing"),
        (r#"{"payload":{"@type":"Album"}}"#, &codes::landing::PAYLOAD_MALFORMED, "payload.id is missing"),
        (r#"{"payload":{"@type":"Album","id":["secret"]}}"#, &codes::landing::PAYLOAD_MALFORMED, "another type"),
        (r#"{"payload":{"@type":"SocialActivity"}}"#, &codes::landing::PAYLOAD_UNSUPPORTED, "/social-posts"),
        (r#"{"payload":{"@type":"secret"}}"#, &codes::landing::PAYLOAD_UNSUPPORTED, "not one of"),
        (&deep, &codes::landing::PAYLOAD_TOO_DEEP, "64"),
        (&large, &codes::landing::PAYLOAD_TOO_LARGE, "1048576"),
    ];
    for (json, code, words) in table {
        let problem = dtp::parse(Vertical::Media, json.as_bytes()).unwrap_err();
        assert!(problem.is(code) && problem.detail.contains(words), "{problem}");
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }
}

fn text() -> impl Strategy<Value = String> {
    "[\\PC\n\u{0}]{1,20}"
}

fn time() -> impl Strategy<Value = Option<Timestamp>> {
    of((-4_000_000_000_000_000_i64..4_000_000_000_000_000)
        .prop_map(|micros| Timestamp::from_microsecond(micros).unwrap()))
}

fn place() -> impl Strategy<Value = Place> {
    (of(text()), -9_000_000..9_000_000, -18_000_000..18_000_000).prop_map(|(name, latitude, longitude)| Place {
        name,
        latitude: f64::from(latitude) / 1e5,
        longitude: f64::from(longitude) / 1e5,
    })
}

fn attachment() -> impl Strategy<Value = Attachment> {
    let kinds = prop::sample::select(vec![AttachmentKind::Link, AttachmentKind::Image, AttachmentKind::Video]);
    (kinds, text(), of(text()), of(text())).prop_map(|(kind, name, url, content)| Attachment {
        kind,
        name,
        url,
        content,
    })
}

fn activity() -> impl Strategy<Value = (DataType, Fields)> {
    let kinds =
        prop::sample::select(vec![ActivityKind::Post, ActivityKind::Note, ActivityKind::Checkin, ActivityKind::Share]);
    let actor = (text(), of(text()), of(text())).prop_map(|(id, name, url)| Actor { id, name, url });
    (kinds, of(actor), of(text()), of(text()), of(text()), of(text()), of(place()), vec(attachment(), 0..3)).prop_map(
        |(kind, actor, title, content, url, in_reply_to, place, attachments)| {
            let activity = Activity { kind, actor, title, content, url, in_reply_to, place, attachments };
            (DataType::Posts, Fields::Activity(Box::new(activity)))
        },
    )
}

fn fields() -> impl Strategy<Value = (DataType, Fields)> {
    prop_oneof![
        (text(), of(text()))
            .prop_map(|(name, description)| (DataType::Albums, Fields::Container { name, description })),
        (any::<bool>(), text(), of(text()), of(any::<bool>())).prop_map(|(video, title, description, favorite)| {
            let data_type = if video { DataType::Videos } else { DataType::Photos };
            (data_type, Fields::Media { title, description, favorite })
        }),
        activity(),
    ]
}

fn item() -> impl Strategy<Value = Item> {
    let visibility = of(Just(Visibility::Followers));
    (fields(), text(), vec(text(), 0..3), time(), time(), of(Just("Europe/Berlin".to_owned())), visibility).prop_map(
        |((data_type, fields), id, containers, created, modified, zone, visibility)| Item {
            data_type,
            id,
            containers,
            created,
            modified,
            zone,
            visibility,
            content: None,
            fields,
            original: None,
        },
    )
}

/// What the wire has no place for is taken away here, and must have been reported.
fn without_the_lost(mut item: Item, loss: &[String]) -> Item {
    let reported =
        |what: &str| assert!(loss.iter().any(|lost| lost.contains(what)), "{what} was not reported: {loss:?}");
    if item.modified.take().is_some() {
        reported("last changed");
    }
    if item.zone.take().is_some() {
        reported("time zone");
    }
    if item.visibility.take().is_some() {
        reported("who could see it");
    }
    let album = matches!(item.fields, Fields::Media { .. });
    if item.containers.len() > usize::from(album) {
        reported("lies in");
        item.containers.truncate(usize::from(album));
    }
    if item.data_type == DataType::Albums && item.created.take().is_some() {
        reported("album was made");
    }
    if let Fields::Activity(activity) = &mut item.fields {
        if activity.in_reply_to.take().is_some() {
            reported("answers to");
        }
        if activity.kind == ActivityKind::Share {
            reported("re-shares");
            activity.kind = ActivityKind::Post;
        }
    }
    item
}

proptest! {
    #[test]
    fn an_item_arrives_with_everything_that_was_not_reported_lost(item in item()) {
        let sent = dtp::write(&item).unwrap();
        let parsed = dtp::parse(sent.vertical, sent.json.as_bytes()).unwrap();
        prop_assert_eq!(parsed.original.get(), &sent.json);
        let media = matches!(item.fields, Fields::Media { .. });
        prop_assert_eq!(parsed.id.is_none(), media);
        let mut arrived = parsed.into_item(|| item.id.clone(), None);
        arrived.original = None;
        let expected = without_the_lost(item, &sent.loss);
        prop_assert_eq!(serde_json::to_value(&arrived).unwrap(), serde_json::to_value(&expected).unwrap());
    }

    #[test]
    fn no_bytes_make_it_panic(soup in vec(any::<u8>(), 0..200), cut in 0..DOCUMENTED.len(), header in ".{0,60}") {
        let _ = dtp::parse(Vertical::Media, &soup);
        let mut spliced = DOCUMENTED.as_bytes()[..cut].to_vec();
        spliced.extend(&soup);
        spliced.extend(&DOCUMENTED.as_bytes()[cut..]);
        let _ = dtp::parse(Vertical::SocialPosts, &spliced);
        if let Some(parsed) = dtp::related::ContentType::parse(&format!("multipart/related;{header}")) {
            let _ = parsed.related_boundary();
        }
    }
}

#[test]
fn what_the_wire_cannot_carry_is_refused_or_reported() {
    let photo = Item {
        data_type: DataType::Photos,
        id: "1".to_owned(),
        containers: vec![],
        created: None,
        modified: None,
        zone: None,
        visibility: None,
        content: Some(Content {
            locator: "media/1".to_owned(),
            name: Some("DSC_0001.jpg".to_owned()),
            media_type: "image/jpeg".to_owned(),
            size: None,
            blake3: None,
        }),
        fields: Fields::Media { title: "Sunset".to_owned(), description: None, favorite: None },
        original: Some(serde_json::value::to_raw_value(&1).unwrap()),
    };
    assert_eq!(dtp::write(&photo).unwrap().loss, ["the file's name beside its title", "the source's own record"]);
    let like =
        Item { data_type: DataType::Likes, fields: Fields::Link { target: "x".to_owned(), title: None }, ..photo };
    assert!(dtp::write(&like).unwrap_err().is(&codes::transfer::TYPE_UNSUPPORTED));
}
