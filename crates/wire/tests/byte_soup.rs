//! The bodies of the fuzz targets on well-formed documents with a few bytes changed, and on any bytes at all.

mod soup;

use proptest::prelude::*;

const SEEDS: &[&str] = &[
    r#"{"algorithm":"HMAC-SHA256","issued_at":1624244156,"expires":0,"user_id":"10158","profile_id":7}"#,
    r#"{"form":"moveout-receipt/1","leaf":{"request":"r-1","found":3},"index":0,"proof":["AAAA"],"checkpoint":"a\n1\nAA==\n\n— a AAAA\n","public_key":"a+00000000+AAAA"}"#,
    "[[app]]\nname = 'shop'\nsecrets = ['file:s']\n[[system]]\nname = 'db'\nadapter = 'sqlite'\nurl = 'sqlite:x'\n[[system.table]]\nname = 'users'\nidentity = { id = 'asid' }\n",
    r#"{"orderedItems":[{"id":"1","type":"Create","published":"2026-01-02T03:04:05Z","to":["as:Public"],"object":{"id":"2","type":"Note","content":"\ud83d\ude00","attachment":[{"type":"Document","mediaType":"image/png","url":"/media/1.png","focalPoint":[0.0,1]}]}}]}"#,
    r#"{"id":"1","type":"Announce","object":"https://a.example/1","published":"2026-01-02T03:04:05Z"}"#,
    r#"{"@type":"GenericPayload","schemaSource":"x","apiVersion":"0.1.0","payload":{"@type":"Photo","schemaSource":"x","fetchableUrl":null,"title":"t","description":"d","mediaType":"image/png","albumId":"a","dataId":"1"}}"#,
    "multipart/related; boundary=\"a b\\\"c\"; type=application/json",
    "{ url: 'https://a.example/d', confirmation_code: 'abc' }",
    "\u{feff}name;user_id\n\"Zoe; A\";1001\n=\"1002\"\n1.02E+16,,\n",
    r#"["1001", 1002, {"user_id": "1003", "x": [1, {"]": "\"" }]}, 1e16]"#,
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "msg_p5jXN8AQM9LWM0D4loKWxJek\n1614265330\nv1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1a,AAAA\n{\"test\": 2432232314}",
];

/// A seed with pieces of itself, or any bytes, put in other places.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), 0_usize..8, prop::collection::vec(any::<u8>(), 0..6), any::<bool>());
    (prop::sample::select(SEEDS), prop::collection::vec(edit, 0..4)).prop_map(|(seed, edits)| {
        let mut bytes = seed.as_bytes().to_vec();
        for (place, removed, inserted, repeat) in edits {
            let begin = place.index(bytes.len() + 1);
            let end = (begin + removed).min(bytes.len());
            let inserted = if repeat { bytes[begin / 2..end].to_vec() } else { inserted };
            bytes.splice(begin..end, inserted);
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_parser_stands_any_bytes(data in prop_oneof![4 => mutated(), 1 => prop::collection::vec(any::<u8>(), 0..400)]) {
        soup::signed_request(&data);
        soup::receipt(&data);
        soup::world(&data);
        soup::json_elements(&data);
        soup::mastodon(&data);
        soup::dtp(&data);
        soup::callback(&data);
        soup::webhook(&data);
        soup::id_list(&data);
    }
}
