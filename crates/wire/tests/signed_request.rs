//! signed_request: the platform's own examples, what must be refused, and that no flipped byte passes.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use model::{Code, codes};
use proptest::prelude::*;
use serde::Deserialize;
use wire::signed_request::{self, Payload, Secret, sign, verify};

#[derive(Deserialize)]
struct Vector {
    name: String,
    secret: String,
    signed_request: String,
    signature_valid: bool,
    payload: serde_json::Map<String, serde_json::Value>,
}

fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

/// Signs any payload text, well formed or not.
fn sign_text(payload: &str, key: &str) -> String {
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), payload.as_bytes());
    format!("{}.{payload}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

fn sign_json(json: &str) -> String {
    sign_text(&BASE64URL_NOPAD.encode(json.as_bytes()), "s")
}

#[test]
fn published_vectors_are_judged_as_their_sources_say() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors/signed_request.json")).unwrap();
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let judged = verify(&vector.signed_request, &[secret(&vector.secret)]);
        let user_id = vector.payload.get("user_id").map(|id| id.as_str().map_or(id.to_string(), str::to_owned));
        match (vector.signature_valid, user_id) {
            (false, _) => assert!(judged.unwrap_err().is(&codes::door::SIGNATURE_MISMATCH), "{}", vector.name),
            // The signature holds, which is why the missing person is what is complained of.
            (true, None) => assert!(judged.unwrap_err().is(&codes::door::USER_ID_MISSING), "{}", vector.name),
            (true, Some(user_id)) => {
                let payload = judged.unwrap().payload;
                assert_eq!(payload.user_id, user_id, "{}", vector.name);
                assert_eq!(
                    payload.issued_at.map(jiff::Timestamp::as_second),
                    vector.payload["issued_at"].as_i64(),
                    "{}",
                    vector.name
                );
            }
        }
    }
}

#[test]
fn the_person_is_kept_as_text_digit_by_digit() {
    let table = [
        (r#"{"algorithm":"HMAC-SHA256","user_id":123456789012345678901234567890}"#, "123456789012345678901234567890"),
        (r#"{"algorithm":"hmac-sha256","user_id":"007"}"#, "007"),
        (r#"{"algorithm":"HMAC-SHA256","asid":"5","issued_at":1,"expires":0}"#, "5"),
        (r#"{"user_id":null,"asid":9,"algorithm":"HMAC-SHA256","page":{"id":"1"}}"#, "9"),
    ];
    for (json, person) in table {
        let payload = verify(&sign_json(json), &[secret("s")]).unwrap().payload;
        assert_eq!(payload.user_id, person);
        assert_eq!(payload.expires, None);
    }
}

#[test]
fn whatever_is_wrong_has_its_own_code() {
    let long = format!("{}.e30", "A".repeat(signed_request::MAX_TEXT));
    let table: Vec<(String, &Code)> = vec![
        (String::new(), &codes::door::SIGNED_REQUEST_MALFORMED),
        ("no-dot".into(), &codes::door::SIGNED_REQUEST_MALFORMED),
        ("a+b.e30".into(), &codes::door::SIGNED_REQUEST_MALFORMED),
        (long, &codes::door::SIGNED_REQUEST_MALFORMED),
        (".e30".into(), &codes::door::SIGNATURE_MISMATCH),
        // Not JSON, and yet the signature is judged first.
        ("AAAA.!!!".into(), &codes::door::SIGNATURE_MISMATCH),
        (sign_text("!!!", "s"), &codes::door::SIGNED_REQUEST_MALFORMED),
        (sign_json("[]"), &codes::door::SIGNED_REQUEST_MALFORMED),
        (
            sign_json(r#"{"algorithm":"HMAC-SHA256","user_id":"1","user_id":"2"}"#),
            &codes::door::SIGNED_REQUEST_MALFORMED,
        ),
        (sign_json(r#"{"algorithm":"HMAC-SHA256","user_id":1.5e9}"#), &codes::door::SIGNED_REQUEST_MALFORMED),
        (sign_json(r#"{"algorithm":"HMAC-SHA256","user_id":"a\u0000"}"#), &codes::door::SIGNED_REQUEST_MALFORMED),
        (sign_json(r#"{"algorithm":"HMAC-SHA256","user_id":""}"#), &codes::door::USER_ID_MISSING),
        (sign_json(r#"{"algorithm":"HMAC-MD5","user_id":"1"}"#), &codes::door::ALGORITHM_UNSUPPORTED),
        (sign_json(r#"{"user_id":"1"}"#), &codes::door::ALGORITHM_UNSUPPORTED),
    ];
    for (text, code) in table {
        let problem = verify(&text, &[secret("s")]).unwrap_err();
        assert!(problem.is(code), "{text:.60}: {problem}");
    }
}

#[test]
fn an_empty_secret_is_never_accepted() {
    assert!(verify("a.b", &[]).unwrap_err().is(&codes::door::NO_SECRET));
    for empty in ["", " ", "\r\n"] {
        assert!(Secret::new(empty).unwrap_err().is(&codes::door::NO_SECRET), "{empty:?}");
    }
}

#[test]
fn several_secrets_are_tried_and_the_one_that_signed_is_told() {
    let text = sign_json(r#"{"algorithm":"HMAC-SHA256","user_id":"1"}"#);
    assert_eq!(verify(&text, &[secret("new"), secret("s"), secret("old")]).unwrap().secret_index, 1);
}

fn payloads() -> impl Strategy<Value = Payload> {
    let time = || proptest::option::of((1_i64..4_000_000_000).prop_map(|s| jiff::Timestamp::from_second(s).unwrap()));
    ("[0-9]{1,40}|[^\\p{C}]{1,60}", time(), time(), proptest::option::of("[0-9]{1,20}"))
        .prop_map(|(user_id, issued_at, expires, profile_id)| Payload { user_id, issued_at, expires, profile_id })
}

proptest! {
    #[test]
    fn what_is_signed_verifies(payload in payloads(), key in "[ -~]{0,80}x") {
        let verified = verify(&sign(&payload, &secret(&key)).unwrap(), &[secret(&key)]).unwrap();
        prop_assert_eq!(verified.payload, payload);
    }

    #[test]
    fn no_flipped_byte_passes(payload in payloads(), place in any::<prop::sample::Index>(), bits in 1_u8..128) {
        let mut bytes = sign(&payload, &secret("s")).unwrap().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= bits;
        // What is no longer UTF-8 cannot reach us.
        let text = String::from_utf8(bytes);
        prop_assert!(text.is_err() || verify(&text.unwrap(), &[secret("s")]).is_err());
    }
}
