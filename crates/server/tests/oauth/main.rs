//! The authorization server against its requirements: a test a clause, in what is granted and in what is refused.

mod site;

use http::{Request, StatusCode, header};
use jiff::SignedDuration;
use serde_json::json;
use site::{CALLBACK, PASSWORD, Site, VERIFIER, authorize, other_challenge};

/// RFC 6749 §4.1, RFC 7636 §4, RFC 9207 §2: the whole walk, for each kind of client.
#[tokio::test]
async fn a_code_is_granted_by_a_person_and_redeemed_by_its_client() {
    let site = Site::open().await;
    for client in ["web", "worker", "native"] {
        let back = site.walk(client, &[]).await;
        assert_eq!((back["state"].as_str(), back["iss"].as_str()), ("a&b=c", "https://moveout.example"));
        let answer = site.redeem(client, &back["code"], &[]).await;
        assert_eq!(
            (answer.status, answer.header(header::CACHE_CONTROL)),
            (StatusCode::OK, "no-store"),
            "{}",
            answer.text
        );
        let tokens = answer.json();
        assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
        assert_eq!(tokens["scope"], "media:write social-posts:write");
        assert!(site.opens(&tokens["access_token"]).await);
        assert!(!site.opens(&tokens["refresh_token"]).await, "a refresh token opens nothing");
        site.clock.advance(SignedDuration::from_hours(1));
        assert!(!site.opens(&tokens["access_token"]).await, "an access token ends after an hour");
    }
}

/// RFC 6749 §4.1.2.1, RFC 9700 §4.1.3: an unknown client or redirect URI is shown to the person and never redirected to.
#[tokio::test]
async fn nobody_is_redirected_to_an_address_that_is_not_registered() {
    let site = Site::open().await;
    let table: &[(&str, &[(&str, Option<&str>)], &str)] = &[
        ("web", &[("client_id", Some("nobody"))], "MO-4022"),
        ("web", &[("client_id", None)], "MO-4021"),
        ("web", &[("redirect_uri", Some("https://evil.example/cb"))], "MO-4012"),
        ("web", &[("redirect_uri", Some("https://app.example/cb/"))], "MO-4012"),
        ("web", &[("redirect_uri", Some("https://app.example:443/cb"))], "MO-4012"),
        ("web", &[("redirect_uri", None)], "MO-4012"),
        ("native", &[("redirect_uri", Some("http://127.0.0.1:9/other"))], "MO-4012"),
    ];
    for (client, changes, code) in table {
        let page = site.visit(&authorize(client, changes)).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{changes:?}");
        assert!(page.text.contains(code) && page.header(header::LOCATION).is_empty(), "{changes:?}: {}", page.text);
        assert!(page.header(header::CONTENT_TYPE).starts_with("text/html"));
    }
    let twice = format!("{}&redirect_uri=https://evil.example", authorize("web", &[]));
    assert_eq!(site.visit(&twice).await.status, StatusCode::BAD_REQUEST, "RFC 6749 §3.1: no parameter twice");
}

/// RFC 6749 §4.1.2.1, RFC 7636 §4.4.1: what else is wrong is told to the client, with state and issuer.
#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_to_its_client() {
    let site = Site::open().await;
    let table: &[(&str, &[(&str, Option<&str>)], &str)] = &[
        ("web", &[("response_type", Some("token"))], "unsupported_response_type"),
        ("web", &[("response_type", None)], "invalid_request"),
        ("web", &[("scope", Some("media:read"))], "invalid_scope"),
        ("web", &[("scope", Some("media:write \u{e9}"))], "invalid_scope"),
        ("web", &[("code_challenge", None), ("code_challenge_method", None)], "invalid_request"),
        ("web", &[("code_challenge_method", Some("plain"))], "invalid_request"),
        ("web", &[("code_challenge_method", None)], "invalid_request"),
        ("web", &[("code_challenge", Some("short"))], "invalid_request"),
        ("native", &[("code_challenge", None), ("code_challenge_method", None)], "invalid_request"),
        ("worker", &[("code_challenge_method", Some("S256"))], "invalid_request"),
    ];
    for (client, changes, error) in table {
        let (_, back) = site.visit(&authorize(client, changes)).await.redirect();
        assert_eq!(back["error"], *error, "{client} {changes:?}");
        assert_eq!((back["state"].as_str(), back["iss"].as_str()), ("a&b=c", "https://moveout.example"));
        assert!(!back.contains_key("code"));
    }
}

/// RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §4.8.2: a code belongs to its client, redirect URI and challenge.
#[tokio::test]
async fn a_code_is_bound_to_client_redirect_uri_and_challenge() {
    let site = Site::open().await;
    let code = site.walk("web", &[]).await.remove("code").unwrap();
    let table: &[(&str, &[(&str, Option<&str>)], &str)] = &[
        ("web", &[("redirect_uri", Some("https://app.example/other"))], "invalid_grant"),
        ("web", &[("redirect_uri", None)], "invalid_grant"),
        ("web", &[("code_verifier", Some("0123456789012345678901234567890123456789012"))], "invalid_grant"),
        ("web", &[("code_verifier", None)], "invalid_grant"),
        ("web", &[("code_verifier", Some("short"))], "invalid_request"),
        ("worker", &[("redirect_uri", Some(CALLBACK)), ("code_verifier", Some(VERIFIER))], "invalid_grant"),
        ("web", &[("code", Some("unknown"))], "invalid_grant"),
        ("web", &[("code", None)], "invalid_request"),
        ("web", &[("grant_type", Some("password"))], "unsupported_grant_type"),
        ("web", &[("grant_type", Some("client_credentials"))], "unsupported_grant_type"),
        ("web", &[("grant_type", None)], "invalid_request"),
    ];
    for (client, changes, error) in table {
        let answer = site.redeem(client, &code, changes).await;
        assert_eq!((answer.status, &answer.json()["error"]), (StatusCode::BAD_REQUEST, &json!(error)), "{changes:?}");
        assert!(answer.json()["error_description"].is_string());
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/json", "RFC 6749 §5.2");
    }
    assert_eq!(site.redeem("web", &code, &[]).await.status, StatusCode::OK, "the right request still works");

    let other = other_challenge();
    let changes = [("code_challenge", Some(other.as_str()))];
    let code = site.walk("web", &changes).await.remove("code").unwrap();
    assert_eq!(site.redeem("web", &code, &[]).await.json()["error"], "invalid_grant", "another challenge");

    let code = site.walk("worker", &[]).await.remove("code").unwrap();
    let downgraded = site.redeem("worker", &code, &[("code_verifier", Some(VERIFIER))]).await;
    assert_eq!(downgraded.json()["error"], "invalid_grant", "a verifier although no challenge was sent");
}

/// RFC 6749 §4.1.2 and §10.5: a code is good once and for a minute; a second use ends what the first one got.
#[tokio::test]
async fn a_code_is_good_once_and_not_for_long() {
    let site = Site::open().await;
    let code = site.walk("web", &[]).await.remove("code").unwrap();
    let tokens = site.redeem("web", &code, &[]).await.json();
    assert_eq!(site.redeem("web", &code, &[]).await.json()["error"], "invalid_grant");
    assert!(!site.opens(&tokens["access_token"]).await);
    assert_eq!(site.refresh("web", &tokens["refresh_token"], None).await.json()["error"], "invalid_grant");

    let code = site.walk("web", &[]).await.remove("code").unwrap();
    site.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(site.redeem("web", &code, &[]).await.json()["error"], "invalid_grant");
}

/// RFC 6749 §6, RFC 9700 §4.14.2: refresh tokens rotate; a lost answer may be asked for again; an old one ends the family.
#[tokio::test]
async fn refresh_tokens_rotate_and_an_old_one_ends_the_family() {
    let site = Site::open().await;
    let first = site.tokens("native").await;
    let lost = site.refresh("native", &first["refresh_token"], None).await.json();
    let second = site.refresh("native", &first["refresh_token"], None).await.json();
    assert_ne!(lost["refresh_token"], second["refresh_token"]);
    assert!(site.opens(&second["access_token"]).await, "the answer was lost: asking again within a minute works");
    assert!(site.opens(&first["access_token"]).await, "what was issued before lives on");

    let third = site.refresh("native", &second["refresh_token"], None).await.json();
    assert!(site.opens(&third["access_token"]).await);
    let stolen = site.refresh("native", &lost["refresh_token"], None).await;
    assert_eq!((stolen.status, &stolen.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    for tokens in [&first, &second, &third] {
        assert!(!site.opens(&tokens["access_token"]).await, "two parties held tokens of this grant");
    }
    assert_eq!(site.refresh("native", &third["refresh_token"], None).await.json()["error"], "invalid_grant");

    let late = site.tokens("web").await;
    site.refresh("web", &late["refresh_token"], None).await;
    site.clock.advance(SignedDuration::from_secs(61));
    assert_eq!(
        site.refresh("web", &late["refresh_token"], None).await.json()["error"],
        "invalid_grant",
        "after the grace"
    );
    let others = site.tokens("web").await;
    assert_eq!(site.refresh("worker", &others["refresh_token"], None).await.json()["error"], "invalid_grant");
    assert!(site.opens(&others["access_token"]).await, "another client's try changes nothing");
}

/// RFC 6749 §3.3 and §6: a person may grant less, a client may ask for less, nobody gets more.
#[tokio::test]
async fn scopes_only_get_narrower() {
    let site = Site::open().await;
    site.walk("web", &[]).await;
    let page = site.visit(&authorize("web", &[])).await;
    assert!(
        page.text.contains("Add photos, videos and albums") && page.text.contains("Example &#38; Web"),
        "{}",
        page.text
    );
    let more = site.press(&page, "Allow", &[("answer", "allow"), ("scope", "calendar:write")]).await;
    assert!(more.status.is_client_error(), "more than was asked for");
    let (_, less) = site.press(&page, "Allow", &[("answer", "allow"), ("scope", "media:write")]).await.redirect();
    let tokens = site.redeem("web", &less["code"], &[]).await.json();
    assert_eq!(tokens["scope"], "media:write");

    let wide = site.refresh("web", &tokens["refresh_token"], Some("media:write social-posts:write")).await;
    assert_eq!(wide.json()["error"], "invalid_scope");
    let both = site.tokens("web").await;
    let narrow = site.refresh("web", &both["refresh_token"], Some("social-posts:write")).await.json();
    assert_eq!(narrow["scope"], "social-posts:write");
    assert!(!site.opens(&narrow["access_token"]).await, "it lacks media:write");
    let again = site.refresh("web", &narrow["refresh_token"], None).await.json();
    assert_eq!(again["scope"], "media:write social-posts:write", "the refresh token keeps what was granted");
}

/// RFC 6749 §2.3 and §5.2: who the client is must be proven, in one way.
#[tokio::test]
async fn clients_prove_who_they_are() {
    let site = Site::open().await;
    let form = "application/x-www-form-urlencoded";
    let basic = |pair: &str| format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()));
    let body = "grant_type=refresh_token&refresh_token=x";
    let table: &[(Option<String>, String, StatusCode, &str)] = &[
        (None, body.to_owned(), StatusCode::UNAUTHORIZED, "invalid_client"),
        (None, format!("{body}&client_id=nobody"), StatusCode::UNAUTHORIZED, "invalid_client"),
        (None, format!("{body}&client_id=web"), StatusCode::UNAUTHORIZED, "invalid_client"),
        (None, format!("{body}&client_id=web&client_secret=wrong"), StatusCode::UNAUTHORIZED, "invalid_client"),
        (None, format!("{body}&client_id=native&client_secret=any"), StatusCode::UNAUTHORIZED, "invalid_client"),
        (Some(basic("web:wrong")), body.to_owned(), StatusCode::UNAUTHORIZED, "invalid_client"),
        (
            Some(basic("worker:worker-secret")),
            format!("{body}&client_secret=x"),
            StatusCode::BAD_REQUEST,
            "invalid_request",
        ),
        (Some(basic("worker:worker-secret")), body.to_owned(), StatusCode::BAD_REQUEST, "invalid_grant"),
        (None, format!("{body}&client_id=worker&client_id=web"), StatusCode::BAD_REQUEST, "invalid_request"),
    ];
    for (authorization, body, status, error) in table {
        let mut request = Request::post("/oauth/token").header(header::CONTENT_TYPE, form);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let answer = site.send(request.body(body.clone().into()).unwrap()).await;
        assert_eq!((answer.status, &answer.json()["error"]), (*status, &json!(error)), "{body}");
        let challenged = answer.header(header::WWW_AUTHENTICATE).starts_with("Basic");
        assert_eq!(challenged, authorization.is_some() && *status == StatusCode::UNAUTHORIZED, "RFC 6749 §5.2: {body}");
    }
    let query = site.send(Request::get("/oauth/token?grant_type=refresh_token").body("".into()).unwrap()).await;
    assert_eq!(query.status, StatusCode::METHOD_NOT_ALLOWED, "RFC 6749 §3.2: POST only");
    let json = Request::post("/oauth/token").header(header::CONTENT_TYPE, "application/json");
    assert_eq!(site.send(json.body("{}".into()).unwrap()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = Request::post("/oauth/token").header(header::CONTENT_TYPE, form);
    assert_eq!(site.send(large.body("a".repeat(70_000).into()).unwrap()).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

/// RFC 7009 §2: a refresh token goes with everything, an access token alone, an unknown or foreign one without a word.
#[tokio::test]
async fn clients_can_give_tokens_back() {
    let site = Site::open().await;
    let tokens = site.tokens("web").await;
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    for (client, token) in [("worker", refresh), ("native", access), ("web", "unknown")] {
        assert_eq!(site.call(client, "/oauth/revoke", &[("token", token)]).await.status, StatusCode::OK);
    }
    assert!(site.opens(&tokens["access_token"]).await, "nobody revokes another's token");
    assert_eq!(site.call("web", "/oauth/revoke", &[]).await.status, StatusCode::BAD_REQUEST);

    site.call("web", "/oauth/revoke", &[("token", access), ("token_type_hint", "refresh_token")]).await;
    assert!(!site.opens(&tokens["access_token"]).await, "a wrong hint is no obstacle");
    let next = site.refresh("web", &tokens["refresh_token"], None).await.json();
    assert!(site.opens(&next["access_token"]).await);
    site.call("web", "/oauth/revoke", &[("token", next["refresh_token"].as_str().unwrap())]).await;
    assert!(!site.opens(&next["access_token"]).await);
    assert_eq!(site.refresh("web", &next["refresh_token"], None).await.json()["error"], "invalid_grant");
}

/// RFC 7662 §2: an authenticated client learns of its own tokens what they stand for, and of others nothing.
#[tokio::test]
async fn introspection_tells_a_client_of_its_own_tokens() {
    let site = Site::open().await;
    let tokens = site.tokens("web").await;
    let access = tokens["access_token"].as_str().unwrap();
    let told = site.call("web", "/oauth/introspect", &[("token", access)]).await.json();
    assert_eq!(
        (&told["active"], &told["client_id"], &told["token_type"]),
        (&json!(true), &json!("web"), &json!("Bearer"))
    );
    assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 3600);
    let silent = json!({"active": false});
    assert_eq!(site.call("worker", "/oauth/introspect", &[("token", access)]).await.json(), silent);
    assert_eq!(site.call("web", "/oauth/introspect", &[("token", "unknown")]).await.json(), silent);
    assert_eq!(site.call("native", "/oauth/introspect", &[("token", access)]).await.status, StatusCode::UNAUTHORIZED);
    site.refresh("web", &tokens["refresh_token"], None).await;
    site.clock.advance(SignedDuration::from_hours(1));
    for ended in ["access_token", "refresh_token"] {
        let token = tokens[ended].as_str().unwrap();
        assert_eq!(site.call("web", "/oauth/introspect", &[("token", token)]).await.json(), silent, "{ended}");
    }
}

/// RFC 8414 §2 and §3, RFC 9207 §3.
#[tokio::test]
async fn the_metadata_describes_what_is_there() {
    let site = Site::open().await;
    let answer = site.send(Request::get("/.well-known/oauth-authorization-server").body("".into()).unwrap()).await;
    let metadata = answer.json();
    assert_eq!(metadata["issuer"], "https://moveout.example");
    for endpoint in ["authorization_endpoint", "token_endpoint", "revocation_endpoint", "introspection_endpoint"] {
        let path = metadata[endpoint].as_str().unwrap().strip_prefix("https://moveout.example").unwrap();
        let there = site.send(Request::post(path).body("".into()).unwrap()).await.status;
        assert_eq!(there, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{endpoint} takes forms");
    }
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
}

/// RFC 9700 §4.16, RFC 6749 §10.12: the forms cannot be framed, forged or replayed from another browser.
#[tokio::test]
async fn the_forms_belong_to_the_browser_that_was_shown_them() {
    let site = Site::open().await;
    let login = site.visit(&authorize("web", &[])).await;
    assert!(login.header(header::CONTENT_SECURITY_POLICY).contains("frame-ancestors 'none'"));
    assert_eq!(login.header(header::REFERRER_POLICY), "no-referrer");
    assert_eq!(login.header(header::CACHE_CONTROL), "no-store");
    let filled = [("name", "zoe"), ("password", PASSWORD)];
    let forged = site.press(&login, "Sign in", &[filled[0], filled[1], ("form", "forged")]).await;
    assert!(forged.status == StatusCode::FORBIDDEN && forged.text.contains("MO-4017"), "{}", forged.text);
    site.walk("web", &[]).await;
    let consent = site.visit(&authorize("web", &[])).await;
    let policy = consent.header(header::CONTENT_SECURITY_POLICY);
    assert!(policy.contains("form-action 'self' https://app.example;"), "{policy}");
    for form in ["", "forged"] {
        let forged = site.press(&consent, "Allow", &[("answer", "allow"), ("form", form)]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
    }
    let cancelled = site.press(&consent, "Cancel", &[("answer", "cancel")]).await.redirect().1;
    assert_eq!((cancelled["error"].as_str(), cancelled["state"].as_str()), ("access_denied", "a&b=c"));
    let tampered = authorize("web", &[("redirect_uri", Some("https://evil.example/cb"))]);
    let tampered =
        site.press(&consent, "Allow", &[("answer", "allow"), ("request", tampered.split_once('?').unwrap().1)]).await;
    assert_eq!(tampered.status, StatusCode::BAD_REQUEST, "what the form carries is judged again");
    site.new_browser();
    let elsewhere = site.press(&consent, "Allow", &[("answer", "allow")]).await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN, "a form of another browser");
}

/// OWASP ASVS 5.0 §6.3: guessing passwords is slowed down, and names are not told apart.
#[tokio::test]
async fn signing_in_is_throttled_and_tells_nothing_of_names() {
    let site = Site::open().await;
    let login = site.visit("/login").await;
    let unknown = site.press(&login, "Sign in", &[("name", "nobody"), ("password", PASSWORD)]).await;
    let wrong = site.press(&login, "Sign in", &[("name", "zoe"), ("password", "wrong")]).await;
    assert_eq!((unknown.status, &unknown.text), (StatusCode::FORBIDDEN, &wrong.text));
    for _ in 0..4 {
        site.press(&login, "Sign in", &[("name", "zoe"), ("password", "wrong")]).await;
    }
    let right = [("name", "zoe"), ("password", PASSWORD)];
    let stopped = site.press(&login, "Sign in", &right).await;
    assert_eq!((stopped.status, stopped.header(header::RETRY_AFTER)), (StatusCode::TOO_MANY_REQUESTS, "900"));
    site.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(site.press(&login, "Sign in", &right).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.visit("/connections").await.status, StatusCode::OK);
    site.clock.advance(SignedDuration::from_hours(12));
    assert!(site.visit("/connections").await.text.contains("<h1>Sign in</h1>"), "a session ends");
}

/// What a person granted is listed, and ends when they take it back: a DTP worker then stops for good.
#[tokio::test]
async fn people_take_back_what_they_granted() {
    let site = Site::open().await;
    let tokens = site.tokens("worker").await;
    let page = site.visit("/connections").await;
    assert!(page.text.contains("worker") && page.text.contains("Add posts"), "{}", page.text);
    let taken = site.press(&page, "Take back", &[]).await;
    assert_eq!((taken.status, taken.header(header::LOCATION)), (StatusCode::SEE_OTHER, "/connections"));
    assert!(site.visit("/connections").await.text.contains("Nothing is connected"));
    assert!(!site.opens(&tokens["access_token"]).await);
    let refused = site.refresh("worker", &tokens["refresh_token"], None).await;
    assert_eq!((refused.status, &refused.json()["error"]), (StatusCode::UNAUTHORIZED, &json!("session_invalidated")));

    let page = site.visit("/connections").await;
    site.press(&page, "Sign out", &[]).await;
    assert!(site.visit("/connections").await.text.contains("<h1>Sign in</h1>"));
}
