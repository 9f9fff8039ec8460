//! The settings under `blobs`: where large bodies lie.

use model::Result;
use store::BucketConfig;
use store::blobs::Credentials;
use url::Url;
use zeroize::Zeroizing;

use super::invalid;
use super::sources::Values;

/// Reads `blobs.url` and what belongs to it; without it large bodies lie in the data folder.
pub(super) fn bucket(values: &Values) -> Result<Option<BucketConfig>> {
    let Some(url) = values.get("blobs.url") else {
        return match values.first_of("blobs.") {
            Some(name) => Err(invalid(format!("{name} says nothing without blobs.url"))),
            None => Ok(None),
        };
    };
    let malformed =
        || invalid(format!("blobs.url ({}) is not of the form s3://BUCKET/PREFIX", values.origin("blobs.url")));
    let parsed = Url::parse(url).map_err(|_| malformed())?;
    let plain = parsed.username().is_empty() && parsed.password().is_none() && parsed.port().is_none();
    let bucket = parsed.host_str().filter(|host| parsed.scheme() == "s3" && plain && !host.is_empty());
    let bucket = bucket.filter(|_| parsed.query().is_none() && parsed.fragment().is_none()).ok_or_else(malformed)?;
    let endpoint = values.get("blobs.endpoint").map(str::to_owned);
    if endpoint.as_ref().is_some_and(|endpoint| {
        !Url::parse(endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    }) {
        return Err(invalid("blobs.endpoint is an absolute URL like https://minio.example.org:9000"));
    }
    let path_style = match values.get("blobs.path_style") {
        Some("true") => true,
        Some("false") => false,
        // Servers of one's own rarely have a host name for each bucket.
        None => endpoint.is_some(),
        Some(_) => return Err(invalid("blobs.path_style is \"true\" or \"false\"")),
    };
    Ok(Some(BucketConfig {
        bucket: bucket.to_owned(),
        prefix: parsed.path().trim_matches('/').to_owned(),
        endpoint,
        region: values.get("blobs.region").map(str::to_owned),
        path_style,
        credentials: credentials(values)?,
    }))
}

fn credentials(values: &Values) -> Result<Option<Credentials>> {
    let token = values.get("blobs.session_token").map(|token| Zeroizing::new(token.to_owned()));
    match (values.get("blobs.access_key_id"), values.get("blobs.secret_access_key")) {
        (None, None) if token.is_none() => Ok(None),
        (Some(key), Some(secret)) => {
            Ok(Some(Credentials { key: key.to_owned(), secret: Zeroizing::new(secret.to_owned()), token }))
        }
        _ => Err(invalid("blobs.access_key_id and blobs.secret_access_key are given together or not at all")),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Environment, Flags, load};

    fn bucket(variables: &[(&str, &str)]) -> Result<Option<store::BucketConfig>, String> {
        let mut all = [("MOVEOUT_UNUSED", "x"); 4];
        all[..variables.len()].copy_from_slice(variables);
        load(&Flags::default(), &Environment::from(all)).map(|config| config.bucket).map_err(|problem| problem.detail)
    }

    #[test]
    fn a_bucket_is_taken_as_it_is_written() {
        assert!(bucket(&[]).unwrap().is_none());
        let aws = bucket(&[("MOVEOUT_BLOBS_URL", "s3://photos/of/people/")]).unwrap().unwrap();
        assert_eq!((aws.bucket.as_str(), aws.prefix.as_str()), ("photos", "of/people"));
        assert!(!aws.path_style && aws.credentials.is_none());
        let own = bucket(&[("MOVEOUT_BLOBS_URL", "s3://photos"), ("MOVEOUT_BLOBS_ENDPOINT", "http://10.0.0.1:9000")]);
        assert!(own.unwrap().unwrap().path_style);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let s3 = ("MOVEOUT_BLOBS_URL", "s3://photos");
        for (variables, named) in [
            (vec![("MOVEOUT_BLOBS_URL", "https://photos")], "s3://BUCKET/PREFIX"),
            (vec![("MOVEOUT_BLOBS_URL", "s3://key:secret@photos")], "s3://BUCKET/PREFIX"),
            (vec![("MOVEOUT_BLOBS_REGION", "eu-central-1")], "without blobs.url"),
            (vec![s3, ("MOVEOUT_BLOBS_ENDPOINT", "minio:9000")], "blobs.endpoint"),
            (vec![s3, ("MOVEOUT_BLOBS_PATH_STYLE", "yes")], "blobs.path_style"),
            (vec![s3, ("MOVEOUT_BLOBS_ACCESS_KEY_ID", "key")], "together"),
        ] {
            let detail = bucket(&variables).unwrap_err();
            assert!(detail.contains(named) && !detail.contains("secret@"), "{detail}");
        }
    }
}
