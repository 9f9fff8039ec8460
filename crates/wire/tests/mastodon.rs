//! What a Mastodon archive says becomes items that lose nothing of it.

use model::DataType;
use model::item::{ActivityKind, AttachmentKind, Fields, Visibility};
use wire::mastodon::{Account, POSTED_ALBUM, link_record, outbox_record};

fn account() -> Account {
    let actor = r#"{"id":"https://social.example/users/zoe","type":"Person","name":"Zoë 🌿 Ζωή",
        "preferredUsername":"zoe","url":"https://social.example/@zoe",
        "icon":{"type":"Image","mediaType":"image/png","url":"avatar.png"},"image":null}"#;
    Account::parse(actor.as_bytes()).unwrap()
}

const POST: &str = r#"{"id":"https://social.example/users/zoe/statuses/1/activity","type":"Create",
    "published":"2023-02-01T10:00:00+01:00","to":["https://www.w3.org/ns/activitystreams#Public"],"cc":[],
    "object":{"id":"https://social.example/users/zoe/statuses/1","type":"Note","summary":"Essen","inReplyTo":null,
    "published":"2023-02-01T10:00:00+01:00","updated":"2023-02-02T10:00:00Z","url":"https://social.example/@zoe/1",
    "to":["https://social.example/users/zoe/followers"],"cc":["https://www.w3.org/ns/activitystreams#Public"],
    "content":"<p>Spätzle &amp; 🍲</p>","contentMap":{"de":"<p>Spätzle &amp; 🍲</p>"},
    "attachment":[
      {"type":"Document","mediaType":"image/jpeg","url":"/media_attachments/files/001/original/a.jpeg","name":"Teller","blurhash":"U8"},
      {"type":"Document","mediaType":"video/mp4","url":"/media_attachments/files/002/original/b.mp4","name":null},
      {"type":"Document","mediaType":"audio/mpeg","url":"/media_attachments/files/003/original/c.mp3","name":null}],
    "unknown":{"kept":true}}}"#;

#[test]
fn a_post_becomes_its_media_and_itself() {
    let published = outbox_record(POST.as_bytes(), &account()).unwrap();
    let types: Vec<DataType> = published.media.iter().map(|item| item.data_type).collect();
    assert_eq!(types, [DataType::Photos, DataType::Videos, DataType::Files]);
    for item in published.media.iter().chain([&published.post]) {
        assert_eq!(item.created.unwrap().to_string(), "2023-02-01T09:00:00Z");
        assert_eq!(item.zone.as_deref(), Some("+01:00"));
        assert_eq!(item.visibility, Some(Visibility::Unlisted), "the note's own audience counts");
    }

    let photo = &published.media[0];
    let content = photo.content.as_ref().unwrap();
    assert_eq!(content.locator, "media_attachments/files/001/original/a.jpeg");
    assert_eq!(photo.containers, [POSTED_ALBUM]);
    let Fields::Media { description, .. } = &photo.fields else { panic!("{photo:?}") };
    assert_eq!(description.as_deref(), Some("Teller"));
    assert!(photo.original.as_ref().unwrap().get().contains("blurhash"));

    let post = &published.post;
    assert_eq!(post.original.as_ref().unwrap().get(), POST, "the source's own record is untouched");
    let Fields::Activity(activity) = &post.fields else { panic!("{post:?}") };
    assert_eq!(activity.title.as_deref(), Some("Essen"));
    assert_eq!(activity.content.as_deref(), Some("<p>Spätzle &amp; 🍲</p>"));
    let kinds: Vec<AttachmentKind> = activity.attachments.iter().map(|attachment| attachment.kind).collect();
    assert_eq!(kinds, [AttachmentKind::Image, AttachmentKind::Video, AttachmentKind::Link]);
}

#[test]
fn re_shares_polls_likes_and_albums_are_kept() {
    let announce = r#"{"id":"https://social.example/users/zoe/statuses/2/activity","type":"Announce",
        "published":"2023-03-01T10:00:00Z","to":"as:Public","object":"https://other.example/notes/9"}"#;
    let share = outbox_record(announce.as_bytes(), &account()).unwrap().post;
    let Fields::Activity(activity) = &share.fields else { panic!("{share:?}") };
    assert_eq!((activity.kind, activity.url.as_deref()), (ActivityKind::Share, Some("https://other.example/notes/9")));
    assert_eq!(share.visibility, Some(Visibility::Public));

    let poll = POST.replace(r#""type":"Note""#, r#""type":"Question","oneOf":[{"name":"ja"},{"name":"nein"}]"#);
    let poll = outbox_record(poll.as_bytes(), &account()).unwrap().post;
    assert!(poll.original.as_ref().unwrap().get().contains("nein"));

    let like = link_record(DataType::Likes, br#""https://other.example/notes/9""#).unwrap();
    assert_eq!(like.id, "https://other.example/notes/9");

    let album = account().posted_album();
    assert_eq!(album.label(), "Zoë 🌿 Ζωή");
    assert_eq!(account().pictures, ["avatar.png"]);
}

#[test]
fn broken_records_are_refused_without_quoting_them() {
    let broken = [
        POST.replace("Spätzle", r"\uZZZZ"),
        POST.replace("Spätzle", r"\ud83d alone"),
        POST.replace("Spätzle", "\u{1}"),
        POST.replace("2023-02-01", "2023-02-31"),
        POST.replace(r#""type":"Note""#, r#""type":"Tombstone""#),
        r#"{"type":"Delete","object":"x"}"#.to_owned(),
        "17".to_owned(),
    ];
    for record in broken {
        let problem = outbox_record(record.as_bytes(), &account()).unwrap_err();
        assert!(problem.is(&model::codes::transfer::RECORD_BROKEN));
        assert!(!problem.detail.contains("Teller"));
    }
    assert!(link_record(DataType::Bookmarks, b"{}").is_err());
}
