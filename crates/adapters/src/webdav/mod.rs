//! A WebDAV server (RFC 4918) with files of many people: `webdav+https://user@host/path/`, its password in `secrets`.

mod erase;
mod multistatus;

use model::{Problem, Result, codes};
use net::{Method, RequestBuilder};
use url::Url;

use crate::files::{answered, away, unreadable};
use crate::open::{Context, Described, Token};
use crate::spec::Spec;
use crate::verbs::Capabilities;
use multistatus::{Entry, multistatus};

/// How long the listing of one folder may be, in bytes: some hundred thousand files.
const MAX_LISTING: usize = 64 << 20;
/// What is asked of each file.
const ASKED: &str =
    r#"<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>"#;

/// A server, from one of its folders on.
pub struct WebDav {
    root: Url,
    user: Option<(String, Option<Token>)>,
    net: net::Client,
}

impl WebDav {
    /// Reads the address; nothing is connected to.
    ///
    /// The password stands in the address, or is the secret `password`.
    ///
    /// # Errors
    /// `MO-3013` if it is no address of a folder.
    pub fn new(spec: &Spec, context: &Context) -> Result<Self> {
        let malformed =
            || Problem::new(&codes::transfer::SPEC_MALFORMED, "write it like webdav+https://user@host/path/");
        let mut root = Url::parse(&spec.target).map_err(|_| malformed())?;
        if !matches!(root.scheme(), "http" | "https") || root.query().is_some() || root.fragment().is_some() {
            return Err(malformed());
        }
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let name = Some(root.username()).filter(|name| !name.is_empty()).map(decoded);
        let password =
            root.password().map(|text| Token::new(decoded(text))).or(context.secrets.get("password").cloned());
        root.set_username("").and_then(|()| root.set_password(None)).map_err(|()| malformed())?;
        if !root.path().ends_with('/') {
            root.set_path(&format!("{}/", root.path()));
        }
        Ok(Self { root, user: name.map(|name| (name, password)), net: context.net.clone() })
    }

    /// Returns the address of what lies at the end of these steps.
    fn url(&self, steps: &[String], is_folder: bool) -> Result<Url> {
        let mut url = self.root.clone();
        {
            let mut path = url.path_segments_mut().map_err(|()| unreadable("the address has no path"))?;
            path.pop_if_empty().extend(steps);
            if is_folder {
                path.push("");
            }
        }
        Ok(url)
    }

    fn request(&self, method: &'static str, url: &Url) -> Result<RequestBuilder> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| unreadable("no method of HTTP"))?;
        let request = self.net.request(method, url)?;
        Ok(match &self.user {
            Some((name, password)) => request.basic_auth(name, password.as_ref().map(Token::expose)),
            None => request,
        })
    }

    /// Asks what lies at an address: itself only, or the entries of a folder too. `None` if there is nothing.
    async fn look(&self, url: &Url, entries: bool) -> Result<Option<Vec<Entry>>> {
        let request = self
            .request("PROPFIND", url)?
            .header("depth", if entries { "1" } else { "0" })
            .header("content-type", "application/xml; charset=utf-8")
            .body(ASKED);
        let response = net::send(request).await.map_err(|problem| away(&problem))?;
        match response.status().as_u16() {
            207 => {
                let body = net::read_limited(response, MAX_LISTING).await.map_err(|problem| {
                    if problem.is(&codes::net::RESPONSE_TOO_LARGE) {
                        return unreadable("a folder has more entries than we read at once");
                    }
                    away(&problem)
                })?;
                multistatus(&body, url).map(Some)
            }
            404 | 410 => Ok(None),
            status => Err(answered(status, "PROPFIND")),
        }
    }
}

/// What this adapter says of itself.
pub(crate) fn described() -> Described {
    Described {
        name: "webdav",
        capabilities: Capabilities { erases: true, ..Capabilities::default() },
        about: "a WebDAV server: erases and re-reads files and folders",
    }
}
