//! Both ends of the wire: our destination adapter writes to our landing over real HTTP.

use adapters::{Body, Context, ItemKey, Token, open_destination};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use model::item::{Activity, ActivityKind, Actor, Content, Fields};
use model::{DataType, Item, Verdict};

use crate::sender::{Landing, picture};

fn item(data_type: DataType, id: &str, fields: Fields) -> Item {
    Item {
        data_type,
        id: id.to_owned(),
        containers: vec![],
        created: Some("2024-11-14T17:21:03.5Z".parse().unwrap()),
        modified: None,
        zone: None,
        visibility: None,
        content: None,
        fields,
        original: None,
    }
}

fn key(item: &Item) -> ItemKey {
    let key = blake3::hash(format!("{} {}", item.data_type, item.id).as_bytes()).to_hex().to_string();
    ItemKey { transfer: "t1".to_owned(), key }
}

fn body(bytes: &[u8], size: Option<u64>) -> Option<Body> {
    let chunks: Vec<_> = bytes.chunks(10_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    Some(Body { size, stream: stream::iter(chunks).boxed() })
}

async fn destination(landing: &Landing, token: &str) -> std::sync::Arc<dyn adapters::Destination> {
    let net = net::Client::new(net::Policy::operator());
    let context = Context { token: Some(Token::new(token)), transfer: Some("t1".to_owned()), ..Context::new(net) };
    let spec = format!("dtp+http://{}/dtp/", landing.address).parse().unwrap();
    open_destination(&spec, &context).await.unwrap()
}

#[tokio::test]
async fn what_our_adapter_writes_lands_and_a_second_time_is_already_there() {
    let landing = Landing::start().await;
    let destination = destination(&landing, &landing.token).await;
    assert!(destination.capabilities().recognises_repeats);

    let album = item(DataType::Albums, "a1", Fields::Container { name: "Fjorde".to_owned(), description: None });
    let album = Item { created: None, ..album };
    let fields =
        Fields::Media { title: "Böen".to_owned(), description: Some("wind".to_owned()), favorite: Some(true) };
    let mut photo = item(DataType::Photos, "p1", fields);
    photo.containers = vec!["a1".to_owned()];
    photo.content = Some(Content {
        locator: "p1".to_owned(),
        name: None,
        media_type: "image/webp".to_owned(),
        size: None,
        blake3: None,
    });
    let activity = Activity {
        kind: ActivityKind::Note,
        actor: Some(Actor { id: "ada".to_owned(), name: Some("Ada".to_owned()), url: None }),
        content: Some("<p>Grüße 🌊</p>".to_owned()),
        url: Some("https://social.example/@ada/1".to_owned()),
        ..Activity::default()
    };
    let post = item(DataType::Posts, "s1", Fields::Activity(Box::new(activity)));
    let bytes = picture(9, 1_000_000);

    for (round, size) in [(0, Some(bytes.len() as u64)), (1, None)] {
        for sent in [&album, &photo, &post] {
            let content = sent.content.as_ref().and_then(|_| body(&bytes, size));
            let written = destination.write(sent, &key(sent), content).await.unwrap();
            assert_eq!(written.already_there, round == 1, "{}", sent.id);
            assert_eq!(written.loss, Vec::<String>::new());
            let landed = landing.items().await.into_iter().find(|item| Some(&item.id) == written.remote_id.as_ref());
            let landed = landed.unwrap().item;
            assert_eq!(
                (&landed.fields, landed.created, &landed.containers),
                (&sent.fields, sent.created, &sent.containers)
            );
            let blake3 = landed.content.and_then(|content| content.blake3);
            assert_eq!(written.blake3, blake3);
            if blake3.is_some() {
                assert_eq!(landing.bytes(&written.remote_id.unwrap()).await, bytes);
            }
        }
    }
    assert_eq!(landing.items().await.len(), 3);
}

#[tokio::test]
async fn a_token_that_is_no_longer_good_waits_for_the_person() {
    let landing = Landing::start().await;
    let destination = destination(&landing, "withdrawn").await;
    let post = item(DataType::Posts, "s1", Fields::Activity(Box::default()));
    let problem = destination.write(&post, &key(&post), None).await.unwrap_err();
    assert_eq!(problem.verdict(), Verdict::NeedsUser);
    assert!(problem.is(&model::codes::transfer::TOKEN_REFUSED), "{problem}");
}
