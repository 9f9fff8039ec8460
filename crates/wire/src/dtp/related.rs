//! `multipart/related` (RFC 2387) around an item with bytes: the envelope as the first part, the bytes as the second.

use model::{Problem, Result, codes};

/// The media type of bytes that nobody named.
const UNKNOWN: &str = "application/octet-stream";

/// The frame around one item and its bytes.
#[derive(Clone, Debug)]
pub struct Frame {
    boundary: String,
}

impl Frame {
    /// Creates a frame. `nonce` is hexadecimal and nothing that the author of the bytes can foresee.
    pub fn new(nonce: &str) -> Self {
        let nonce: String = nonce.chars().filter(char::is_ascii_hexdigit).take(40).collect();
        Self { boundary: format!("moveout-{nonce}") }
    }

    /// Returns the `Content-Type` of the whole body.
    pub fn content_type(&self) -> String {
        format!("multipart/related; boundary={}; type=\"application/json\"", self.boundary)
    }

    /// Returns what stands before the bytes: the first part, and the second one's headers.
    pub fn head(&self, json: &str, media_type: &str, size: Option<u64>) -> String {
        let boundary = &self.boundary;
        let length = size.map(|size| format!("Content-Length: {size}\r\n")).unwrap_or_default();
        let media_type = if is_media_type(media_type) { media_type } else { UNKNOWN };
        format!(
            "--{boundary}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}\r\n\
             --{boundary}\r\nContent-Type: {media_type}\r\n{length}\r\n",
            json.len()
        )
    }

    /// Returns what stands behind the bytes.
    pub fn tail(&self) -> String {
        format!("\r\n--{}--\r\n", self.boundary)
    }
}

/// Tells whether a text can stand in a `Content-Type` header as it is (RFC 9110 §8.3.1, without parameters).
fn is_media_type(text: &str) -> bool {
    text.split_once('/').is_some_and(|(main, sub)| {
        [main, sub].iter().all(|part| !part.is_empty() && part.len() <= 127 && part.bytes().all(is_token))
    })
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A `Content-Type` header, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    /// Type and subtype in lower case, for example `multipart/related`.
    pub essence: String,
    /// The parameter `boundary`, if there is one.
    pub boundary: Option<String>,
}

impl ContentType {
    /// Reads a header value (RFC 9110 §8.3.1); `None` if it does not begin with a media type.
    pub fn parse(value: &str) -> Option<Self> {
        let (essence, mut rest) = value.split_once(';').unwrap_or((value, ""));
        let essence = essence.trim().to_ascii_lowercase();
        if !is_media_type(&essence) {
            return None;
        }
        let mut boundary = None;
        while let Some((name, after)) = rest.split_once('=') {
            let value;
            (value, rest) = parameter_value(after.trim_start());
            if name.trim().eq_ignore_ascii_case("boundary") {
                boundary = boundary.or(Some(value));
            }
        }
        Some(Self { essence, boundary })
    }

    /// Returns the boundary of a `multipart/related` body.
    ///
    /// # Errors
    /// `MO-4005` if there is none, or it is not 1 to 70 of the characters that RFC 2046 §5.1.1 allows.
    pub fn related_boundary(&self) -> Result<&str> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
        self.boundary
            .as_deref()
            .filter(|text| (1..=70).contains(&text.len()) && text.bytes().all(allowed) && !text.ends_with(' '))
            .ok_or_else(|| {
                Problem::new(&codes::landing::MULTIPART_MALFORMED, "the Content-Type names no usable boundary")
            })
    }
}

/// Reads a token or quoted string, and returns it with what follows the next semicolon.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, quoted[at + 1..].split_once(';').map_or("", |(_, rest)| rest)),
            _ => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_boundary_however_it_is_written() {
        for value in [
            "multipart/related; boundary=1581c5eb-05d0",
            "Multipart/Related;BOUNDARY=\"1581c5eb-05d0\"",
            "multipart/related; type=\"application/json; x=\\\"y\"; boundary=\"1581c5eb\\-05d0\" ; start=a",
            "multipart/related ; boundary=1581c5eb-05d0 ; type=application/json",
        ] {
            let parsed = ContentType::parse(value).unwrap();
            assert_eq!(
                (parsed.essence.as_str(), parsed.related_boundary().ok()),
                ("multipart/related", Some("1581c5eb-05d0")),
                "{value}"
            );
        }
        let long = format!("multipart/related; boundary={}", "b".repeat(71));
        for value in
            ["multipart/related", "multipart/related; boundary=", "multipart/related; boundary=\"a\u{e4}\"", &long]
        {
            assert!(ContentType::parse(value).unwrap().related_boundary().is_err(), "{value}");
        }
        assert_eq!(ContentType::parse("no media type"), None);
    }

    #[test]
    fn a_hostile_media_type_cannot_add_headers() {
        let frame = Frame::new("ab\r\n12");
        let head = frame.head("{}", "image/png\r\nX-Evil: 1", Some(3));
        assert!(!head.contains("Evil") && head.contains("application/octet-stream"));
        assert!(head.starts_with("--moveout-ab12\r\n"));
    }
}
