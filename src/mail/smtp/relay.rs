//! From a relay's address to a session on it: TCP, TLS, EHLO, AUTH.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::capabilities::Announced;
use super::line::{Line, LineError};
use super::reply::ReplyText;
use super::session::Session;
use super::stage::Stage;
use super::stream::RelayStream;
use super::timeouts::Timeouts;
use crate::domain::delivery::Reply;
use crate::domain::relay::{Credentials, Security, SmtpUrl};

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
    hello: String,
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
        let hello = options.hello.chars().filter(char::is_ascii_graphic).collect();
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
        let stream = RelayStream::new(stream);
        let written = stream.written();
        let mut line = Line::new(stream);
        if let (Security::Tls, Some(tls)) = (self.url.security, &self.tls) {
            self.encrypt(&mut line, tls).await?;
        }
        let greeting = self.heard(Stage::Greeting, line.reply()).await?;
        self.yes(Stage::Greeting, greeting)?;
        let mut announced = self.hello(&mut line).await?;
        if let (Security::StartTls, Some(tls)) = (self.url.security, &self.tls) {
            self.starttls(&mut line, announced, tls).await?;
            // What was announced in the clear counts no more (RFC 3207 §4.2).
            announced = self.hello(&mut line).await?;
        }
        if let Some(credentials) = &self.url.credentials {
            self.authenticate(&mut line, announced, credentials).await?;
        }
        Ok(Session::new(line, written, announced, times, self.options.letters))
    }

    fn address(&self) -> (&str, u16) {
        (&self.url.host, self.url.port)
    }

    async fn encrypt(&self, line: &mut Line, tls: &TlsParameters) -> Result<(), ConnectError> {
        let encrypted = line.encrypt(tls.clone());
        let encrypted = self.within(self.options.timeouts.connect, "no TLS handshake", encrypted).await?;
        encrypted.map_err(|error| self.tls_failed(&error))
    }

    /// Says EHLO, or HELO to who does not know that (RFC 5321 §3.2), once for each start of the
    /// conversation: some refuse a second one.
    async fn hello(&self, line: &mut Line) -> Result<Announced, ConnectError> {
        let mut announced = Announced::default();
        let mut text = ReplyText::default();
        let mut lines = 0;
        let asked = async {
            line.say(&format!("EHLO {}\r\n", self.hello)).await?;
            line.each_line(|code, words| {
                text.add(code, words);
                // The first line is the relay's name.
                if lines > 0 {
                    announced.add(words);
                }
                lines += 1;
            })
            .await
        };
        let code = self.heard(Stage::Hello, asked).await?;
        if matches!(code, 500 | 502 | 504) {
            let helo = format!("HELO {}\r\n", self.hello);
            let reply = self.heard(Stage::Hello, line.ask(&helo)).await?;
            self.yes(Stage::Hello, reply)?;
            return Ok(Announced::default());
        }
        self.yes(Stage::Hello, text.into_reply(code))?;
        Ok(announced)
    }

    /// STARTTLS if the URL asks for it, and no way around it (RFC 3207 §4.1 leaves that to
    /// the client's policy).
    async fn starttls(
        &self,
        line: &mut Line,
        announced: Announced,
        tls: &TlsParameters,
    ) -> Result<(), ConnectError> {
        if !announced.starttls {
            return Err(ConnectError::NoStartTls { relay: self.name.clone() });
        }
        let reply = self.heard(Stage::StartTls, line.ask("STARTTLS\r\n")).await?;
        self.yes(Stage::StartTls, reply)?;
        // What somebody slips in behind the relay's `220` must not pass for its encrypted answer;
        // what comes later than this runs into the handshake, which refuses it.
        if line.has_unread() {
            let why = "there are words in the clear behind its answer to STARTTLS".to_owned();
            return Err(ConnectError::Tls { relay: self.name.clone(), why });
        }
        self.encrypt(line, tls).await
    }

    /// AUTH PLAIN, or LOGIN where that is not offered.
    async fn authenticate(
        &self,
        line: &mut Line,
        announced: Announced,
        credentials: &Credentials,
    ) -> Result<(), ConnectError> {
        let Credentials { user, password } = credentials;
        let words = if announced.auth_plain {
            // A relay that asks first, in spite of the answer in the command, gets it once more.
            let answer = STANDARD.encode(format!("\0{user}\0{password}"));
            [format!("AUTH PLAIN {answer}\r\n"), format!("{answer}\r\n"), String::new()]
        } else if announced.auth_login {
            let [user, password] = [user, password].map(|word| format!("{}\r\n", STANDARD.encode(word)));
            ["AUTH LOGIN\r\n".to_owned(), user, password]
        } else {
            return Err(ConnectError::NoAuth { relay: self.name.clone() });
        };
        for words in words.iter().filter(|words| !words.is_empty()) {
            let reply = self.heard(Stage::Auth, line.ask(words)).await?;
            if reply.code != 334 {
                return self.yes(Stage::Auth, reply);
            }
        }
        Err(self.unreachable("334 is no last answer to AUTH".to_owned()))
    }

    /// The answer in time, or why there is none.
    async fn heard<T>(
        &self,
        stage: Stage,
        asked: impl Future<Output = Result<T, LineError>>,
    ) -> Result<T, ConnectError> {
        let limit = self.options.timeouts.greeting;
        let answered = self.within(limit, &format!("no answer to {stage}"), asked).await?;
        answered.map_err(|error| self.unreachable(format!("the line broke at {stage}: {error}")))
    }

    /// Only a 2xx lets us on.
    fn yes(&self, stage: Stage, reply: Reply) -> Result<(), ConnectError> {
        match reply.code {
            200..300 => Ok(()),
            400.. => Err(ConnectError::Refused { relay: self.name.clone(), stage, reply }),
            _ => Err(self.unreachable(format!("{reply} is no answer to {stage}"))),
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
