//! One session of the peer, command by command.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Act, Ask, At, Ehlo, State, Taken, Tls};

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

type Line = BufReader<Box<dyn Stream>>;

/// Ends the session.
pub(super) struct Gone;

impl From<std::io::Error> for Gone {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

struct Session<'a> {
    line: Line,
    state: &'a State,
    number: usize,
    encrypted: bool,
    greeted: bool,
    to: Option<String>,
    nth: usize,
}

pub(super) async fn serve(stream: TcpStream, state: &State, number: usize) -> Result<(), Gone> {
    stream.set_nodelay(true)?;
    let implicit = state.script.tls == Tls::Implicit;
    let stream: Box<dyn Stream> =
        if implicit { Box::new(state.acceptor.accept(stream).await?) } else { Box::new(stream) };
    let mut session = Session {
        line: BufReader::new(stream),
        state,
        number,
        encrypted: implicit,
        greeted: false,
        to: None,
        nth: 0,
    };
    session.act(At::Greeting, "220 peer.test ESMTP").await?;
    loop {
        let line = session.read().await?;
        state.commands.lock().unwrap().push(line.clone());
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" if session.greeted && state.script.ehlo == Ehlo::Once => {
                session.say("503 5.5.1 Invalid command: Already identified").await?;
            }
            "EHLO" if state.script.ehlo == Ehlo::Unknown => session.say("502 unimplemented").await?,
            "EHLO" => session.hello().await?,
            "HELO" => session.say("250 peer.test").await?,
            "STARTTLS" => session = session.starttls().await?,
            "AUTH" => session.auth(&line).await?,
            "MAIL" => {
                if session.line.buffer().starts_with(b"RCPT") {
                    state.groups.fetch_add(1, Ordering::SeqCst);
                }
                session.to = None;
                session.act(At::Mail, "250 2.1.0 ok").await?;
            }
            "RCPT" => session.rcpt(&line).await?,
            "DATA" => session.data().await?,
            "RSET" => {
                session.to = None;
                session.act(At::Rset, "250 2.0.0 ok").await?;
            }
            "QUIT" => {
                session.say("221 2.0.0 bye").await?;
                return Ok(());
            }
            _ => session.say("500 5.5.2 what?").await?,
        }
    }
}

impl Session<'_> {
    async fn read(&mut self) -> Result<String, Gone> {
        let mut line = String::new();
        match self.line.read_line(&mut line).await? {
            0 => Err(Gone),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    async fn say(&mut self, text: &str) -> Result<(), Gone> {
        self.line.write_all(format!("{text}\r\n").as_bytes()).await?;
        Ok(self.line.flush().await?)
    }

    fn ask(&self, at: At) -> Act {
        let to = self.to.clone().unwrap_or_default();
        (self.state.script.rule)(&Ask { at, to, nth: self.nth, session: self.number })
    }

    /// Does what the script says; true if that was a yes.
    async fn act(&mut self, at: At, usual: &str) -> Result<bool, Gone> {
        match self.ask(at) {
            Act::Usual => self.say(usual).await.map(|()| true),
            Act::Say(text) => self.say(text).await.map(|()| text.starts_with(['2', '3'])),
            Act::SayAndDrop(text) => {
                self.say(text).await?;
                Err(Gone)
            }
            Act::SayOctets(octets) => {
                self.line.write_all(octets).await?;
                self.line.flush().await?;
                Ok(octets.starts_with(b"2") || octets.starts_with(b"3"))
            }
            Act::Flood(octets) => loop {
                self.line.write_all(octets).await?;
            },
            Act::Drop | Act::TakeAndDrop => Err(Gone),
            Act::TakeAndHang => std::future::pending().await,
        }
    }

    async fn hello(&mut self) -> Result<(), Gone> {
        self.greeted = true;
        let script = &self.state.script;
        let mut lines = vec!["peer.test".to_owned(), "ENHANCEDSTATUSCODES".to_owned()];
        lines.extend(script.pipelining.then(|| "PIPELINING".to_owned()));
        lines.extend(script.smtputf8.then(|| "SMTPUTF8".to_owned()));
        lines.extend(script.size.map(|size| format!("SIZE {size}")));
        lines.extend(script.auth.map(|(mechanisms, ..)| match mechanisms.strip_prefix('=') {
            Some(old_form) => format!("AUTH={old_form}"),
            None => format!("AUTH {mechanisms}"),
        }));
        lines.extend((script.tls == Tls::Upgrade && !self.encrypted).then(|| "STARTTLS".to_owned()));
        let last = lines.len() - 1;
        for (index, line) in lines.iter().enumerate() {
            self.say(&format!("250{}{line}", if index == last { ' ' } else { '-' })).await?;
        }
        Ok(())
    }

    async fn starttls(mut self) -> Result<Self, Gone> {
        if !self.act(At::StartTls, "220 2.0.0 go ahead").await? {
            return Ok(self);
        }
        let stream = self.state.acceptor.accept(self.line.into_inner()).await?;
        Ok(Session { line: BufReader::new(Box::new(stream)), encrypted: true, greeted: false, ..self })
    }

    async fn auth(&mut self, line: &str) -> Result<(), Gone> {
        let Some((_, user, password)) = self.state.script.auth else {
            return self.say("502 5.5.1 no AUTH here").await;
        };
        let decode =
            |text: &str| String::from_utf8(STANDARD.decode(text).unwrap_or_default()).unwrap_or_default();
        let mut words = line.split(' ').skip(1);
        let good = match words.next() {
            Some("PLAIN") => decode(words.next().unwrap_or_default()) == format!("\0{user}\0{password}"),
            _ => {
                self.say("334 VXNlcm5hbWU6").await?;
                let name = decode(&self.read().await?);
                self.say("334 UGFzc3dvcmQ6").await?;
                let secret = decode(&self.read().await?);
                (name.as_str(), secret.as_str()) == (user, password)
            }
        };
        self.say(if good { "235 2.7.0 welcome" } else { "535 5.7.8 wrong user or password" }).await
    }

    async fn rcpt(&mut self, line: &str) -> Result<(), Gone> {
        let to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        self.nth = {
            let mut rcpts = self.state.rcpts.lock().unwrap();
            let nth = rcpts.entry(to.clone()).or_default();
            *nth += 1;
            *nth
        };
        self.to = Some(to);
        if !self.act(At::Rcpt, "250 2.1.5 ok").await? {
            self.to = None;
        }
        Ok(())
    }

    async fn data(&mut self) -> Result<(), Gone> {
        if self.to.is_none() && !self.state.script.data_without_recipients {
            return self.say("554 5.5.1 no valid recipients").await;
        }
        if !self.act(At::Data, "354 go on").await? {
            return Ok(());
        }
        if self.ask(At::Body) == Act::Drop {
            return Err(Gone);
        }
        let mut letter = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.line.read_until(b'\n', &mut line).await? == 0 {
                return Err(Gone);
            }
            if line == b".\r\n" {
                break;
            }
            letter.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let Some(to) = self.to.clone() else {
            return self.say("554 5.5.1 no valid recipients").await;
        };
        let act = self.ask(At::Dot);
        if matches!(act, Act::Usual | Act::TakeAndDrop | Act::TakeAndHang)
            || matches!(act, Act::SayOctets(octets) if octets.starts_with(b"2"))
        {
            self.take(to, letter);
        }
        self.act(At::Dot, "250 2.0.0 queued").await.map(drop)?;
        self.to = None;
        Ok(())
    }

    fn take(&self, to: String, letter: Vec<u8>) {
        let text = String::from_utf8_lossy(&letter);
        let message_id =
            text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default().to_owned();
        let taken = Taken { to, message_id, letter, session: self.number, encrypted: self.encrypted };
        self.state.taken.lock().unwrap().push(taken);
    }
}
