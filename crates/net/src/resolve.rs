//! Name resolution that keeps only the addresses that a rule allows. Connections are made to these very addresses,
//! so a name that answers differently the second time (DNS rebinding) gains nothing.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::{Network, is_public};

/// Where a client may connect.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// Anywhere.
    Everywhere,
    /// To public addresses, and to these networks.
    Public(Vec<Network>),
    /// To these networks only.
    Networks(Vec<Network>),
}

impl Reach {
    /// Tells whether the address may be connected to.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        let opened = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
        match self {
            Self::Everywhere => true,
            Self::Public(networks) => is_public(address) || opened(networks),
            Self::Networks(networks) => opened(networks),
        }
    }
}

/// A name that has addresses, none of which may be connected to.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no address that may be connected to")]
pub(crate) struct Forbidden;

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<_> = found.iter().copied().filter(|address| reach.allows(address.ip())).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(Forbidden.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
