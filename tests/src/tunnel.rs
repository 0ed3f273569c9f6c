//! TLS to a server for clients that speak without: each connection to the tunnel is one to the server, encrypted.

use anyhow::{Context, Result};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpSocket, TcpStream},
    task::AbortHandle,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// What the tunnel's machine keeps of what nobody reads: a client that does not read is felt by the server.
const KEPT_BYTES: u32 = 16 * 1024;

/// Open until it is dropped.
#[derive(Debug)]
pub struct Tunnel {
    /// Where clients connect.
    pub host: String,
    task: AbortHandle,
}

impl Tunnel {
    /// To a server on the loopback whose authority's certificate is, or will be, in this file.
    ///
    /// # Errors
    /// No port is free.
    pub async fn open(server: SocketAddr, authority: PathBuf) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let host = listener.local_addr()?.to_string();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, authority.clone()));
            }
        });
        let task = task.abort_handle();
        Ok(Self { host, task })
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A connection that breaks on one side ends on the other.
async fn carry(mut client: TcpStream, server: SocketAddr, authority: PathBuf) -> Result<()> {
    let mut tls = connect(server, config(&authority)?).await?;
    copy_bidirectional(&mut client, &mut tls).await?;
    Ok(())
}

/// How a client trusts the authority whose certificate is in this file.
///
/// # Errors
/// There is none yet.
pub fn config(authority: &Path) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(authority);
    roots.add(certificate.ok().context("no authority yet")?)?;
    Ok(ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// TLS to a server on the loopback.
///
/// # Errors
/// There is none, or it is not trusted.
pub async fn connect(server: SocketAddr, config: ClientConfig) -> Result<TlsStream<TcpStream>> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(KEPT_BYTES)?;
    let tcp = socket.connect(server).await?;
    let name = ServerName::from(server.ip());
    let tls = TlsConnector::from(Arc::new(config));
    Ok(tls.connect(name, tcp).await?)
}
