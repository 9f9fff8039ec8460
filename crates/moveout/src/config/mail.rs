//! The settings `mail.*`: the operator's mail server.

use model::Result;
use net::{MailServer, Mailer, Security};

use super::invalid;
use super::sources::Values;

/// Prepares to send mail; `None` if no server is set.
///
/// # Errors
/// `MO-7001` if a setting is missing or cannot be used.
pub(super) fn mailer(values: &Values) -> Result<Option<Mailer>> {
    let Some(host) = values.get("mail.host") else {
        return match values.get("mail.from") {
            Some(_) => Err(invalid("mail.from is set, but not mail.host")),
            None => Ok(None),
        };
    };
    let security = match values.get("mail.security") {
        None | Some("starttls") => Security::StartTls,
        Some("tls") => Security::Tls,
        Some("plain") => Security::Plain,
        Some(other) => return Err(invalid(format!("mail.security is plain, starttls or tls, not {other:?}"))),
    };
    let port = match (values.get("mail.port"), security) {
        (Some(_), _) => values.parse("mail.port")?,
        (None, Security::Plain) => 25,
        (None, Security::StartTls) => 587,
        (None, Security::Tls) => 465,
    };
    let login = match (values.get("mail.user"), values.get("mail.password")) {
        (None, None) => None,
        (Some(user), Some(password)) if security != Security::Plain => Some((user.to_owned(), password.to_owned())),
        (Some(_), Some(_)) => return Err(invalid("mail.password is not sent without TLS; set mail.security")),
        _ => return Err(invalid("mail.user and mail.password are given together or not at all")),
    };
    let from = values.get("mail.from").ok_or_else(|| invalid("mail.host is set, but not mail.from"))?.to_owned();
    Mailer::new(MailServer { host: host.to_owned(), port, security, login, from }).map(Some)
}
