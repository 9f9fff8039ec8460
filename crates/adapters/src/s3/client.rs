//! The few requests that erasing needs, signed (AWS Signature Version 4).

use model::{Problem, Result, codes};
use net::{Method, Response};
use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpRequest, HttpRequestBody};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::S3;
use super::listing::{Listing, Page};
use crate::files::{answered, away, refused, unreadable};

/// How long one page of a listing may be, in bytes: a thousand keys of a kilobyte each, encoded.
const MAX_PAGE: usize = 8 << 20;
/// How long what a server says of an error may be.
const MAX_ERROR: usize = 64 << 10;
/// What a key's characters are written as in a path (AWS: "UriEncode", without the slash).
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// The same in a query.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl S3 {
    /// Returns one page of a listing; `None` if the server does not know this kind of listing.
    pub(super) async fn page(
        &self,
        listing: Listing,
        prefix: &str,
        after: &[(String, String)],
    ) -> Result<Option<Page>> {
        let mut query = listing.query(prefix);
        query.extend(after.iter().cloned());
        let response = self.send(Method::GET, "", &query).await?;
        match response.status().as_u16() {
            200 => {
                let body = net::read_limited(response, MAX_PAGE).await.map_err(|problem| {
                    if problem.is(&codes::net::RESPONSE_TOO_LARGE) {
                        return unreadable("the server's listing is larger than we take");
                    }
                    away(&problem)
                })?;
                listing.read(&body).map(Some)
            }
            // Many servers keep no versions, or do not list uploads, and say so.
            501 if listing != Listing::Objects => Ok(None),
            _ => Err(failed(response, listing.name()).await),
        }
    }

    /// Removes an object, one version of it, or an upload, as the query says.
    pub(super) async fn remove(&self, key: &str, query: &[(String, String)]) -> Result<()> {
        let response = self.send(Method::DELETE, key, query).await?;
        match response.status().as_u16() {
            200 | 204 | 404 => Ok(()),
            _ => Err(failed(response, "DeleteObject").await),
        }
    }

    async fn send(&self, method: Method, key: &str, query: &[(String, String)]) -> Result<Response> {
        let url = self.url(key, query)?;
        let mut signed = HttpRequest::new(HttpRequestBody::empty());
        *signed.method_mut() = method.clone();
        *signed.uri_mut() = url.as_str().parse().map_err(|_| unreadable("a key cannot be addressed"))?;
        AwsAuthorizer::new(&self.credential, "s3", &self.region)
            .try_authorize(&mut signed, None)
            .map_err(|_| unreadable("the request cannot be signed"))?;
        let request = self.net.request(method, &url)?.headers(signed.headers().clone());
        net::send(request).await.map_err(|problem| away(&problem))
    }

    fn url(&self, key: &str, query: &[(String, String)]) -> Result<Url> {
        let mut url = self.bucket.clone();
        let path = format!("{}{}", url.path(), utf8_percent_encode(key, IN_PATH));
        url.set_path(&path);
        if url.path() != path {
            // URLs fold '..' away, and we would remove somebody else's object.
            return Err(unreadable("a key has a step like '..', which no address can hold; remove it by hand"));
        }
        let pair = |(name, value): &(String, String)| {
            format!("{}={}", utf8_percent_encode(name, IN_QUERY), utf8_percent_encode(value, IN_QUERY))
        };
        let query: Vec<_> = query.iter().map(pair).collect();
        url.set_query(Some(&query.join("&")).filter(|query| !query.is_empty()).map(String::as_str));
        Ok(url)
    }
}

/// Maps an answer that is no success. Of what the server says only its code is repeated: the rest may hold keys.
async fn failed(response: Response, what: &str) -> Problem {
    let status = response.status().as_u16();
    let body = net::read_limited(response, MAX_ERROR).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let code = code.filter(|code| code.len() < 80 && code.chars().all(|c| c.is_ascii_alphanumeric()));
    match (status, code) {
        (301 | 307 | 400, Some("PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed")) => {
            unreadable("the bucket is in another region; say which with ?region=")
        }
        (404, Some("NoSuchBucket")) => unreadable("there is no such bucket"),
        (403, Some(code)) => refused(format!("{what} was answered with {code}")),
        _ => answered(status, what),
    }
}
