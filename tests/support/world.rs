//! A store on either engine, and what to put in it.

use sqlx::{AnyConnection, Connection as _};
use verdicts::domain::comparison::Comparison;
use verdicts::domain::delivery::{Finished, Reply, Transition};
use verdicts::domain::issue::{IssueNumber, NewIssue};
use verdicts::domain::subscriber::{NewSubscriber, SubscriberId, SubscriberStatus};
use verdicts::domain::{EmailAddress, UnixMillis};
use verdicts::store::{Enqueue, Enqueued, Store};

use super::programs::postgres;

/// Tuesday, 2026-11-17T14:00:00Z.
pub const NOW: UnixMillis = UnixMillis(1_794_924_000_000);

/// An engine with an empty database of its own.
pub struct World {
    pub url: String,
    pub store: Store,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("new/verdicts.db").display());
        let store = Store::open(&url).await.expect("the store opens");
        Self { url, store, _folder: Some(folder) }
    }

    pub async fn postgres() -> Self {
        let url = postgres::fresh_database().await;
        let store = Store::open(&url).await.expect("the store opens");
        Self { url, store, _folder: None }
    }

    /// The same place with nothing in it, not even tables.
    pub async fn emptied(self) -> Self {
        self.store.close().await;
        match self.url.strip_prefix("sqlite:") {
            Some(file) => {
                for file in [file.to_owned(), format!("{file}-wal"), format!("{file}-shm")] {
                    let _ = std::fs::remove_file(file);
                }
            }
            None => {
                self.raw("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.expect("it is emptied");
            }
        }
        let store = Store::open_unchecked(&self.url).await.expect("the store opens");
        Self { store, ..self }
    }

    /// The same place as an old release left it when it was new: the first `schema` migrations, and
    /// no rows.
    pub async fn of_schema(self, schema: i64) -> Self {
        let world = self.emptied().await;
        let folder =
            if world.url.starts_with("sqlite:") { "migrations/sqlite" } else { "migrations/postgres" };
        let files = std::fs::read_dir(folder).expect("the tests run in the project's folder");
        let mut files: Vec<_> = files.map(|entry| entry.expect("a file").path()).collect();
        files.sort();
        world
            .raw(
                "CREATE TABLE schema_version (
                    version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)",
            )
            .await
            .expect("the table of versions");
        for (file, version) in files.iter().zip(1..=schema) {
            let text = std::fs::read_to_string(file).expect("a migration");
            world.raw(&text).await.expect("the migration runs");
            let at = format!("INSERT INTO schema_version VALUES ({version}, '{version}', 0)");
            world.raw(&at).await.expect("its version is written down");
        }
        world
    }

    /// Statements past the store, on a connection of their own.
    pub async fn raw(&self, text: &str) -> Result<(), sqlx::Error> {
        sqlx::any::install_default_drivers();
        let url = self.url.replace("sqlite:", "sqlite://");
        let mut connection = AnyConnection::connect(&url).await?;
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut connection).await.map(|_| ());
        connection.close().await?;
        done
    }

    /// As another process sees it: pools of its own.
    pub async fn another(&self) -> Store {
        Store::open(&self.url).await.expect("the store opens twice")
    }

    pub async fn with_readers(&self, count: usize) {
        let (rows, hashes) = readers(count);
        for (rows, hashes) in rows.chunks(1000).zip(hashes.chunks(1000)) {
            self.store.add_subscribers(rows, hashes).await.expect("the readers go in");
        }
    }

    /// The same letter for everybody, now.
    pub async fn enqueue(&self, number: IssueNumber, issue: NewIssue) -> Enqueued {
        self.store.enqueue(&Enqueue::new(number, issue), NOW).await.expect("the store answers")
    }

    /// `readers` active subscribers and an issue that is on its way to them.
    pub async fn running(readers: usize, world: Self) -> Self {
        world.with_readers(readers).await;
        let started = world.enqueue(IssueNumber(1), issue(&[])).await;
        assert_eq!(started, Enqueued::Started { number: IssueNumber(1), audience: readers as i64 });
        world
    }
}

pub fn email(n: usize) -> EmailAddress {
    EmailAddress::parse(&format!("reader{n}@example.com")).expect("an address")
}

pub fn reader(n: usize, status: SubscriberStatus) -> NewSubscriber {
    NewSubscriber {
        email: email(n),
        name: n.is_multiple_of(2).then(|| format!("Reader \"{n}\" Ünal")),
        status,
        timezone: Some("Europe/Berlin".to_owned()),
        created_at: NOW,
        source: "import:readers.csv".to_owned(),
    }
}

/// Readers 1 to `count`, active, and their hashes.
pub fn readers(count: usize) -> (Vec<NewSubscriber>, Vec<String>) {
    let rows = (1..=count).map(|n| reader(n, SubscriberStatus::Active)).collect();
    (rows, (1..=count).map(hash).collect())
}

pub fn hash(n: usize) -> String {
    format!("hash{n:060}")
}

pub fn issue(featured: &[&str]) -> NewIssue {
    NewIssue {
        slot: None,
        cutoff_at: NOW,
        subject: "Which one ships?".to_owned(),
        preheader: "Two tools, one verdict".to_owned(),
        stencil: "{\"segments\":[\"Hello \\u0001\"]}".to_owned(),
        featured: featured.iter().map(|slug| (*slug).to_owned()).collect(),
        mentioned: Vec::new(),
    }
}

pub fn comparison(slug: &str, published_at: UnixMillis) -> Comparison {
    let tool = |name: &str| {
        serde_json::json!({
            "slug": name, "name": name, "category": "Editors", "tagline": "Edits.", "description": "It edits.",
            "pricing": {"entry": "Free"}, "community": null,
            "reviews": [{"reviewer": "Skeptic", "verdict": "ship", "quote": "Fine by me."}],
        })
    };
    serde_json::from_value(serde_json::json!({
        "slug": slug, "title": "A vs B", "question": "Which?", "url": "https://verdicts.example/compare/a-vs-b",
        "published_at": published_at.utc().to_rfc3339(), "tools": [tool("a"), tool("b")],
    }))
    .expect("a comparison")
}

pub fn reply(code: u16, text: &str) -> Reply {
    Reply { code, enhanced: Some(format!("{}.1.0", code / 100)), text: text.to_owned() }
}

pub fn finished(subscriber: SubscriberId, transition: Transition) -> Finished {
    Finished { issue: IssueNumber(1), subscriber, transition }
}

pub fn sent(subscriber: SubscriberId) -> Finished {
    finished(subscriber, Transition::Sent { reply: reply(250, "taken") })
}

pub fn deferred(subscriber: SubscriberId, due_at: UnixMillis, unknown: bool) -> Finished {
    let reply = Some(reply(451, "later"));
    finished(subscriber, Transition::Deferred { due_at, reply, note: "busy".to_owned(), unknown })
}

pub fn failed(subscriber: SubscriberId) -> Finished {
    let reply = Some(reply(550, "nobody here"));
    finished(subscriber, Transition::Failed { reply, note: "hard bounce".to_owned() })
}

pub fn returned(subscriber: SubscriberId, due_at: UnixMillis) -> Finished {
    finished(subscriber, Transition::Returned { due_at, note: "relay down".to_owned() })
}
