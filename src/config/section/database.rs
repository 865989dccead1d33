//! `[database]`: where every row is kept.

use std::fmt;
use std::path::Path;

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::value::from_either;

#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    pub url: DatabaseUrl,
}

pub(in crate::config) fn database(raw: &Raw, folder: &Path) -> Result<DatabaseSettings, ConfigError> {
    let url = from_either(raw, "database.url", "database.url_file", folder, |text| {
        DatabaseUrl::parse(text, folder)
    })?;
    Ok(DatabaseSettings { url })
}

/// A database URL that the store understands: `sqlite:PATH` or `postgres://…`. `Display` and
/// `Debug` mask the password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

const FORMS: &str = "use sqlite:FILE or postgres://user:password@host/database";

impl DatabaseUrl {
    /// Parses a URL; a relative SQLite file is taken from `folder`.
    ///
    /// # Errors
    /// One line that never repeats the URL, since it may hold a password.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("sqlite:") {
            let file = rest.strip_prefix("//").unwrap_or(rest);
            return match file {
                "" => Err(format!("the SQLite file has no name; {FORMS}")),
                ":memory:" => Err(format!("a database in memory forgets who got a letter; {FORMS}")),
                file if file.contains('?') => {
                    Err(format!("it has options after a ?, which we set ourselves; {FORMS}"))
                }
                file => Ok(Self(format!("sqlite:{}", folder.join(file).display()))),
            };
        }
        let url = url::Url::parse(text).map_err(|error| format!("it is not a URL ({error}); {FORMS}"))?;
        match url.scheme() {
            "postgres" | "postgresql" => Ok(Self(text.to_owned())),
            scheme => Err(format!("its scheme {scheme:?} is unknown; {FORMS}")),
        }
    }

    /// The URL itself, password and all, for `Store::open`. Never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The file, if it is SQLite.
    pub fn sqlite_file(&self) -> Option<&Path> {
        self.0.strip_prefix("sqlite:").map(Path::new)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sqlite_file().is_some() {
            return f.write_str(&self.0);
        }
        // Options may hold a password too (?password=…), so they are left out altogether.
        match url::Url::parse(&self.0) {
            Ok(mut url) => {
                url.set_query(None);
                if url.password().is_some() && url.set_password(Some("***")).is_err() {
                    return f.write_str("postgres://***");
                }
                write!(f, "{url}")
            }
            Err(_) => f.write_str("postgres://***"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
