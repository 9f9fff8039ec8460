//! A bucket with objects of many people, in anything that speaks S3: `s3://bucket/prefix`, with the secrets `access_key_id`
//! and `secret_access_key` (and `session_token`). `?endpoint=https://host:9000` names a server of one's own, `&region=…` a region.
//!
//! Erased means: every version, every delete marker and every unfinished upload of the person's keys, where the server has them.

mod client;
mod erase;
mod listing;

use model::{Problem, Result, codes};
use object_store::aws::AwsCredential;
use url::Url;

use crate::open::{Context, Described, Token};
use crate::spec::Spec;
use crate::verbs::Capabilities;

/// A bucket without a region of its own is said to be here.
const REGION: &str = "us-east-1";

/// A bucket, from one prefix on.
pub struct S3 {
    /// The address of the bucket, with `/` at its end.
    bucket: Url,
    region: String,
    /// What every key begins with; empty, or with `/` at its end.
    prefix: String,
    credential: AwsCredential,
    net: net::Client,
}

impl S3 {
    /// Reads the address; nothing is connected to.
    ///
    /// # Errors
    /// `MO-3013` if it is no address of a bucket, or the access key is missing.
    pub fn new(spec: &Spec, context: &Context) -> Result<Self> {
        let malformed = |detail: &str| Problem::new(&codes::transfer::SPEC_MALFORMED, detail);
        let form = "write it like s3://bucket/prefix?region=eu-central-1 or s3://bucket?endpoint=https://host:9000";
        let parsed = Url::parse(&spec.target).map_err(|_| malformed(form))?;
        let name = parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(|| malformed(form))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(malformed("the access key stands in the secrets access_key_id and secret_access_key"));
        }
        let (mut endpoint, mut region) = (None, REGION.to_owned());
        for (key, value) in parsed.query_pairs() {
            match key.as_ref() {
                "endpoint" => endpoint = Some(Url::parse(&value).map_err(|_| malformed(form))?),
                "region" => region = value.into_owned(),
                _ => return Err(malformed(form)),
            }
        }
        let prefix = percent_encoding::percent_decode_str(parsed.path().trim_matches('/'));
        let prefix = prefix.decode_utf8().map_err(|_| malformed(form))?;
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let bucket = bucket_url(name, endpoint, &region).ok_or_else(|| malformed(form))?;
        let secret = |name: &str| context.secrets.get(name).map(Token::expose);
        let (Some(key_id), Some(secret_key)) = (secret("access_key_id"), secret("secret_access_key")) else {
            return Err(malformed("the secrets access_key_id and secret_access_key are needed"));
        };
        let credential = AwsCredential {
            key_id: key_id.to_owned(),
            secret_key: secret_key.to_owned(),
            token: secret("session_token").map(str::to_owned),
        };
        Ok(Self { bucket, region, prefix, credential, net: context.net.clone() })
    }
}

/// Returns the address of a bucket: on a server of one's own, and where its name has dots, the name stands in the path.
fn bucket_url(name: &str, endpoint: Option<Url>, region: &str) -> Option<Url> {
    let aws = format!("s3.{region}.amazonaws.com");
    let base = match endpoint {
        Some(endpoint) => endpoint,
        None if name.contains('.') => Url::parse(&format!("https://{aws}")).ok()?,
        None => return Url::parse(&format!("https://{name}.{aws}/")).ok(),
    };
    let path = format!("{}/{name}/", base.path().trim_end_matches('/'));
    let mut url = base;
    url.set_path(&path);
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// What this adapter says of itself.
pub(crate) fn described() -> Described {
    Described {
        name: "s3",
        capabilities: Capabilities { erases: true, ..Capabilities::default() },
        about: "a bucket (S3): erases and re-reads objects with all their versions and unfinished uploads",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_found_where_it_is() {
        let url = |name: &str, endpoint: Option<&str>| {
            bucket_url(name, endpoint.map(|text| Url::parse(text).unwrap()), "eu-central-1").unwrap().to_string()
        };
        assert_eq!(url("photos", None), "https://photos.s3.eu-central-1.amazonaws.com/");
        assert_eq!(url("my.photos", None), "https://s3.eu-central-1.amazonaws.com/my.photos/");
        assert_eq!(url("photos", Some("http://10.0.0.1:9000")), "http://10.0.0.1:9000/photos/");
        assert_eq!(url("photos", Some("https://host/s3/")), "https://host/s3/photos/");
    }
}
