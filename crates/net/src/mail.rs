//! Mail, handed to the operator's own server (RFC 5321). Whether it arrives is that server's business.

use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use model::{Problem, Result, codes};

/// How long the server may take for each answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the connection to a mail server is kept from eavesdroppers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all: for a server on this machine.
    Plain,
    /// TLS after a greeting; without it nothing is sent (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Tls,
}

/// The operator's mail server.
pub struct MailServer {
    /// Its name, which its certificate must bear.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// Name and password, if it wants them.
    pub login: Option<(String, String)>,
    /// Whom mails are from: `Privacy <privacy@example.org>`.
    pub from: String,
}

/// One mail of plain text.
pub struct Mail<'a> {
    /// Whom it is for.
    pub to: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// What it says.
    pub text: String,
}

/// Sends mail.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// Prepares to send; nothing is connected yet.
    ///
    /// # Errors
    /// `MO-7001` if the sender's address or the server's name cannot be used.
    pub fn new(server: MailServer) -> Result<Self> {
        let invalid = |what: &str| Problem::new(&codes::config::CONFIG_INVALID, what.to_owned());
        let from = server.from.parse().map_err(|_| invalid("mail.from is no address like privacy@example.org"))?;
        let parameters =
            || TlsParameters::new(server.host.clone()).map_err(|_| invalid("mail.host is no name of a server"));
        let tls = match server.security {
            Security::Plain => Tls::None,
            Security::StartTls => Tls::Required(parameters()?),
            Security::Tls => Tls::Wrapper(parameters()?),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.clone())
            .port(server.port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some((name, password)) = server.login {
            transport = transport.credentials(Credentials::new(name, password));
        }
        Ok(Self { transport: transport.build(), from })
    }

    /// Hands a mail to the server.
    ///
    /// # Errors
    /// `MO-6010` if it may be tried again, `MO-6011` if the server refuses it for good. Neither names the recipient.
    pub async fn send(&self, mail: Mail<'_>) -> Result<()> {
        let refused = |cause: &str| Problem::new(&codes::net::MAIL_REFUSED, cause.to_owned());
        let to: Mailbox = mail.to.parse().map_err(|_| refused("the recipient's address cannot be used"))?;
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject)
            .header(ContentType::TEXT_PLAIN)
            .raw_header(automatic)
            .body(mail.text)
            .map_err(|_| refused("the mail cannot be written"))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(cause) if cause.is_permanent() => {
                let status = cause.status().map(|status| status.to_string()).unwrap_or_default();
                Err(refused(&format!("the server answered {status}")))
            }
            // What the server says may repeat the address, so it is not handed on.
            Err(cause) => {
                let what = if cause.is_timeout() { "it took too long" } else { "it did not take the mail" };
                Err(Problem::new(&codes::net::MAIL_SERVER_AWAY, what))
            }
        }
    }
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailer")
    }
}
