//! What a bucket holds below a prefix: objects, their versions, and uploads that nobody finished.

use model::Result;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::files::unreadable;
use crate::xml::character;

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    /// ListObjectVersions: every version and delete marker.
    Versions,
    /// ListObjectsV2, for servers that keep no versions.
    Objects,
    /// ListMultipartUploads.
    Uploads,
}

/// One thing of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Which version, if the server has them.
    version: Option<String>,
    /// Which upload, if it is one.
    upload: Option<String>,
}

impl Entry {
    /// Returns the query of the request that removes exactly this.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        let named = |name: &str, value: &Option<String>| value.clone().map(|value| (name.to_owned(), value));
        named("versionId", &self.version).into_iter().chain(named("uploadId", &self.upload)).collect()
    }
}

/// One page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    /// What to ask with for the next page; none at the end.
    pub(super) next: Option<Vec<(String, String)>>,
}

impl Listing {
    /// Returns what S3 calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Versions => "ListObjectVersions",
            Self::Objects => "ListObjectsV2",
            Self::Uploads => "ListMultipartUploads",
        }
    }

    /// Returns what is asked with.
    pub(super) fn query(self, prefix: &str) -> Vec<(String, String)> {
        let kind = match self {
            Self::Versions => ("versions", ""),
            Self::Objects => ("list-type", "2"),
            Self::Uploads => ("uploads", ""),
        };
        // Not `encoding-type=url`: there are servers that say they encode keys and do not, and the wrong key would be removed.
        // A key that XML cannot hold makes the listing unreadable instead.
        [kind, ("prefix", prefix)].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// The elements that name where the next page begins, and the parameters that they become.
    fn markers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Versions => &[("NextKeyMarker", "key-marker"), ("NextVersionIdMarker", "version-id-marker")],
            Self::Objects => &[("NextContinuationToken", "continuation-token")],
            Self::Uploads => &[("NextKeyMarker", "key-marker"), ("NextUploadIdMarker", "upload-id-marker")],
        }
    }

    /// Reads one page.
    ///
    /// # Errors
    /// `MO-2061` if it is not well formed, or ends without saying how to go on.
    pub(super) fn read(self, body: &[u8]) -> Result<Page> {
        let mut reader = Reader::from_reader(body);
        let (mut buffer, mut path, mut text) = (Vec::new(), Vec::<String>::new(), String::new());
        let mut seen = Seen::default();
        loop {
            match reader.read_event_into(&mut buffer).map_err(|_| malformed())? {
                Event::Start(element) => {
                    path.push(String::from_utf8_lossy(element.local_name().as_ref()).into_owned());
                    text.clear();
                    if path.len() == 2 && matches!(path[1].as_str(), "Version" | "DeleteMarker" | "Contents" | "Upload")
                    {
                        seen.entries.push(Entry::default());
                    }
                }
                Event::Text(piece) => text.push_str(&piece.decode().map_err(|_| malformed())?),
                Event::GeneralRef(reference) => text.push(character(&reference).ok_or_else(malformed)?),
                Event::End(_) => {
                    seen.element(&path, &text);
                    path.pop();
                    text.clear();
                }
                Event::Eof => break,
                _ => {}
            }
            buffer.clear();
        }
        if !path.is_empty() || !seen.is_listing {
            return Err(malformed());
        }
        seen.page(self)
    }
}

/// What was read of a page so far.
#[derive(Default)]
struct Seen {
    is_listing: bool,
    is_truncated: bool,
    entries: Vec<Entry>,
    markers: Vec<(String, String)>,
}

impl Seen {
    /// Takes the text of an element that has ended.
    fn element(&mut self, path: &[String], text: &str) {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        match names.as_slice() {
            [root] => self.is_listing |= root.starts_with("List"),
            [_, "IsTruncated"] => self.is_truncated = text == "true",
            [_, marker] if marker.starts_with("Next") && !text.is_empty() => {
                self.markers.push(((*marker).to_owned(), text.to_owned()));
            }
            [_, "Version" | "DeleteMarker" | "Contents" | "Upload", member] => {
                let Some(entry) = self.entries.last_mut() else { return };
                match *member {
                    "Key" => text.clone_into(&mut entry.key),
                    "VersionId" => entry.version = Some(text.to_owned()),
                    "UploadId" => entry.upload = Some(text.to_owned()),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn page(self, listing: Listing) -> Result<Page> {
        if self.entries.iter().any(|entry| entry.key.is_empty()) {
            return Err(malformed());
        }
        let mut next = Vec::new();
        for (element, parameter) in listing.markers() {
            if let Some((_, value)) = self.markers.iter().find(|(name, _)| name == element) {
                next.push(((*parameter).to_owned(), value.clone()));
            }
        }
        if self.is_truncated && next.is_empty() {
            return Err(unreadable("the server's listing ends in the middle and does not say how to go on"));
        }
        Ok(Page { entries: self.entries, next: self.is_truncated.then_some(next) })
    }
}

fn malformed() -> model::Problem {
    unreadable("the server's listing is not well formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_markers_are_read() {
        let page = Listing::Versions
            .read(
                r#"<?xml version="1.0"?><ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
                <Prefix>a/</Prefix><IsTruncated>true</IsTruncated>
                <NextKeyMarker>a/x&amp;y z</NextKeyMarker><NextVersionIdMarker>v2+</NextVersionIdMarker>
                <Version><Key>a/x&#38;y z</Key><VersionId>v1</VersionId><Owner><ID>Key</ID></Owner></Version>
                <DeleteMarker><Key>a/é</Key><VersionId>null</VersionId></DeleteMarker></ListVersionsResult>"#
                    .as_bytes(),
            )
            .unwrap();
        let keys: Vec<_> = page.entries.iter().map(|entry| (entry.key.as_str(), entry.version.as_deref())).collect();
        assert_eq!(keys, [("a/x&y z", Some("v1")), ("a/é", Some("null"))]);
        let next = [("key-marker", "a/x&y z"), ("version-id-marker", "v2+")];
        assert_eq!(page.next.unwrap(), next.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_plain_listing_is_taken_as_it_stands() {
        let page = Listing::Objects
            .read(b"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a&amp;b+c%20</Key></Contents></ListBucketResult>")
            .unwrap();
        assert_eq!((page.entries[0].key.as_str(), page.next), ("a&b+c%20", None));
        for broken in
            ["", "<html></html>", "<ListBucketResult>", "<ListBucketResult><Contents></Contents></ListBucketResult>"]
        {
            assert!(Listing::Objects.read(broken.as_bytes()).is_err(), "{broken}");
        }
        let cut = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
        assert!(Listing::Objects.read(cut.as_bytes()).is_err(), "a part of a listing is not taken for all of it");
    }
}
