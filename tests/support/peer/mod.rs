//! A scripted SMTP peer: a small server on loopback that says what a test wants it to say, and keeps its own ledger of
//! what it took.

mod script;
mod session;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

pub use script::{Act, Ask, At, Ehlo, Script, Tls};

use session::serve;

/// A letter that the peer took responsibility for.
#[derive(Clone, Debug)]
pub struct Taken {
    pub to: String,
    pub message_id: String,
    /// As the reader would get it: dots undone.
    pub letter: Vec<u8>,
    pub session: usize,
    pub encrypted: bool,
}

pub struct Peer {
    pub addr: SocketAddr,
    /// The CA that signed the peer's certificate.
    pub ca_pem: String,
    state: Arc<State>,
    accepting: tokio::task::JoinHandle<()>,
}

struct State {
    script: Script,
    acceptor: TlsAcceptor,
    taken: Mutex<Vec<Taken>>,
    commands: Mutex<Vec<String>>,
    rcpts: Mutex<HashMap<String, usize>>,
    sessions: AtomicUsize,
    standing: AtomicUsize,
    most_standing: AtomicUsize,
    /// MAIL commands that had RCPT right behind them.
    groups: AtomicUsize,
}

impl Peer {
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, script)
    }

    /// On a listener that the test bound, for a peer that comes back on the same port.
    pub fn on(listener: TcpListener, script: Script) -> Self {
        let (acceptor, ca_pem) = certificates();
        let state = Arc::new(State {
            script,
            acceptor,
            taken: Mutex::default(),
            commands: Mutex::default(),
            rcpts: Mutex::default(),
            sessions: AtomicUsize::new(0),
            standing: AtomicUsize::new(0),
            most_standing: AtomicUsize::new(0),
            groups: AtomicUsize::new(0),
        });
        let addr = listener.local_addr().unwrap();
        let shared = state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                tokio::spawn(async move {
                    let standing = state.standing.fetch_add(1, Ordering::SeqCst) + 1;
                    state.most_standing.fetch_max(standing, Ordering::SeqCst);
                    let number = state.sessions.fetch_add(1, Ordering::SeqCst) + 1;
                    let _ = serve(stream, &state, number).await;
                    state.standing.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { addr, ca_pem, state, accepting }
    }

    pub fn url(&self) -> String {
        match self.state.script.tls {
            Tls::None => format!("smtp://{}", self.addr),
            Tls::Upgrade => format!("smtp://{}?starttls=required", self.addr),
            Tls::Implicit => format!("smtps://{}", self.addr),
        }
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.state.taken.lock().unwrap().clone()
    }

    /// How many letters each recipient has got.
    pub fn copies(&self) -> HashMap<String, usize> {
        let mut copies = HashMap::new();
        for taken in self.state.taken.lock().unwrap().iter() {
            *copies.entry(taken.to.clone()).or_default() += 1;
        }
        copies
    }

    pub fn commands(&self) -> Vec<String> {
        self.state.commands.lock().unwrap().clone()
    }

    pub fn sessions(&self) -> usize {
        self.state.sessions.load(Ordering::SeqCst)
    }

    pub fn most_standing(&self) -> usize {
        self.state.most_standing.load(Ordering::SeqCst)
    }

    pub fn groups(&self) -> usize {
        self.state.groups.load(Ordering::SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A CA of the test's own, and a certificate for loopback signed by it.
fn certificates() -> (TlsAcceptor, String) {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params =
        rcgen::CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, &ca).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), ca.pem())
}
