//! An array splits to the same elements whatever the chunks, and one bad element costs no other.

use proptest::prelude::*;
use wire::json_elements::{Fault, MAX_DEPTH, MAX_ELEMENT, Splitter};

type Found = Vec<Result<String, Fault>>;

fn split(document: &[u8], chunk: usize) -> (Found, Result<(), Fault>) {
    let mut found = Vec::new();
    let mut splitter = Splitter::of_member("orderedItems");
    for bytes in document.chunks(chunk.max(1)) {
        splitter.push(bytes, &mut |element| {
            found.push(element.map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
        });
    }
    (found, splitter.finish())
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".*".prop_map(Into::into),
        // What looks like structure inside a string is not structure.
        r#"[\[\]{}",:\\u]{0,12}"#.prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
            prop::collection::btree_map(r#"[a-z"\\\]}]{0,6}|orderedItems"#, inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_array_splits_into_its_elements_whatever_the_chunks(
        elements in prop::collection::vec(value(), 0..8),
        before in value(),
        after in value(),
        pretty in any::<bool>(),
        chunk in 1_usize..64,
    ) {
        let document = serde_json::json!({ "a": before, "orderedItems": elements, "z": after });
        let text = if pretty { serde_json::to_vec_pretty(&document) } else { serde_json::to_vec(&document) }.unwrap();
        let (found, end) = split(&text, chunk);
        prop_assert_eq!(end, Ok(()));
        let parsed: Vec<serde_json::Value> =
            found.into_iter().map(|element| serde_json::from_str(&element.unwrap()).unwrap()).collect();
        prop_assert_eq!(parsed, elements);
    }

    #[test]
    fn any_bytes_are_taken_and_cut_the_same_whatever_the_chunks(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(br#"{}[]",:\ "#.to_vec())], 0..200),
        chunk in 1_usize..16,
    ) {
        let mut document = br#"{"orderedItems":["#.to_vec();
        document.extend(bytes);
        prop_assert_eq!(split(&document, chunk), split(&document, usize::MAX));
    }
}

#[test]
fn a_broken_element_costs_no_other() {
    let table: [(&str, &[&str]); 6] = [
        (r#"{"orderedItems":[1,{"a":"\uZZZZ\q"},3]}"#, &["1", r#"{"a":"\uZZZZ\q"}"#, "3"]),
        ("{\"orderedItems\":[1,{\"a\":\"\u{1}\n\"},3]}", &["1", "{\"a\":\"\u{1}\n\"}", "3"]),
        (r#"{"orderedItems":[1,{"a":[2},3]}"#, &["1", "!", "3"]),
        (r#"{"orderedItems":[1,{"a":{"b":2}]}"#, &["1", "!"]),
        (r#"{"orderedItems":[1,},3]}"#, &["1", "!", "3"]),
        (r#"{"x":{"orderedItems":[0]},"orderedItems":[1 ,"]" , 3 ]}"#, &["1", r#""]""#, "3"]),
    ];
    for (document, expected) in table {
        let (found, end) = split(document.as_bytes(), 3);
        let found: Vec<String> = found.into_iter().map(|element| element.unwrap_or_else(|_| "!".to_owned())).collect();
        assert_eq!((found, end), (expected.iter().map(|text| (*text).to_owned()).collect(), Ok(())), "{document}");
    }
}

#[test]
fn too_large_and_too_deep_elements_are_passed_over() {
    let deep = format!("{}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
    let fits = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    let large = format!("\"{}\"", "x".repeat(MAX_ELEMENT));
    let document = format!(r#"{{"orderedItems":[{deep},{fits},{large},4]}}"#);
    let (found, end) = split(document.as_bytes(), 64 * 1024);
    assert_eq!(found, [Err(Fault::TooDeep), Ok(fits), Err(Fault::TooLarge), Ok("4".to_owned())]);
    assert_eq!(end, Ok(()));
}

#[test]
fn a_document_that_ends_in_the_middle_says_so() {
    let document = r#"{"a":1,"orderedItems":[{"b":"c"},2],"d":[]}"#;
    for length in 0..document.len() {
        let (_, end) = split(&document.as_bytes()[..length], 7);
        let expected = if length == 0 { Fault::Missing } else { Fault::Truncated };
        assert_eq!(end, Err(expected), "{}", &document[..length]);
    }
    assert_eq!(split(br#"{"orderedItems":{"a":[1]}}"#, 5), (vec![], Err(Fault::Missing)));
}
