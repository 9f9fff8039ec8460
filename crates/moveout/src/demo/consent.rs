//! The OAuth 2 walk: authorization code with PKCE (RFC 6749 §4.1, RFC 7636), over HTTP, with the forms that a person sees.

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;
use model::Ambient;
use net::StatusCode;
use serde::Deserialize;
use url::Url;

use super::browser::Browser;

/// The client that moves data in.
pub const CLIENT: &str = "moving-van";

/// Where the client is called back; nothing answers there, the code is read from the address.
pub const REDIRECT: &str = "https://moving-van.example/callback";

/// What it asks for.
pub const SCOPES: &str = "media:write social-posts:write";

/// A person who can sign in.
pub struct Person<'a> {
    /// The name of the account.
    pub name: &'a str,
    /// Its password.
    pub password: &'a str,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

/// Signs in, allows what is asked, and exchanges the code. Returns the access token.
///
/// # Errors
/// What did not go as the RFCs say.
pub async fn obtain_token(mut browser: Browser, person: &Person<'_>, ambient: &Ambient) -> Result<String> {
    let verifier = BASE64URL_NOPAD.encode(&ambient.random::<32>());
    let state = BASE64URL_NOPAD.encode(&ambient.random::<16>());
    let challenge = BASE64URL_NOPAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([("response_type", "code"), ("client_id", CLIENT), ("redirect_uri", REDIRECT)]);
    query.extend_pairs([("scope", SCOPES), ("state", state.as_str())]);
    query.extend_pairs([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);

    let login = browser.get(&format!("/oauth/authorize?{}", query.finish())).await?;
    let form = login.form("/login")?.with("name", person.name).with("password", person.password);
    let signed_in = browser.submit(&form).await?;
    let consent = browser.get(signed_in.redirect().context("signing in did not succeed")?).await?;
    let answer = browser.submit(&consent.form("/oauth/authorize")?.with("answer", "allow")).await?;

    let back = Url::parse(answer.redirect().context("consent was not taken")?)?;
    let parameter = |name: &str| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    ensure!(parameter("state").as_deref() == Some(state.as_str()), "the state that came back is another");
    let code = parameter("code").context("no code came back")?;
    let exchange = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("client_id", CLIENT),
        ("code_verifier", verifier.as_str()),
    ];
    let fields = exchange.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let granted = browser.post("/oauth/token", &fields).await?;
    ensure!(granted.status == StatusCode::OK, "the code was not exchanged: {}", granted.status);
    let granted: Granted = serde_json::from_str(&granted.text).context("the token endpoint's answer is no token")?;
    Ok(granted.access_token)
}
