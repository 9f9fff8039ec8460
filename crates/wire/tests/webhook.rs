//! Standard Webhooks: the published vector, rotation, clocks, and that no flipped byte passes.

use jiff::{SignedDuration, Timestamp};
use model::{Code, codes};
use proptest::prelude::*;
use wire::webhook::{Headers, Secret, sign, verify};

/// The vector of the reference libraries' test suites (standard-webhooks/standard-webhooks).
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const SENT: i64 = 1_614_265_330;

fn secret(text: &str) -> Secret {
    Secret::parse(text).unwrap()
}

fn other() -> Secret {
    secret(&Secret::write(&[7; 32]))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn vector() -> Headers {
    Headers { id: MESSAGE.to_owned(), timestamp: SENT.to_string(), signature: SIGNED.to_owned() }
}

#[test]
fn the_published_vector_is_signed_and_verified() {
    let headers = sign(MESSAGE, at(SENT), BODY, &[secret(SECRET)]).unwrap();
    assert_eq!(headers, vector());
    assert_eq!(headers.pairs()[2], ("webhook-signature", SIGNED));
    verify(&headers, BODY, &[secret(SECRET)], at(SENT)).unwrap();
    verify(&headers, BODY, &[secret(&SECRET["whsec_".len()..])], at(SENT)).unwrap();
}

#[test]
fn secrets_rotate_at_either_end() {
    let both = sign(MESSAGE, at(SENT), BODY, &[other(), secret(SECRET)]).unwrap();
    assert!(both.signature.ends_with(SIGNED) && both.signature.matches("v1,").count() == 2, "{}", both.signature);
    for receiver in [vec![secret(SECRET)], vec![other()], vec![secret(SECRET), other()]] {
        verify(&both, BODY, &receiver, at(SENT)).unwrap();
    }
    verify(&vector(), BODY, &[other(), secret(SECRET)], at(SENT)).unwrap();
    // What we cannot check is passed over, wherever it stands.
    let mixed = Headers { signature: format!("v1a,AAAA v1,!!! {SIGNED}"), ..vector() };
    verify(&mixed, BODY, &[secret(SECRET)], at(SENT)).unwrap();
}

#[test]
fn whatever_is_wrong_has_its_own_code() {
    let minutes = |minutes| at(SENT).saturating_add(SignedDuration::from_mins(minutes)).unwrap();
    for near in [minutes(5), minutes(-5)] {
        verify(&vector(), BODY, &[secret(SECRET)], near).unwrap();
    }
    let table: Vec<(Headers, Timestamp, &Code)> = vec![
        (vector(), minutes(6), &codes::door::WEBHOOK_STALE),
        (vector(), minutes(-6), &codes::door::WEBHOOK_STALE),
        (Headers { signature: String::new(), ..vector() }, at(SENT), &codes::door::WEBHOOK_MISMATCH),
        (Headers { signature: SIGNED.replace("v1,", "v2,"), ..vector() }, at(SENT), &codes::door::WEBHOOK_MISMATCH),
        (Headers { signature: "v1, ".repeat(2000), ..vector() }, at(SENT), &codes::door::WEBHOOK_MALFORMED),
        // The signature is judged before the clock: who cannot sign learns nothing of it.
        (Headers { timestamp: "1".to_owned(), ..vector() }, at(SENT), &codes::door::WEBHOOK_MISMATCH),
        (Headers { timestamp: "+1614265330".to_owned(), ..vector() }, at(SENT), &codes::door::WEBHOOK_MALFORMED),
        (Headers { timestamp: "9".repeat(30), ..vector() }, at(SENT), &codes::door::WEBHOOK_MALFORMED),
        (Headers { id: format!("{MESSAGE}.1"), ..vector() }, at(SENT), &codes::door::WEBHOOK_MALFORMED),
        (Headers { id: String::new(), ..vector() }, at(SENT), &codes::door::WEBHOOK_MALFORMED),
    ];
    for (headers, now, code) in table {
        let problem = verify(&headers, BODY, &[secret(SECRET)], now).unwrap_err();
        assert!(problem.is(code), "{headers:?}: {problem}");
    }
    assert!(verify(&vector(), BODY, &[], at(SENT)).unwrap_err().is(&codes::door::WEBHOOK_SECRET_INVALID));
    assert!(sign(MESSAGE, at(SENT), BODY, &[]).unwrap_err().is(&codes::door::WEBHOOK_SECRET_INVALID));
    assert!(sign("a.b", at(SENT), BODY, &[other()]).unwrap_err().is(&codes::door::WEBHOOK_MALFORMED));
}

#[test]
fn a_secret_that_is_too_short_or_no_base64_is_refused() {
    for bad in ["", "whsec_", "whsec_AAAA", "whsec_not base64", &format!("whsec_{}", "AAAA".repeat(22))] {
        let problem = Secret::parse(bad).unwrap_err();
        assert!(problem.is(&codes::door::WEBHOOK_SECRET_INVALID), "{bad}: {problem}");
        assert!(bad.len() < 8 || !problem.detail.contains(bad), "the secret is not repeated");
    }
    assert_eq!(format!("{:?}", other()), "Secret(…)");
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_no_flipped_byte_passes(
        id in "[!-~&&[^.]]{1,80}", body in prop::collection::vec(any::<u8>(), 0..200),
        place in any::<prop::sample::Index>(), bits in 1_u8..=255,
    ) {
        let headers = sign(&id, at(SENT), &body, &[other()]).unwrap();
        verify(&headers, &body, &[other()], at(SENT)).unwrap();
        let mut changed = [headers.signature.as_bytes(), &body].concat();
        let place = place.index(changed.len());
        changed[place] ^= bits;
        let (signature, body) = changed.split_at(headers.signature.len());
        if let Ok(signature) = String::from_utf8(signature.to_vec()) {
            let forged = Headers { signature, ..headers };
            prop_assert!(verify(&forged, body, &[other()], at(SENT)).is_err());
        }
    }
}
