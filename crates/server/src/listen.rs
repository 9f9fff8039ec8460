//! The socket that outsiders knock at: TCP, with TLS when there is a certificate.
//!
//! Every accepted socket has `TCP_NODELAY` set and `TCP_QUICKACK` re-armed after each read: a DTP worker's HTTP client sends a
//! small upload in several segments and waits for an acknowledgement that Linux would otherwise delay by 40 ms.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use model::{Problem, Result, codes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate chain and its key, ready to secure connections.
#[derive(Clone)]
pub struct Tls {
    pub(crate) acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads a certificate chain and its private key from PEM files.
    ///
    /// # Errors
    /// `MO-7007` if a file cannot be read, or the key does not fit the certificate.
    pub fn from_pem(certificate: &Path, key: &Path) -> Result<Self> {
        let broken = |path: &Path, cause: Box<dyn std::error::Error + Send + Sync>| {
            let detail = format!("{}: {cause}", path.display());
            Problem::new(&codes::config::CERTIFICATE_INVALID, detail).caused_by(cause)
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
            .map_err(|cause| broken(certificate, cause.into()))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|cause| broken(key, cause.into()))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
            .map_err(|cause| broken(certificate, cause.into()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// A bound address, not yet served.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    pub(crate) tls: Option<Tls>,
    address: SocketAddr,
}

/// Binds an address (port 0 takes a free one); connections wait in the queue until [`crate::serve`] takes them.
///
/// # Errors
/// `MO-7006` if it cannot be listened on.
pub async fn bind(address: SocketAddr, tls: Option<Tls>) -> Result<Listener> {
    let failed =
        |cause: io::Error| Problem::new(&codes::config::LISTEN_FAILED, format!("{address}: {cause}")).caused_by(cause);
    let tcp = TcpListener::bind(address).await.map_err(failed)?;
    let address = tcp.local_addr().map_err(failed)?;
    Ok(Listener { tcp, tls, address })
}

impl Listener {
    /// Returns the address that it is bound to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes the next connection.
    pub(crate) async fn accept(&self) -> io::Result<(PromptStream, SocketAddr)> {
        let (tcp, peer) = self.tcp.accept().await?;
        tcp.set_nodelay(true)?;
        Ok((PromptStream(tcp), peer))
    }
}

/// A TCP stream that acknowledges at once what it reads.
#[derive(Debug)]
pub(crate) struct PromptStream(TcpStream);

impl PromptStream {
    /// Linux leaves quick acknowledgement mode by itself, so it is asked for again after every read.
    #[cfg(target_os = "linux")]
    fn rearm(&self) {
        // It is only faster with it: a refusal is no reason to drop the connection.
        let _ = self.0.set_quickack(true);
    }

    #[cfg(not(target_os = "linux"))]
    fn rearm(&self) {}
}

impl AsyncRead for PromptStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0).poll_read(cx, buf))?;
        self.rearm();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PromptStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the test plays the outsider who connects to us")]
    async fn every_read_asks_again_for_quick_acknowledgement() {
        let listener = bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        let mut outsider = TcpStream::connect(listener.address()).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut byte = [0];
        for _ in 0..3 {
            outsider.write_all(b"?").await.unwrap();
            stream.read_exact(&mut byte).await.unwrap();
            assert!(stream.0.quickack().unwrap());
            // Answering is what makes Linux fall back to delayed acknowledgements.
            stream.write_all(b"!").await.unwrap();
            outsider.read_exact(&mut byte).await.unwrap();
        }
    }
}
