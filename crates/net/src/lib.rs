//! Sockets to any address that an outsider can influence, and no others: SSRF-safe, bounded in time and size.

mod address;
mod client;
mod exchange;
mod mail;
mod resolve;

pub use address::Network;
pub use client::{Client, Policy};
pub use exchange::{read_limited, retry_after, send};
pub use mail::{Mail, MailServer, Mailer, Security};
pub use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, header};
