//! From a relay's address to a session on it: TCP, TLS, EHLO, AUTH.

use std::path::PathBuf;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
#[expect(deprecated, reason = "as in `stream`")]
use lettre::transport::smtp::client::AsyncNetworkStream;
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::Ehlo;
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::capabilities::Announced;
use super::reply::refusal;
use super::session::Session;
use super::stage::Stage;
use super::stream::{RelayStream, TlsRelayStream};
use super::timeouts::Timeouts;
use crate::domain::delivery::Reply;
use crate::domain::relay::{Security, SmtpUrl};

/// What a session needs to know besides the URL.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// The argument of EHLO: this machine's name, or its address literal (`[192.0.2.1]`).
    pub hello: String,
    /// Certificates (PEM) that are trusted besides the system's, for a private CA.
    pub ca_file: Option<PathBuf>,
    pub timeouts: Timeouts,
    /// Letters after which a session is closed and another one opened.
    pub letters: u32,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { hello: "[127.0.0.1]".to_owned(), ca_file: None, timeouts: Timeouts::default(), letters: 1_000 }
    }
}

/// Why there is no session. All of it is about the relay and us, nothing about a reader.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No line, or it broke before the session stood. Worth another try.
    #[error("the relay {relay} can't be reached: {why}")]
    Unreachable { relay: String, why: String },
    /// The relay answered, and not with a yes.
    #[error("the relay {relay} refused us at {stage}: {reply}")]
    Refused { relay: String, stage: Stage, reply: Reply },
    #[error(
        "the relay {relay} offers no STARTTLS; use smtps:// or a port that has it, and never send in the clear"
    )]
    NoStartTls { relay: String },
    #[error(
        "no safe TLS with the relay {relay}: {why}; check its name and certificate, or name its CA as relay.ca_file"
    )]
    Tls { relay: String, why: String },
    #[error(
        "the relay {relay} offers neither AUTH PLAIN nor LOGIN; remove the user from relay.url or use its submission port"
    )]
    NoAuth { relay: String },
    #[error("smtp://{relay} would be plain text beyond this machine; use smtps:// or ?starttls=required")]
    PlainBeyondLoopback { relay: String },
    #[error("the CA file {} can't be used: {why}; give PEM certificates", .file.display())]
    CaFile { file: PathBuf, why: String },
}

/// A relay to open sessions on; the trust in certificates is loaded once.
pub struct Relay {
    url: SmtpUrl,
    /// `host:port`, as errors name it.
    name: String,
    hello: ClientId,
    tls: Option<TlsParameters>,
    options: SessionOptions,
}

impl Relay {
    /// Prepares for `url`; opens nothing yet.
    ///
    /// # Errors
    /// [`ConnectError::CaFile`] or [`ConnectError::Tls`] if the certificates to trust
    /// can't be loaded.
    pub fn new(url: &SmtpUrl, options: SessionOptions) -> Result<Self, ConnectError> {
        let name = format!("{}:{}", url.host, url.port);
        let tls = match url.security {
            Security::Plain => None,
            Security::StartTls | Security::Tls => Some(trust(url, &name, options.ca_file.as_ref())?),
        };
        let hello = ClientId::Domain(options.hello.chars().filter(char::is_ascii_graphic).collect());
        Ok(Self { url: url.clone(), name, hello, tls, options })
    }

    /// Opens a session: connected, encrypted as the URL demands, authenticated, ready for MAIL.
    ///
    /// # Errors
    /// [`ConnectError`] names the relay and says what to do; the line is closed.
    pub async fn open(&self) -> Result<Session, ConnectError> {
        let times = self.options.timeouts;
        let stream = self.within(times.connect, "no connection", TcpStream::connect(self.address())).await?;
        let stream = stream.map_err(|error| self.unreachable(error.to_string()))?;
        if self.url.security == Security::Plain
            && !stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback())
        {
            return Err(ConnectError::PlainBeyondLoopback { relay: self.name.clone() });
        }
        // Without it each letter waits some 40 ms for a delayed ACK.
        stream.set_nodelay(true).map_err(|error| self.unreachable(error.to_string()))?;
        let line = RelayStream::new(stream, self.url.security == Security::StartTls);
        let written = line.written();
        let stream = self.implicit_tls(line).await?;
        let greeted = AsyncSmtpConnection::connect_with_transport(stream, &self.hello);
        let greeted = self.within(times.greeting, "no greeting", greeted).await?;
        let mut connection = greeted.map_err(|error| self.failed(Stage::Greeting, &error))?;
        self.starttls(&mut connection).await?;
        let announced = self.extensions(&mut connection).await?;
        self.authenticate(&mut connection).await?;
        Ok(Session::new(connection, written, announced, times, self.options.letters))
    }

    fn address(&self) -> (&str, u16) {
        (&self.url.host, self.url.port)
    }

    #[expect(deprecated, reason = "as in `stream`")]
    async fn implicit_tls(&self, line: RelayStream) -> Result<Box<dyn AsyncTokioStream>, ConnectError> {
        let (Security::Tls, Some(tls)) = (self.url.security, &self.tls) else { return Ok(Box::new(line)) };
        let mut stream = AsyncNetworkStream::use_existing_tokio1(Box::new(line));
        let upgraded = stream.upgrade_tls(tls.clone());
        let upgraded = self.within(self.options.timeouts.connect, "no TLS handshake", upgraded).await?;
        upgraded.map_err(|error| self.tls_failed(&error))?;
        Ok(Box::new(TlsRelayStream(stream)))
    }

    /// STARTTLS if the URL asks for it, and no way around it (RFC 3207 §4.1 leaves that to
    /// the client's policy).
    async fn starttls(&self, connection: &mut AsyncSmtpConnection) -> Result<(), ConnectError> {
        let (Security::StartTls, Some(tls)) = (self.url.security, &self.tls) else { return Ok(()) };
        if !connection.can_starttls() {
            return Err(ConnectError::NoStartTls { relay: self.name.clone() });
        }
        let upgraded = connection.starttls(tls.clone(), &self.hello);
        let upgraded = self.within(self.options.timeouts.greeting, "no answer to STARTTLS", upgraded).await?;
        upgraded.map_err(|error| match refusal(&error) {
            Some(reply) => ConnectError::Refused { relay: self.name.clone(), stage: Stage::StartTls, reply },
            None => self.tls_failed(&error),
        })
    }

    /// Asks once more with EHLO, since lettre keeps PIPELINING and SIZE of the first
    /// answer to itself.
    async fn extensions(&self, connection: &mut AsyncSmtpConnection) -> Result<Announced, ConnectError> {
        let hello = connection.command(Ehlo::new(self.hello.clone()));
        let response = self.within(self.options.timeouts.greeting, "no answer to EHLO", hello).await?;
        match response {
            Ok(response) => Ok(Announced::read(response.message())),
            Err(error) => Err(self.failed(Stage::Hello, &error)),
        }
    }

    async fn authenticate(&self, connection: &mut AsyncSmtpConnection) -> Result<(), ConnectError> {
        let Some(credentials) = &self.url.credentials else { return Ok(()) };
        let ways = [Mechanism::Plain, Mechanism::Login];
        if connection.server_info().get_auth_mechanism(&ways).is_none() {
            return Err(ConnectError::NoAuth { relay: self.name.clone() });
        }
        let credentials = Credentials::new(credentials.user.clone(), credentials.password.clone());
        let asked = connection.auth(&ways, &credentials);
        let answered = self.within(self.options.timeouts.greeting, "no answer to AUTH", asked).await?;
        match answered {
            Ok(response) if response.has_code(235) => Ok(()),
            Ok(response) => Err(self.unreachable(format!("{} is no answer to AUTH", response.code()))),
            Err(error) => Err(self.failed(Stage::Auth, &error)),
        }
    }

    async fn within<T>(
        &self,
        limit: Duration,
        missing: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, ConnectError> {
        timeout(limit, work)
            .await
            .map_err(|_| self.unreachable(format!("{missing} within {} s", limit.as_secs_f32())))
    }

    fn unreachable(&self, why: String) -> ConnectError {
        ConnectError::Unreachable { relay: self.name.clone(), why }
    }

    fn failed(&self, stage: Stage, error: &Error) -> ConnectError {
        match refusal(error) {
            Some(reply) => ConnectError::Refused { relay: self.name.clone(), stage, reply },
            None => self.unreachable(format!("at {stage}: {error}")),
        }
    }

    /// A handshake that failed for what the peer showed (its certificate, its protocol) is told
    /// from a broken line.
    fn tls_failed(&self, error: &Error) -> ConnectError {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<std::io::Error>()
                && io.kind() == std::io::ErrorKind::InvalidData
            {
                return ConnectError::Tls { relay: self.name.clone(), why: io.to_string() };
            }
            cause = error.source();
        }
        self.unreachable(format!("in the TLS handshake: {error}"))
    }
}

fn trust(url: &SmtpUrl, name: &str, ca_file: Option<&PathBuf>) -> Result<TlsParameters, ConnectError> {
    let mut builder = TlsParameters::builder(url.host.clone()).certificate_store(CertificateStore::Default);
    if let Some(file) = ca_file {
        let unusable = |why: String| ConnectError::CaFile { file: file.clone(), why };
        let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
        if !pem.windows(27).any(|w| w == b"-----BEGIN CERTIFICATE-----") {
            return Err(unusable("there is no certificate in it".to_owned()));
        }
        let ca = Certificate::from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
        builder = builder.add_root_certificate(ca);
    }
    builder.build().map_err(|error| ConnectError::Tls { relay: name.to_owned(), why: error.to_string() })
}
