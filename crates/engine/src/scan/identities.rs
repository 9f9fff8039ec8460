//! Columns that hold an identity of a person, and whether one value stands for one person.

use adapters::inspect::Shape;
use model::catalog::{CatalogColumn, CatalogTable};
use model::identity::IdentityKind;

use super::evidence::Evidence;
use super::names::{Name, stands_in};
use super::types::TypeClass;

/// A column that holds an identity.
#[derive(Clone, Debug)]
pub(super) struct IdentityColumn {
    pub(super) column: String,
    pub(super) kind: IdentityKind,
    /// Why it cannot serve, if so.
    pub(super) unsound: Option<String>,
    /// What a reviewer should know.
    pub(super) note: Option<String>,
}

const ASID: &str = "asid facebookid fbid fbuserid facebookuserid facebookuid fbuid appscopedid metauserid metaid facebookasid \
    fbasid facebookappscopedid";
const PSID: &str = "psid pagescopedid messengerid messengerpsid facebookpsid fbpsid";
const IGSID: &str = "igsid instagramid igid instagramuserid instagramscopedid";
const PLAYER: &str = "instantgameplayerid instantgamesplayerid fbplayerid facebookplayerid";
const EMAIL: &str = "email mail emailaddress useremail customeremail memberemail contactemail loginemail primaryemail mailaddress \
    mailadresse emailadresse adressemail courriel correo correoelectronico eposta メールアドレス 邮箱";
const PHONE: &str = "phone phonenumber mobile mobilenumber mobilephone userphone telephone telefon telefono telefone msisdn \
    telefonnummer 電話番号 手机";
const USERNAME: &str = "username login userlogin loginname screenname handle benutzername nomutilisateur nombreusuario";
const PROVIDERS: &str = "google apple twitter github gitlab linkedin discord telegram tiktok wechat microsoft okta auth0 firebase \
    cognito whatsapp line kakao vk";
/// Names of the id in a table of logins at several providers.
pub(super) const PROVIDER_UID: &str = "uid provideruid providerid provideruserid provideraccountid externalid subject";

/// Returns the kind of identity that a column of this name holds.
pub(super) fn kind(name: &Name) -> Option<IdentityKind> {
    let known = [
        ("asid", ASID),
        ("psid", PSID),
        ("igsid", IGSID),
        ("player", PLAYER),
        ("email", EMAIL),
        ("phone", PHONE),
        ("username", USERNAME),
    ];
    if let Some((kind, _)) = known.iter().find(|(_, list)| name.is(list)) {
        return kind.parse().ok();
    }
    let (first, rest) = name.words.split_first()?;
    let id = matches!(rest.concat().as_str(), "id" | "uid" | "sub" | "userid" | "openid" | "unionid");
    if id && stands_in(first, PROVIDERS) { first.parse().ok() } else { None }
}

/// Tells whether a kind is one that a platform or provider gave out, and so is nobody else's.
pub(super) fn is_given_out(kind: &IdentityKind) -> bool {
    !matches!(kind.as_str(), "email" | "phone" | "username")
}

/// Returns the identity columns of a table.
pub(super) fn of(evidence: &Evidence, table: &CatalogTable) -> Vec<IdentityColumn> {
    let mut found: Vec<IdentityColumn> = Vec::new();
    let provider = table.columns.iter().any(|column| Name::of(&column.name).is("provider providername providertype"));
    for column in &table.columns {
        let name = Name::of(&column.name);
        let at_provider = provider && name.is(PROVIDER_UID);
        let Some(kind) = kind(&name).or_else(|| at_provider.then(IdentityKind::asid)) else { continue };
        let refers = table.foreign_keys.iter().any(|key| key.columns.contains(&column.name));
        if refers || !TypeClass::of(&column.sql_type).holds_identity() || column.name.contains('.') {
            continue;
        }
        let unsound = unsound(evidence, table, column, &kind);
        let note = note(table, column, &kind, at_provider);
        found.push(IdentityColumn { column: column.name.clone(), kind, unsound, note });
    }
    found
}

/// Says why a column cannot name one person.
fn unsound(evidence: &Evidence, table: &CatalogTable, column: &CatalogColumn, kind: &IdentityKind) -> Option<String> {
    let unique = table.unique.contains(&column.name) || table.primary_key == [column.name.clone()];
    let sample = evidence.sample(&table.name, &column.name);
    let duplicates = sample.map_or(0, |sample| sample.filled - sample.distinct);
    match (kind.as_str(), sample) {
        ("email", Some(sample)) if sample.filled > 0 && !sample.is_mostly(Shape::Email) => {
            Some("its values do not look like e-mail addresses: encrypted or hashed, perhaps".to_owned())
        }
        _ if duplicates > 0 => {
            Some(format!("{duplicates} sampled values come up again, and a value that two people share blocks both"))
        }
        ("phone" | "username", _) if !unique => Some(
            "nothing keeps two people from sharing a value, which would block both; make it unique first".to_owned(),
        ),
        _ => None,
    }
}

fn note(table: &CatalogTable, column: &CatalogColumn, kind: &IdentityKind, at_provider: bool) -> Option<String> {
    match kind.as_str() {
        _ if at_provider => Some(format!(
            "{} holds ids of every provider; rows of others than the platform are found by it too",
            column.name
        )),
        "psid" => Some(format!(
            "{}: write psid@PAGE-ID if it is of one page; ids of other pages are other people's",
            column.name
        )),
        "email" if !table.unique.contains(&column.name) => {
            Some(format!("no unique index on {}: two rows with one address would block each other", column.name))
        }
        // The letters' case is no part of an address, so that a plain index serves half the question.
        "email" => Some(format!("compared in any case: an index on lower({}) keeps that fast", column.name)),
        _ => None,
    }
}
