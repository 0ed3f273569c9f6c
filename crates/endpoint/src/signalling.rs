//! The link and the WebSocket behind it.

use crate::EndpointError;
use diemcau_protocol::{ClientFrame, ServerFrame};
use futures_util::{SinkExt, StreamExt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// A link as it is handed to a site: `http(s)://host[:port]/site#TOKEN`.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// Name or address; IPv6 without its brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What opens the door. Never logged.
    pub token: String,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({} port {})", self.host, self.port)
    }
}

impl FromStr for Link {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let bad = |why: &'static str| EndpointError::BadLink(why);
        let (address, token) = text.split_once('#').ok_or(bad("it has no #token"))?;
        if token.is_empty() {
            return Err(bad("its token is empty"));
        }
        let (scheme, rest) = address.split_once("://").ok_or(bad("it has no http://"))?;
        let (tls, usual_port) = match scheme {
            "http" => (false, 80),
            "https" => (true, 443),
            _ => return Err(bad("it begins with neither http:// nor https://")),
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let (host, port) = if let Some(v6) = authority.strip_prefix('[') {
            let (host, after) = v6.split_once(']').ok_or(bad("its address is not closed"))?;
            (host, after.strip_prefix(':'))
        } else {
            match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            }
        };
        if host.is_empty() || host.contains('@') {
            return Err(bad("it names no server"));
        }
        let port = port.map_or(Ok(usual_port), str::parse);
        Ok(Self {
            tls,
            host: host.to_owned(),
            port: port.map_err(|_| bad("its port is not a number"))?,
            token: token.to_owned(),
        })
    }
}

/// Whose certificates are believed.
#[derive(Clone, Debug)]
pub struct Trust(Option<Arc<ClientConfig>>);

impl Trust {
    /// Reads the authority's certificates. `anyone` believes every certificate: for a rehearsal on one's own desk.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or holds no certificate.
    pub fn new(ca: Option<&Path>, anyone: bool) -> Result<Self, EndpointError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| EndpointError::Authority(e.to_string()))?;
        if anyone {
            let config = builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
                .with_no_client_auth();
            return Ok(Self(Some(Arc::new(config))));
        }
        let Some(path) = ca else {
            return Ok(Self(None));
        };
        let fail = |why: String| EndpointError::Authority(format!("{}: {why}", path.display()));
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(path).map_err(|e| fail(e.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|e| fail(e.to_string()))?;
            roots.add(certificate).map_err(|e| fail(e.to_string()))?;
        }
        if roots.is_empty() {
            return Err(fail("it holds no certificate".to_owned()));
        }
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        Ok(Self(Some(Arc::new(config))))
    }
}

/// Believes every certificate, but still wants the server to hold its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// An open WebSocket that speaks frames.
pub struct Socket {
    socket: WebSocketStream<Box<dyn Stream>>,
    /// The address of this machine on the way to the server: media takes the same way.
    pub local: IpAddr,
}

impl Socket {
    /// Connects. Any trouble here may pass: it is told as text, and the caller tries again.
    ///
    /// # Errors
    ///
    /// In words, for the log.
    pub async fn connect(link: &Link, trust: &Trust) -> Result<Self, String> {
        let tcp = TcpStream::connect((link.host.as_str(), link.port))
            .await
            .map_err(|e| e.to_string())?;
        tcp.set_nodelay(true).map_err(|e| e.to_string())?;
        let local = tcp.local_addr().map_err(|e| e.to_string())?.ip();
        let stream: Box<dyn Stream> = if link.tls {
            let config = trust.0.clone().ok_or("no authority is given for https")?;
            let name = ServerName::try_from(link.host.clone()).map_err(|e| e.to_string())?;
            let tls = TlsConnector::from(config).connect(name, tcp).await;
            Box::new(tls.map_err(|e| e.to_string())?)
        } else {
            Box::new(tcp)
        };
        let host = if link.host.contains(':') {
            format!("[{}]", link.host)
        } else {
            link.host.clone()
        };
        let scheme = if link.tls { "wss" } else { "ws" };
        let url = format!("{scheme}://{host}:{}/ws", link.port);
        let (socket, _) = tokio_tungstenite::client_async(url, stream)
            .await
            .map_err(|e| e.to_string())?;
        Ok(Self { socket, local })
    }

    /// The next frame. Cancel safe.
    ///
    /// # Errors
    ///
    /// In words, when the connection is over.
    pub async fn next(&mut self) -> Result<ServerFrame, String> {
        loop {
            let message = match self.socket.next().await {
                None => return Err("the server closed the connection".to_owned()),
                Some(message) => message.map_err(|e| e.to_string())?,
            };
            // The rest is WebSocket's own business, and the library's.
            if let Message::Text(text) = message {
                match serde_json::from_str(&text) {
                    Ok(frame) => return Ok(frame),
                    Err(error) => tracing::warn!(%error, "a frame of a newer server is left out"),
                }
            }
        }
    }

    /// Says a frame.
    ///
    /// # Errors
    ///
    /// In words, when the connection is over.
    pub async fn say(&mut self, frame: &ClientFrame) -> Result<(), String> {
        let text = serde_json::to_string(frame).map_err(|e| e.to_string())?;
        let sent = self.socket.send(Message::text(text)).await;
        sent.map_err(|e| e.to_string())
    }

    /// Says good-bye.
    pub async fn close(mut self) {
        if let Err(error) = self.socket.close(None).await {
            tracing::debug!(%error, "the connection was gone before it was closed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_as_they_are_handed_out() {
        let link: Link = "https://hoinghi.example:8443/site#abc-DEF_1"
            .parse()
            .unwrap();
        assert_eq!(
            (link.tls, link.host.as_str(), link.port),
            (true, "hoinghi.example", 8443)
        );
        assert_eq!(link.token, "abc-DEF_1");
        assert!(
            !format!("{link:?}").contains("abc-DEF_1"),
            "tokens are secret"
        );
        let link: Link = "http://[::1]/site#t".parse().unwrap();
        assert_eq!(
            (link.tls, link.host.as_str(), link.port),
            (false, "::1", 80)
        );
    }

    #[test]
    fn a_wrong_link_says_what_is_wrong() {
        for (text, why) in [
            ("http://host/site", "no #token"),
            ("http://host/site#", "token is empty"),
            ("ftp://host/site#t", "neither http"),
            ("host/site#t", "no http"),
            ("http://:80/site#t", "no server"),
            ("http://host:x/site#t", "port"),
        ] {
            let error = text.parse::<Link>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
