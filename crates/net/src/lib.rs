//! Sockets to any address that an outsider can influence, and no others: SSRF-safe, bounded in time and size.

/// An HTTP client that connects only where its policy allows.
#[derive(Clone, Debug)]
pub struct Client {}
