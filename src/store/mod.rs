//! All SQL. A verb is a whole transaction: it either happened or it did not, and no caller holds one open.
//!
//! One text of SQL serves SQLite and Postgres; `dialect` holds what differs. Times are BIGINT milliseconds.
//! SQLite runs in WAL with one writer at a time (a gate in this process, `busy_timeout` between processes).
//!
//! Locks on Postgres are always taken in this order, so that nobody waits in a ring: the ledger or the intake of
//! subscribers (advisory locks, never both), issue, subscriber, delivery, the paces (another advisory lock).

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::any::AnyConnectOptions;
use sqlx::{Any, AnyPool, Row as _, Transaction};
use tokio::sync::{Mutex, MutexGuard};

use crate::domain::delivery::{DeliveryState, Reply};
use crate::domain::issue::IssueNumber;
use crate::domain::subscriber::SubscriberId;
use crate::domain::{EmailAddress, UnixMillis};

mod addresses;
mod allowances;
mod backup;
mod choices;
mod comparisons;
mod consent;
mod dialect;
mod dossier;
mod enlistment;
mod error;
mod intake;
mod issues;
mod leaving;
mod mark;
mod notices;
mod open;
mod pace_rows;
mod pacing;
mod preferences;
mod queue;
mod reading;
mod retention;
mod schedule;
mod schema;
mod speed;
mod subjects;
mod subscribers;
mod votes;
mod wording;

pub use addresses::{AddressChange, AskedChange, CHANGE_FOR, Changed, TAKE_BACK_FOR};
pub use choices::{Choices, ChosenHour, ChosenTopics, NewVariant, Served, Waiting};
pub use comparisons::Carried;
pub use enlistment::WorkerLease;
pub use error::StoreError;
pub use leaving::{Leaving, Reasons};
pub use mark::{Mark, MarkFile};
pub use notices::NoticeRow;
pub use pacing::{Paced, Pacing};
pub use queue::Turned;
pub use reading::{Figures, ListsVersion};
pub use retention::Requeued;
pub use schema::SCHEMA;
pub use subjects::{Decided, NewSubjectTest, SubjectTest, Subjects};
pub use votes::{CastVote, Total, Voted};

use dialect::{Engine, Texts};
use open::Place;

pub type Result<T> = std::result::Result<T, StoreError>;

/// The store. Cheap to clone; every clone shares the pools.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner.place)
    }
}

struct Inner {
    engine: Engine,
    texts: Texts,
    home: Place,
    options: AnyConnectOptions,
    /// The database as an operator may see it: without its password.
    place: String,
    read: AnyPool,
    /// Commits without an fsync (SQLite, `synchronous=NORMAL`); on Postgres the one pool for everything.
    normal: AnyPool,
    /// Imports (SQLite, `synchronous=NORMAL`): a cache for the whole index, which is given back when the import is over.
    bulk: AnyPool,
    /// Commits with an fsync (SQLite, `synchronous=FULL`); on Postgres the one pool for everything.
    durable: AnyPool,
    /// One writer at a time on SQLite. Waiting here is fair and costs nothing; waiting in `busy_timeout` is neither.
    gate: Mutex<()>,
    leavers: leaving::Leavers,
}

/// Whether a commit has to survive a power cut. A killed process loses nothing either way: the system has the pages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// What somebody was promised (unsubscribed, erased, enqueued, cancelled, paused).
    Full,
    /// The hot loop. On Postgres the same as `Full`.
    Normal,
    /// Imports, which are repeated after a power cut. On Postgres the same as `Full`.
    Bulk,
}

/// A write transaction. Dropped without `commit`, it is rolled back, and only then is the gate free.
struct Write<'a> {
    tx: Transaction<'static, Any>,
    engine: Engine,
    _gate: Option<MutexGuard<'a, ()>>,
}

/// How long a writer waits for writers of other processes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A transaction that reads first and writes later can't wait for another writer.
const IMMEDIATE: &str = "BEGIN IMMEDIATE";

/// Serialises what must not race between processes; SQLite has it from BEGIN IMMEDIATE.
const LOCK_LEDGER: &str = "SELECT pg_advisory_xact_lock(1448432204, 0)";

/// One import at a time: two that have the same people in another order would wait for each other in a ring.
const LOCK_INTAKE: &str = "SELECT pg_advisory_xact_lock(1448432204, 1)";

impl Inner {
    async fn begin(&self, durability: Durability) -> Result<Write<'_>> {
        let pool = match durability {
            Durability::Full => &self.durable,
            Durability::Normal => &self.normal,
            Durability::Bulk => &self.bulk,
        };
        let engine = self.engine;
        match engine {
            Engine::Sqlite => {
                let gate = self.gate.lock().await;
                let tx = match patiently(|| pool.begin_with(IMMEDIATE)).await {
                    // A full disk makes SQLite roll back by itself, and the driver goes on counting a transaction: without a
                    // new connection nothing could be written until the process is started again.
                    Err(sqlx::Error::InvalidSavePointStatement) => {
                        let _ = pool.acquire().await?.close().await;
                        pool.begin_with(IMMEDIATE).await?
                    }
                    begun => begun?,
                };
                Ok(Write { tx, engine, _gate: Some(gate) })
            }
            Engine::Postgres => Ok(Write { tx: pool.begin().await?, engine, _gate: None }),
        }
    }
}

/// Asks again while another process writes, for as long as SQLite itself would wait. Only for what has done nothing when it
/// says that the database is locked: a BEGIN, or one statement by itself.
async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> std::result::Result<T, sqlx::Error>
where
    F: Future<Output = std::result::Result<T, sqlx::Error>>,
{
    let since = Instant::now();
    loop {
        match ask().await {
            Err(error) if error::is_locked(&error) && since.elapsed() < PATIENCE => {}
            result => return result,
        }
    }
}

impl Write<'_> {
    async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }

    async fn lock_ledger(&mut self) -> Result<()> {
        if self.engine == Engine::Postgres {
            sqlx::query(LOCK_LEDGER).execute(&mut *self.tx).await?;
        }
        Ok(())
    }

    async fn lock_intake(&mut self) -> Result<()> {
        if self.engine == Engine::Postgres {
            sqlx::query(LOCK_INTAKE).execute(&mut *self.tx).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Reads one row: for `/readyz` and `check`.
    pub async fn ping(&self) -> Result<()> {
        let row = sqlx::query("SELECT MAX(version) AS version FROM schema_version")
            .fetch_one(&self.inner.read)
            .await?;
        row.try_get::<Option<i64>, _>("version")?;
        Ok(())
    }

    /// Lets what is running end and closes every connection.
    pub async fn close(&self) {
        self.inner.read.close().await;
        self.inner.normal.close().await;
        self.inner.bulk.close().await;
        self.inner.durable.close().await;
    }

    /// Lets the SQLite file grow no further on this store's fast writers, as a full disk would.
    #[doc(hidden)]
    pub async fn limit_pages_for_test(&self) -> Result<()> {
        for pool in [&self.inner.normal, &self.inner.bulk] {
            sqlx::query("PRAGMA max_page_count = 1").fetch_all(pool).await?;
        }
        Ok(())
    }

    /// The statements whose plan a test looks at.
    #[doc(hidden)]
    pub fn hot_queries(&self) -> Vec<(&'static str, String)> {
        let texts = &self.inner.texts;
        let rendered = [
            ("turn", &texts.turn),
            ("failed", &texts.failed),
            ("back", &texts.back),
            ("stay out", &texts.stay_out),
            ("feature", &texts.feature),
            ("retry", &texts.retry),
            ("paces", &texts.paces),
            ("peek", &texts.peek),
            ("claim these", &texts.claim_these),
            ("park", &texts.park),
            ("leavers", &texts.leavers),
            ("leavers end", &texts.end),
            ("leavers are suppressed", &texts.suppress_leavers),
            ("leavings", &texts.note_leaving),
            ("cancel what is open of leavers", &texts.cancel_leavers),
            ("notices of leavers", &texts.forget_for_readers),
            ("claim a notice", &texts.claim_notice),
            ("forget proof", &texts.forget_proof),
            ("forget who was asked", &texts.forget_asked),
            ("forget pending", &texts.forget_pending),
            ("forget who never confirmed", &texts.forget_person),
            ("carried", &texts.carried),
            ("vote totals", &texts.vote_totals),
            ("fence votes", &texts.fence_votes),
            ("drop votes", &texts.drop_votes),
            ("draw for a test", &texts.draw),
            ("figures of a test", &texts.subject_figures),
        ];
        let plain = [
            ("candidates", comparisons::CANDIDATES),
            ("cancel what is open of a subscriber", subscribers::CANCEL_OPEN),
            ("forget a subscriber's words", subscribers::FORGET_WORDS),
            ("revive", leaving::REVIVE),
            ("fan out", issues::FAN_OUT),
            ("letters of an issue", choices::VARIANTS),
            ("by choice", choices::BY_CHOICE),
            ("unforeseen", choices::UNFORESEEN),
            ("waiting", choices::WAITING),
            ("cancel what is open of an issue", issues::CANCEL_OPEN),
            ("left the house", issues::LEFT_THE_HOUSE),
            ("tally", issues::TALLY),
            ("deliveries", issues::DELIVERIES),
            ("next due", queue::NEXT_DUE),
            ("release who waits for a winner", subjects::RELEASE),
            ("who waits for a winner", subjects::WAITING_FOR_WINNER),
            ("a test to decide", subjects::DUE),
            ("who may be drawn for a test", subjects::ELIGIBLE),
            ("done", queue::DONE),
            ("ripe", retention::RIPE),
            ("take out", retention::TAKE_OUT),
            ("next notice", notices::NEXT),
            ("old pending", consent::OLD_PENDING),
            ("who signs up", consent::KNOWN),
            ("where a confirmation stands", consent::STANDING),
            ("the proof confirmed", consent::CONFIRM_PROOF),
            ("notices to a person", notices::TO),
            ("allowances that are over", allowances::OVER),
            ("old notices", notices::OLD),
            ("forget notices", notices::FORGET),
        ];
        let mut all: Vec<_> = rendered.iter().map(|(name, text)| (*name, text.as_str().to_owned())).collect();
        all.extend(plain.iter().map(|(name, text)| (*name, (*text).to_owned())));
        all.push(("figures", reading::figures_text()));
        all.push(("lists version", reading::lists_version_text()));
        all.push(("reclaim", queue::reclaim_text(self.inner.engine)));
        all
    }
}

/// A batch as the one JSON parameter of its statement.
fn json<T: serde::Serialize>(rows: &T) -> Result<String> {
    serde_json::to_string(rows).map_err(|error| StoreError::Statement(error.to_string()))
}

fn address(text: String) -> Result<EmailAddress> {
    // The text itself is not repeated: it may be a person's.
    EmailAddress::parse(&text).map_err(|error| StoreError::content("an address of which", error.to_string()))
}

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What an import of one comparison did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ComparisonChange {
    Added,
    Updated,
    Unchanged,
}

/// What became of one row of a subscriber import, in the order of the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SubscriberChange {
    Added,
    /// The address was there already (in the store, or earlier in the file); nothing was changed.
    Duplicate,
    /// The address is suppressed and stays out.
    Suppressed,
}

/// What happened to the wish to start an issue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Enqueued {
    /// The issue and one delivery per active subscriber stand in the ledger, in one commit.
    Started { number: IssueNumber, audience: i64 },
    /// Somebody else was first: the slot is taken, one of the comparisons has been featured, or another issue is not
    /// finished. Nothing was written.
    Taken { by: Option<IssueNumber> },
    /// Somebody chose meanwhile what no letter was made for, or wrote another subject: compose again. Nothing was written.
    Outdated,
    /// Every reader has paused, or chose topics that it does not touch. Nothing was written.
    NobodyWants,
}

/// The newest issue's cut-off and number: where the next window begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastIssue {
    pub number: IssueNumber,
    pub cutoff_at: UnixMillis,
}

/// One failed (or deferred) delivery for the operator's eyes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRow {
    pub subscriber: SubscriberId,
    /// None once the subscriber is erased.
    pub email: Option<EmailAddress>,
    pub state: DeliveryState,
    pub attempts: u32,
    pub reply: Option<Reply>,
    pub note: Option<String>,
}

/// How long a claim stands if its worker neither answers nor is known to be gone: beyond the longest an SMTP session
/// may take for one letter (RFC 5321 §4.5.3.2: five minutes each for MAIL and RCPT, two for DATA, ten for the final dot).
pub const LEASE: Duration = Duration::from_secs(30 * 60);
