//! Where letters are handed over: the relay's URL, parsed once, printed without its password.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// The relay as `relay.url` names it.
#[derive(Clone, PartialEq, Eq)]
pub enum RelayUrl {
    /// `outbox:FOLDER`: letters become `.eml` files.
    Outbox(PathBuf),
    /// `smtp://…` or `smtps://…`.
    Smtp(SmtpUrl),
}

#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    pub security: Security,
    pub host: String,
    pub port: u16,
    pub credentials: Option<Credentials>,
}

/// How the line to the relay is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// Not at all; only ever to a loopback address.
    Plain,
    /// STARTTLS, required: without it we don't go on (RFC 3207).
    StartTls,
    /// TLS from the first octet (RFC 8314).
    Tls,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

const FORMS: &str = "use outbox:FOLDER, smtp://user:password@host:587, smtps://user:password@host or, on this machine only, \
                     smtp://127.0.0.1:2525";

impl RelayUrl {
    /// Parses a relay URL. `smtp://` means STARTTLS (port 587), except to a loopback host, where it
    /// is plain (port 25) unless `?starttls=required` asks for it. `smtps://` means TLS (port 465).
    ///
    /// # Errors
    /// One line that never repeats the URL, since it may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(folder) = text.strip_prefix("outbox:") {
            return match folder {
                "" => Err(format!("the outbox has no folder; {FORMS}")),
                folder => Ok(Self::Outbox(PathBuf::from(folder))),
            };
        }
        let url = url::Url::parse(text).map_err(|error| format!("it is not a URL ({error}); {FORMS}"))?;
        let host =
            url.host_str().filter(|h| !h.is_empty()).ok_or_else(|| format!("it has no host; {FORMS}"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !matches!(url.path(), "" | "/") {
            return Err(format!("it has a path, which a relay has not; {FORMS}"));
        }
        let required = match url.query() {
            None => false,
            Some("starttls=required") => true,
            Some(_) => return Err("it has an unknown option; the only one is ?starttls=required".to_owned()),
        };
        let security = match url.scheme() {
            "smtps" => Security::Tls,
            "smtp" if is_loopback(&host) && !required => Security::Plain,
            "smtp" => Security::StartTls,
            scheme => return Err(format!("its scheme {scheme:?} is unknown; {FORMS}")),
        };
        let port = url.port().unwrap_or(match security {
            Security::Plain => 25,
            Security::StartTls => 587,
            Security::Tls => 465,
        });
        Ok(Self::Smtp(SmtpUrl { security, host, port, credentials: credentials(&url)? }))
    }
}

fn credentials(url: &url::Url) -> Result<Option<Credentials>, String> {
    let decode = |text: &str| {
        let text = percent_decode_str(text)
            .decode_utf8()
            .map_err(|_| "its user or password is not UTF-8".to_owned())?;
        match text.chars().any(char::is_control) {
            true => Err("its user or password has a control character".to_owned()),
            false => Ok(text.into_owned()),
        }
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) => Err("it has a password and no user; write smtp://user:password@host".to_owned()),
        (_, None) => Err("it has a user and no password; write smtp://user:password@host".to_owned()),
        (user, Some(password)) => Ok(Some(Credentials { user: decode(user)?, password: decode(password)? })),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Display for RelayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outbox(folder) => write!(f, "outbox:{}", folder.display()),
            Self::Smtp(smtp) => smtp.fmt(f),
        }
    }
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.security == Security::Tls { "smtps" } else { "smtp" };
        let user = self.credentials.as_ref().map(|c| format!("{}:***@", c.user)).unwrap_or_default();
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{scheme}://{user}{host}:{}", self.port)
    }
}

impl fmt::Debug for RelayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}:***)", self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_follows_from_scheme_and_host() {
        for (text, printed, security) in [
            ("smtp://127.0.0.1:2525", "smtp://127.0.0.1:2525", Security::Plain),
            ("smtp://[::1]", "smtp://[::1]:25", Security::Plain),
            ("smtp://localhost?starttls=required", "smtp://localhost:587", Security::StartTls),
            ("smtp://u:p%40ss@mail.example.com", "smtp://u:***@mail.example.com:587", Security::StartTls),
            ("smtps://mail.example.com", "smtps://mail.example.com:465", Security::Tls),
        ] {
            let RelayUrl::Smtp(url) = RelayUrl::parse(text).unwrap() else { panic!("{text}") };
            assert_eq!((format!("{url} {url:?}"), url.security), (format!("{printed} {printed}"), security));
        }
    }

    #[test]
    fn a_bad_url_is_refused_without_its_password() {
        for text in [
            "",
            "outbox:",
            "http://hunter2@x.example",
            "smtp://:hunter2@x.example",
            "smtp://hunter2@x.example",
            "smtp://u:hunter2@x.example/path",
            "smtp://u:hunter2@x.example?tls=no",
        ] {
            let error = RelayUrl::parse(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
