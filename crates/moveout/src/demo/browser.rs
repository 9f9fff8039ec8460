//! A small browser: keeps cookies, reads forms, and sends them as a person would.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use net::{Client, Method, StatusCode, header};
use url::Url;

/// The largest page that is read.
const MAX_PAGE: usize = 1024 * 1024;

/// A browser on one site.
pub struct Browser {
    client: Client,
    site: Url,
    cookies: BTreeMap<String, String>,
}

/// What a site answered.
pub struct Page {
    /// The status.
    pub status: StatusCode,
    /// Where it sends us, if it does.
    pub location: Option<String>,
    /// The text.
    pub text: String,
}

/// A form of a page: what it would send.
pub struct Form {
    action: String,
    fields: Vec<(String, String)>,
}

impl Browser {
    /// Opens a browser without cookies.
    ///
    /// # Errors
    /// If the site is no URL.
    pub fn new(client: Client, site: &str) -> Result<Self> {
        Ok(Self { client, site: Url::parse(site)?, cookies: BTreeMap::new() })
    }

    /// Gets a page.
    ///
    /// # Errors
    /// What the network gave.
    pub async fn get(&mut self, path: &str) -> Result<Page> {
        let request = self.client.request(Method::GET, self.site.join(path)?.as_str())?;
        self.send(request.header(header::ACCEPT, "text/html")).await
    }

    /// Sends a form.
    ///
    /// # Errors
    /// What the network gave.
    pub async fn submit(&mut self, form: &Form) -> Result<Page> {
        self.post(&form.action, &form.fields).await
    }

    /// Posts fields to a path.
    ///
    /// # Errors
    /// What the network gave.
    pub async fn post(&mut self, path: &str, fields: &[(String, String)]) -> Result<Page> {
        let url = self.site.join(path)?;
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client.request(Method::POST, url.as_str())?;
        let origin = self.site.origin().ascii_serialization();
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        self.send(request.header(header::ORIGIN, origin)).await
    }

    async fn send(&mut self, request: net::RequestBuilder) -> Result<Page> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = net::send(request.header(header::COOKIE, cookies.join("; "))).await?;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location =
            response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status();
        let text = String::from_utf8_lossy(&net::read_limited(response, MAX_PAGE).await?).into_owned();
        Ok(Page { status, location, text })
    }
}

impl Page {
    /// Returns the form that goes to `action`, as it would be sent untouched.
    ///
    /// # Errors
    /// If the page has none.
    pub fn form(&self, action: &str) -> Result<Form> {
        let marker = format!("action=\"{action}\"");
        let Some((_, rest)) = self.text.split_once(&marker) else {
            bail!("the page ({}) has no form that goes to {action}", self.status);
        };
        let inside = rest.split("</form>").next().unwrap_or_default();
        let inputs = inside.split("<input ").skip(1).filter_map(|tag| {
            let tag = tag.split('>').next()?;
            let unchecked = attribute(tag, "type").as_deref() == Some("checkbox") && !tag.contains(" checked");
            if unchecked { None } else { Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())) }
        });
        Ok(Form { action: action.to_owned(), fields: inputs.collect() })
    }

    /// Returns where the page sends us.
    ///
    /// # Errors
    /// If it does not.
    pub fn redirect(&self) -> Result<&str> {
        self.location.as_deref().with_context(|| format!("the page ({}) leads nowhere", self.status))
    }
}

impl Form {
    /// Fills a field in, or presses a button.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    Some(unescape(rest.split('"').next()?))
}

/// Undoes what a template escapes in an attribute.
fn unescape(text: &str) -> String {
    let marks = [
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&gt;", ">"),
    ];
    let plain = marks.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    plain.replace("&#38;", "&").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_would_be_sent() {
        let text = r#"<form action="/other"><input name="x" value="1"></form>
            <form method="post" action="/go"><input type="hidden" name="request" value="a=b&#38;c=&#34;d">
            <input type="checkbox" id="s1" name="scope" value="one" checked> <input type="checkbox" name="scope" value="two">
            <button name="answer" value="allow">Allow</button></form>"#;
        let page = Page { status: StatusCode::OK, location: None, text: text.to_owned() };
        let form = page.form("/go").unwrap().with("answer", "allow");
        let fields: Vec<(&str, &str)> =
            form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(fields, [("request", "a=b&c=\"d"), ("scope", "one"), ("answer", "allow")]);
        assert!(page.form("/nowhere").is_err());
    }
}
