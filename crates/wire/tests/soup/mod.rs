//! What must hold for any bytes at all, one function a parser: the fuzz targets and the byte soup tests run the same.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use model::{DataType, IdentityKind};
use wire::checkpoint::{Checkpoint, PublicKey};
use wire::consistency::{Consistency, notes_in};
use wire::dtp::{self, Vertical, related::ContentType};
use wire::id_list::Reader;
use wire::json_elements::Splitter;
use wire::mastodon::{self, Account};
use wire::receipt::Receipt;
use wire::signed_request::{Secret, sign, verify};
use wire::webhook;

/// No bytes are accepted unsigned; signed bytes are read or refused, and what is read can be signed again.
pub fn signed_request(data: &[u8]) {
    let secret = Secret::new("secret").expect("it is not empty");
    let text = String::from_utf8_lossy(data);
    assert!(verify(&text, std::slice::from_ref(&secret)).is_err(), "nobody signed this");
    let payload = BASE64URL_NOPAD.encode(data);
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"secret"), payload.as_bytes());
    let signed = format!("{}.{payload}", BASE64URL_NOPAD.encode(signature.as_ref()));
    if let Ok(read) = verify(&signed, std::slice::from_ref(&secret)) {
        let again = sign(&read.payload, &secret).expect("what was read can be written");
        assert_eq!(verify(&again, &[secret]).expect("it is ours").payload, read.payload);
    }
}

/// A receipt that is read stays the same when it is written and read again; judging it does not panic.
pub fn receipt(data: &[u8]) {
    if let Ok(receipt) = Receipt::parse(data) {
        let _ = receipt.verify(None);
        let written = serde_json::to_vec(&receipt).expect("what was read can be written");
        assert_eq!(Receipt::parse(&written).expect("it is ours"), receipt);
    }
    if let Ok(statement) = Consistency::parse(data) {
        let _ = statement.verify(None);
        let written = serde_json::to_vec(&statement).expect("what was read can be written");
        assert_eq!(Consistency::parse(&written).expect("it is ours"), statement);
    }
    let text = String::from_utf8_lossy(data);
    let _ = notes_in(&text);
    let key: PublicKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().expect("a key");
    assert!(Checkpoint::verify(&text, &key).is_err(), "nobody signed this");
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text, "a key has one spelling");
    }
}

/// A declaration is read or refused in words that do not repeat a line of it.
pub fn world(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(problem) = wire::world::parse(&text) {
        assert!(!problem.detail.contains("TOML parse error"), "{}", problem.detail);
    }
}

/// The same document gives the same elements, whatever the chunks.
pub fn json_elements(data: &[u8]) {
    let split = |size: usize| {
        let (mut splitter, mut found) = (Splitter::of_member("orderedItems"), Vec::new());
        for chunk in data.chunks(size) {
            splitter.push(chunk, &mut |element| found.push(element.map(<[u8]>::to_vec)));
        }
        (found, splitter.finish())
    };
    assert_eq!(split(1), split(data.len().max(1)));
}

/// Records are read or refused.
pub fn mastodon(data: &[u8]) {
    let _ = Account::parse(data);
    let _ = mastodon::outbox_record(data, &Account::default());
    let _ = mastodon::link_record(DataType::Likes, data);
}

/// Payloads and content types are read or refused.
pub fn dtp(data: &[u8]) {
    for vertical in Vertical::ALL {
        let _ = dtp::parse(vertical, data);
    }
    if let Some(parsed) = ContentType::parse(&String::from_utf8_lossy(data)) {
        let _ = parsed.related_boundary();
    }
}

/// An answer to a callback is read or refused.
pub fn callback(data: &[u8]) {
    let _ = wire::callback::parse(&String::from_utf8_lossy(data));
}

/// No headers are accepted unsigned; any body that is signed under an id we take verifies.
pub fn webhook(data: &[u8]) {
    let secret = webhook::Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx").expect("a secret");
    let now = Timestamp::from_second(1_614_265_330).expect("a time");
    let text = String::from_utf8_lossy(data);
    let mut lines = text.splitn(4, '\n').map(str::to_owned);
    let [id, timestamp, signature, body] = [(); 4].map(|()| lines.next().unwrap_or_default());
    let headers = webhook::Headers { id, timestamp, signature };
    assert!(
        webhook::verify(&headers, body.as_bytes(), std::slice::from_ref(&secret), now).is_err(),
        "nobody signed this"
    );
    if let Ok(signed) = webhook::sign(&headers.id, now, data, std::slice::from_ref(&secret)) {
        webhook::verify(&signed, data, &[secret], now).expect("it is ours");
    }
    let _ = webhook::Secret::parse(&text);
}

/// A list of ids is read line by line, the same in chunks of any size.
pub fn id_list(data: &[u8]) {
    let read = |size: usize| {
        let (mut reader, mut lines) = (Reader::new(IdentityKind::asid()), Vec::new());
        for chunk in data.chunks(size) {
            reader.push(chunk, &mut |line| lines.push(line));
        }
        reader.end(&mut |line| lines.push(line));
        lines
    };
    assert_eq!(read(1), read(data.len().max(1)));
}
