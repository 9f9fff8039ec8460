//! A call of somebody's HTTP API, as an operator describes it: what to ask, and what the answers mean.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identity::IdentityKind;
use crate::template::Template;

/// Erasing by a call, and how it is known afterwards that the person is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Asks for the erasure; it may be asked again after a lost answer.
    pub erase: Call,
    /// How it is known that it was done.
    pub check: Check,
}

/// How it is known that somebody else erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// By reading again.
    Reread(Call),
    /// By their word alone; why that is believed.
    Attested(String),
}

/// One call of an API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// `DELETE`, `POST`, …; unsaid, `DELETE` to erase and `GET` to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Where, relative to the system's address; values are percent-encoded.
    pub url: Template,
    /// Headers; `{secret:NAME}` stands for a secret of the system.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A JSON body with placeholders in its texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
    /// A form body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<BTreeMap<String, Template>>,
    /// The statuses that say it was done, or that something is there.
    #[serde(default = "success")]
    pub success: Vec<u16>,
    /// The statuses that say that nothing is there.
    #[serde(default = "not_found")]
    pub not_found: Vec<u16>,
    /// Where in a JSON answer stands what was found (RFC 6901): an array is counted, a number is taken, null is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
}

fn success() -> Vec<u16> {
    vec![200, 204]
}

fn not_found() -> Vec<u16> {
    vec![404, 410]
}

/// The methods of HTTP that such calls use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "RFC 9110 §9 says what they mean")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// JSON whose texts may have placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Json {
    /// A text.
    Text(Template),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(BTreeMap<String, Json>),
    /// A number, a truth value, or null.
    Other(Value),
}

impl Json {
    /// Returns the templates of its texts.
    fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Text(template) => vec![template],
            Self::List(items) => items.iter().flat_map(Self::templates).collect(),
            Self::Object(members) => members.values().flat_map(Self::templates).collect(),
            Self::Other(_) => Vec::new(),
        }
    }

    /// Writes it, each text as the function says.
    pub fn fill(&self, fill: &impl Fn(&Template) -> String) -> Value {
        match self {
            Self::Text(template) => Value::String(fill(template)),
            Self::List(items) => items.iter().map(|item| item.fill(fill)).collect(),
            Self::Object(members) => {
                Value::Object(members.iter().map(|(name, value)| (name.clone(), value.fill(fill))).collect())
            }
            Self::Other(value) => value.clone(),
        }
    }
}

impl Call {
    /// Returns its templates, by the name of the member that each stands in.
    pub fn templates(&self) -> Vec<(&'static str, &Template)> {
        let form = self.form.iter().flat_map(BTreeMap::values).map(|template| ("form", template));
        let json = self.json.iter().flat_map(Json::templates).map(|template| ("json", template));
        std::iter::once(("url", &self.url)).chain(form).chain(json).collect()
    }

    /// Returns the kinds of identity that stand in the path of its URL, before any `?`.
    pub fn kinds_in_path(&self) -> BTreeSet<&IdentityKind> {
        use crate::template::Part;
        let before = |part: &&Part| !matches!(part, Part::Text(text) if text.contains(['?', '#']));
        let kind = |part| match part {
            &Part::Text(_) => None,
            Part::Identity(kind) => Some(kind),
        };
        self.url.parts().iter().take_while(before).filter_map(kind).collect()
    }
}

impl Remote {
    /// Returns its calls.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        let reread = match &self.check {
            Check::Reread(call) => Some(call),
            Check::Attested(_) => None,
        };
        std::iter::once(&self.erase).chain(reread)
    }
}
