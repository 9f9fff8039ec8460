//! A server in memory, a browser that really fills its forms, and a client that calls its endpoints.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use data_encoding::BASE64URL_NOPAD;
use engine::connections::{self, Role};
use engine::{Engine, Settings};
use http::{HeaderMap, Request, StatusCode, header};
use model::world::World;
use serde_json::{Value, json};
use store::{Keys, Store};
use testkit::ambient::ManualClock;
use tower::ServiceExt;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

pub const PASSWORD: &str = "correct horse battery";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const CALLBACK: &str = "https://app.example/cb";

/// A server with three clients (`web` is confidential, `worker` is excused from PKCE, `native` is public) and an account `zoe`.
pub struct Site {
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
    router: Router,
    cookies: Mutex<BTreeMap<String, String>>,
    _folder: tempfile::TempDir,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    pub fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where it leads, as the parameters of the redirect.
    pub fn redirect(&self) -> (String, BTreeMap<String, String>) {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        let mut url = Url::parse(self.header(header::LOCATION)).unwrap();
        let pairs = url.query_pairs().into_owned().collect();
        url.set_query(None);
        (url.into(), pairs)
    }
}

impl Site {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ambient, clock) = testkit::ambient::ambient();
        let store = Store::open_sqlite(folder.path(), Keys::generate(&ambient), ambient.clone()).await.unwrap();
        let settings = Settings { public_url: "https://moveout.example".to_owned(), data: folder.path().to_owned() };
        let engine = Engine::new(store, ambient, net::Client::new(net::Policy::operator()), settings);
        let scopes = json!(["media:write", "social-posts:write"]);
        let world: World = serde_json::from_value(json!({"client": [
            {"id": "web", "name": "Example & Web", "secret": "s:cret+web", "redirect_uris": [CALLBACK, "https://app.example/other"], "scopes": scopes},
            {"id": "worker", "secret": "worker-secret", "redirect_uris": ["https://dtp.example/cb"], "scopes": scopes, "pkce": "off"},
            {"id": "native", "redirect_uris": ["http://127.0.0.1/cb"], "scopes": scopes},
        ]}))
        .unwrap();
        engine::world::apply(&engine, world, &|secret| Ok(secret.0.clone())).await.unwrap();
        connections::add_account(&engine, "zoe", Role::Person, PASSWORD).await.unwrap();
        let router = server::router(server::App::new(engine.clone()));
        Self { engine, clock, router, cookies: Mutex::default(), _folder: folder }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.into()).unwrap() }
    }

    /// Visits a page with the browser's cookies.
    pub async fn visit(&self, path: &str) -> Answer {
        self.browse(Request::get(path), Body::empty()).await
    }

    /// Fills the form that has this button: keeps what it holds, sets what is given, and presses the button.
    pub async fn press(&self, page: &Answer, button: &str, filled: &[(&str, &str)]) -> Answer {
        let form = Form::with_button(&page.text, button);
        let mut fields = form.fields;
        for (name, value) in filled {
            fields.retain(|(found, _)| found != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(form.action).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.browse(request, body.into()).await
    }

    async fn browse(&self, request: http::request::Builder, body: Body) -> Answer {
        let line: Vec<_> = self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header(header::ACCEPT, "text/html").header(header::COOKIE, line.join("; "));
        let answer = self.send(request.body(body).unwrap()).await;
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            assert!(
                line.contains("; Secure") && line.contains("; HttpOnly") && line.contains("; SameSite=Lax"),
                "{line}"
            );
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// Forgets the cookies: another browser.
    pub fn new_browser(&self) {
        self.cookies.lock().unwrap().clear();
    }

    /// Walks an authorization: signs in if asked, allows; returns the parameters that the client gets back.
    pub async fn walk(&self, client: &str, changes: &[(&str, Option<&str>)]) -> BTreeMap<String, String> {
        let mut page = self.visit(&authorize(client, changes)).await;
        if page.text.contains("<h1>Sign in</h1>") {
            let signed_in = self.press(&page, "Sign in", &[("name", "zoe"), ("password", PASSWORD)]).await;
            assert_eq!(signed_in.status, StatusCode::SEE_OTHER, "{}", signed_in.text);
            page = self.visit(signed_in.header(header::LOCATION)).await;
        }
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        self.press(&page, "Allow", &[("answer", "allow")]).await.redirect().1
    }

    /// Walks an authorization and redeems its code.
    pub async fn tokens(&self, client: &str) -> Value {
        let code = self.walk(client, &[]).await.remove("code").unwrap();
        let answer = self.redeem(client, &code, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    pub async fn redeem(&self, client: &str, code: &str, changes: &[(&str, Option<&str>)]) -> Answer {
        let redirect = redirect_of(client);
        let mut form = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect)];
        if client != "worker" {
            form.push(("code_verifier", VERIFIER));
        }
        self.call(client, "/oauth/token", &changed(form, changes)).await
    }

    pub async fn refresh(&self, client: &str, token: &Value, scope: Option<&str>) -> Answer {
        let form = vec![("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap())];
        self.call(client, "/oauth/token", &changed(form, &[("scope", scope)])).await
    }

    /// Tells whether an access token still opens the landing.
    pub async fn opens(&self, token: &Value) -> bool {
        connections::authorize_bearer(&self.engine, token.as_str().unwrap(), "media:write").await.is_ok()
    }

    /// Calls an endpoint as a client that authenticates in its way.
    pub async fn call(&self, client: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let (id, secret) = match client {
            "web" => (None, None),
            "worker" => (Some("worker"), Some("worker-secret")),
            other => (Some(other), None),
        };
        let own = [("client_id", id), ("client_secret", secret)];
        let fields = form.iter().copied().chain(own.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if client == "web" {
            let pair = format!("web:{}", byte_serialize(b"s:cret+web").collect::<String>());
            request = request
                .header(header::AUTHORIZATION, format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes())));
        }
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(request.body(body.into()).unwrap()).await
    }
}

fn redirect_of(client: &str) -> &'static str {
    match client {
        "web" => CALLBACK,
        "worker" => "https://dtp.example/cb",
        _ => "http://127.0.0.1:49152/cb",
    }
}

/// The address of an authorization request, with parameters changed or (`None`) left out.
pub fn authorize(client: &str, changes: &[(&str, Option<&str>)]) -> String {
    let mut form = vec![
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", redirect_of(client)),
        ("scope", "media:write social-posts:write"),
        ("state", "a&b=c"),
    ];
    if client != "worker" {
        form.extend([("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]);
    }
    format!("/oauth/authorize?{}", Serializer::new(String::new()).extend_pairs(changed(form, changes)).finish())
}

fn changed<'a>(mut form: Vec<(&'a str, &'a str)>, changes: &[(&'a str, Option<&'a str>)]) -> Vec<(&'a str, &'a str)> {
    for (name, value) in changes {
        form.retain(|(found, _)| found != name);
        form.extend(value.map(|value| (*name, value)));
    }
    form
}

/// A challenge that does not belong to [`VERIFIER`].
pub fn other_challenge() -> String {
    BASE64URL_NOPAD.encode(&[7; 32])
}

/// A form of a page.
struct Form {
    action: String,
    fields: Vec<(String, String)>,
}

impl Form {
    fn with_button(html: &str, button: &str) -> Self {
        let form = html
            .split("<form")
            .skip(1)
            .map(|rest| rest.split("</form>").next().unwrap())
            .find(|form| form.split("<button").skip(1).any(|rest| rest.split('>').nth(1).unwrap().starts_with(button)))
            .unwrap_or_else(|| panic!("no button {button} in {html}"));
        let fields = form.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap());
        let fields = fields.filter(|tag| !tag.contains("type=\"checkbox\"") || tag.contains(" checked"));
        Self {
            action: attribute(form.split('>').next().unwrap(), "action").unwrap(),
            fields: fields
                .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())))
                .collect(),
        }
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
    Some(value.replace("&#34;", "\"").replace("&#38;", "&").replace("&quot;", "\"").replace("&amp;", "&"))
}
