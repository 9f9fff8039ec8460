//! The address of a server: `mysql://user:password@host:3306/database`, with `?require_ssl=true` for TLS, and
//! `&ssl_ca=/path/ca.pem` where the certificate comes from an authority of one's own.

use std::path::PathBuf;

use model::{Problem, Result, codes};
use mysql_async::{Opts, OptsBuilder, SslOpts};
use url::Url;

/// The parameter that names a file of certificates to trust.
const OWN_AUTHORITY: &str = "ssl_ca";

/// Reads an address. Its password never reaches an error.
pub(super) fn read(text: &str) -> Result<Opts> {
    let malformed = |detail: &str| Problem::new(&codes::transfer::SPEC_MALFORMED, detail);
    let shape = || malformed("write it like mysql://user:password@host:3306/database");
    let rest = text.strip_prefix("mysql://").or_else(|| text.strip_prefix("mariadb://")).ok_or_else(shape)?;
    let mut url: Url = format!("mysql://{rest}").parse().map_err(|_| shape())?;
    let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let authority = parameters.iter().find(|(name, _)| name == OWN_AUTHORITY).map(|(_, path)| PathBuf::from(path));
    let given = |wanted: &str| parameters.iter().any(|(name, _)| name == wanted);
    let others = parameters.iter().filter(|(name, _)| name != OWN_AUTHORITY);
    let others: Vec<(String, String)> = others.cloned().collect();
    url.set_query(None);
    if !others.is_empty() {
        url.query_pairs_mut().extend_pairs(&others);
    }
    let opts = Opts::from_url(url.as_str()).map_err(|_| malformed("a parameter behind its '?' is not known"))?;
    if opts.db_name().is_none_or(str::is_empty) {
        return Err(malformed("name the database behind the host, like mysql://user@host/database"));
    }
    let ssl = match (opts.ssl_opts().cloned(), authority) {
        (ssl, None) => ssl,
        (ssl, Some(path)) => Some(ssl.unwrap_or_else(SslOpts::default).with_root_certs(vec![path.into()])),
    };
    // A connection over loopback stays one over TCP, unless the address names a socket.
    let socket = given("socket") || given("prefer_socket");
    // How many rows a change met counts, not how many it changed: setting null what is null is done all the same.
    let builder = OptsBuilder::from_opts(opts.clone()).client_found_rows(true).ssl_opts(ssl).stmt_cache_size(0);
    Ok(builder.prefer_socket(socket && opts.prefer_socket()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_database_and_says_how_to_trust_the_server() {
        let plain = read("mariadb://zoe:p%40ss@db:3307/shop").unwrap();
        assert_eq!((plain.ip_or_hostname(), plain.tcp_port(), plain.db_name()), ("db", 3307, Some("shop")));
        assert_eq!((plain.user(), plain.pass(), plain.ssl_opts()), (Some("zoe"), Some("p@ss"), None));
        let safe = read("mysql://zoe@db/shop?require_ssl=true&ssl_ca=%2Fetc%2Fca.pem").unwrap();
        assert_eq!(safe.ssl_opts().unwrap().root_certs().len(), 1);
        for text in
            ["mysql://zoe:SECRET@db", "mysql://zoe:SECRET@db/shop?sslmode=x", "mysql:zoe", "mysql://zoe:SECRET@db:x/s"]
        {
            let problem = read(text).unwrap_err();
            assert!(problem.is(&codes::transfer::SPEC_MALFORMED) && !format!("{problem:?}").contains("SECRET"));
        }
    }
}
