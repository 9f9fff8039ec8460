//! The answer to PROPFIND (RFC 4918 §13): which entries a folder has, and which of them are folders.

use model::Result;
use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use url::Url;

use crate::files::unreadable;
use crate::xml::character;

const DAV: Namespace<'static> = Namespace(b"DAV:");

/// One entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its address.
    pub(super) url: Url,
    /// Whether it is a folder.
    pub(super) is_folder: bool,
    /// Whether it is what was asked about, not one of its entries.
    pub(super) is_asked: bool,
}

/// Reads an answer about `asked`.
///
/// # Errors
/// `MO-2061` if it is no multistatus, or names something that does not lie directly in what was asked about: a server that
/// answers so would have us erase elsewhere.
pub(super) fn multistatus(body: &[u8], asked: &Url) -> Result<Vec<Entry>> {
    let mut reader = NsReader::from_reader(body);
    let (mut entries, mut buffer) = (Vec::new(), Vec::new());
    let (mut href, mut is_folder, mut text) = (None, false, None::<String>);
    let mut seen_multistatus = false;
    loop {
        let (namespace, event) = reader.read_resolved_event_into(&mut buffer).map_err(|_| malformed())?;
        let is_dav = namespace == ResolveResult::Bound(DAV);
        match event {
            Event::Start(element) | Event::Empty(element) if is_dav => match element.local_name().as_ref() {
                b"multistatus" => seen_multistatus = true,
                b"response" => (href, is_folder) = (None, false),
                b"href" if href.is_none() => text = Some(String::new()),
                b"collection" => is_folder = true,
                _ => {}
            },
            Event::Text(piece) => {
                if let Some(text) = &mut text {
                    text.push_str(&piece.decode().map_err(|_| malformed())?);
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(text) = &mut text {
                    text.push(character(&reference).ok_or_else(malformed)?);
                }
            }
            Event::CData(piece) => {
                if let Some(text) = &mut text {
                    text.push_str(&piece.decode().map_err(|_| malformed())?);
                }
            }
            Event::End(element) if is_dav => match element.local_name().as_ref() {
                b"href" => href = text.take().or(href),
                b"response" => entries.push(entry(href.take().ok_or_else(malformed)?.trim(), is_folder, asked)?),
                _ => {}
            },
            Event::Eof if seen_multistatus => return Ok(entries),
            Event::Eof => return Err(malformed()),
            _ => {}
        }
        buffer.clear();
    }
}

fn entry(href: &str, is_folder: bool, asked: &Url) -> Result<Entry> {
    let outside = || unreadable("the server lists something that does not lie where we asked");
    let mut url = asked.join(href).map_err(|_| malformed())?;
    // Behind a proxy, servers call themselves by other names: it is the path that counts.
    url.set_scheme(asked.scheme()).map_err(|()| malformed())?;
    url.set_host(asked.host_str()).map_err(|_| malformed())?;
    url.set_port(asked.port()).map_err(|()| malformed())?;
    url.set_query(None);
    url.set_fragment(None);
    let (own, theirs) = (steps(asked), steps(&url));
    let is_asked = own == theirs;
    let lies_in = theirs.len() == own.len() + 1 && theirs.starts_with(&own);
    if !is_asked && !lies_in {
        return Err(outside());
    }
    Ok(Entry { url, is_folder, is_asked })
}

/// Returns the steps of a path, decoded: servers differ in what they encode.
fn steps(url: &Url) -> Vec<Vec<u8>> {
    let steps = url.path().split('/').filter(|step| !step.is_empty());
    steps.map(|step| percent_encoding::percent_decode_str(step).collect()).collect()
}

fn malformed() -> model::Problem {
    unreadable("the answer to PROPFIND is not well formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(responses: &str) -> Result<Vec<Entry>> {
        let body = format!(r#"<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">{responses}</d:multistatus>"#);
        multistatus(body.as_bytes(), &Url::parse("https://host/dav/a%20b/").unwrap())
    }

    #[test]
    fn what_servers_write_differently_is_read_the_same() {
        let folder = "<d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop></d:propstat>";
        let entries = read(&format!(
            "<d:response><d:href>/dav/a%20b</d:href>{folder}</d:response>
             <d:response><d:href>http://inside:81/dav/a b/x&amp;y.jpg</d:href></d:response>
             <d:response><d:href>/dav/a%20b/z/</d:href>{folder}</d:response>"
        ))
        .unwrap();
        let seen: Vec<_> = entries.iter().map(|one| (one.url.as_str(), one.is_folder, one.is_asked)).collect();
        assert_eq!(
            seen,
            [
                ("https://host/dav/a%20b", true, true),
                ("https://host/dav/a%20b/x&y.jpg", false, false),
                ("https://host/dav/a%20b/z/", true, false),
            ]
        );
    }

    #[test]
    fn what_lies_elsewhere_is_not_believed() {
        for href in ["/dav/", "/dav/c/x.jpg", "/dav/a%20b/../c", "/dav/a%20b/x/y.jpg", "/dav/a%20bc"] {
            let problem = read(&format!("<d:response><d:href>{href}</d:href></d:response>")).unwrap_err();
            assert!(problem.detail.contains("does not lie"), "{href}: {problem}");
        }
        for broken in ["<d:response></d:response>", "<d:response>", "<d:response><d:href>&x;</d:href></d:response>"] {
            assert!(read(broken).is_err(), "{broken}");
        }
        assert!(multistatus(b"<html/>", &Url::parse("https://host/").unwrap()).is_err());
    }
}
