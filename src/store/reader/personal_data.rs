//! Everything that is kept on one person, for that person.

use serde_json::{Map, Value, json};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::domain::UnixMillis;
use crate::domain::subscriber::SubscriberId;
use crate::store::db::error::Result;
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::Store;

/// What a column holds.
#[derive(Clone, Copy)]
enum ColumnType {
    Text,
    Number,
    /// Milliseconds since 1970, shown as a date.
    Time,
    /// JSON, shown as such.
    Json,
}

use ColumnType::{Json, Number, Text, Time};

/// The rows of one table that belong to a person: a name for them, the statement (`$1` is the
/// subscriber), and its columns.
type PersonalTable = (&'static str, &'static Statement, &'static [(&'static str, ColumnType)]);

statements! {
    SUBSCRIBER = "
        SELECT id, email, name, status, timezone, source, created_at, activated_at, ended_at FROM subscriber WHERE id = $1";

    PREFERENCES = "
        SELECT topics, at_hour, resume_on, paused_until FROM preference WHERE subscriber = $1";

    CONSENT = "
        SELECT asked_at, confirmed_at, form, text_id, language, text, ip FROM consent WHERE subscriber = $1 ORDER BY id";

    WAITING_FOR_CONFIRMATION = "SELECT asked_at, expires_at FROM pending WHERE subscriber = $1";

    LETTERS = "
        SELECT d.issue, o.subject, d.state, d.attempts, d.letter, d.arm, d.choice, d.held, d.enqueued_at, d.due_at, d.finished_at,
               d.reply_code, d.reply_enhanced, d.reply_text, d.cancelled_by, d.note
        FROM delivery d JOIN issue o ON o.number = d.issue
        WHERE d.subscriber = $1 AND d.issue IN (SELECT number FROM issue) ORDER BY d.issue";

    /// Only to the person's own mailbox: whether another one was written to, and what its host
    /// said, is not about them.
    NOTICES = "
        SELECT n.kind, n.email, n.data, n.state, n.attempts, n.created_at, n.finished_at, n.reply_code, n.reply_text, n.note
        FROM notice n JOIN subscriber s ON s.id = n.subscriber AND s.email = n.email WHERE n.subscriber = $1 ORDER BY n.id";

    VOTES = "SELECT tool, stance, voted_at FROM vote WHERE subscriber = $1 ORDER BY tool";

    VOTES_BEFORE = "SELECT until FROM vote_fence WHERE subscriber = $1";

    LEAVINGS = "
        SELECT left_at, was, reason, words, undone_at FROM leaving WHERE subscriber = $1 ORDER BY left_at";

    CHANGES_OF_ADDRESS = "
        SELECT email, requested_at, expires_at FROM address_change WHERE subscriber = $1 ORDER BY id";

    SUPPRESSION = "SELECT reason, created_at FROM suppression WHERE email_hash = $2 AND $1 > 0";
}

static TABLES: &[PersonalTable] = &[
    (
        "subscriber",
        &SUBSCRIBER,
        &[
            ("id", Number),
            ("email", Text),
            ("name", Text),
            ("status", Text),
            ("timezone", Text),
            ("source", Text),
            ("created_at", Time),
            ("activated_at", Time),
            ("ended_at", Time),
        ],
    ),
    (
        "preferences",
        &PREFERENCES,
        &[("topics", Json), ("at_hour", Number), ("resume_on", Text), ("paused_until", Time)],
    ),
    (
        "consent",
        &CONSENT,
        &[
            ("asked_at", Time),
            ("confirmed_at", Time),
            ("form", Text),
            ("text_id", Text),
            ("language", Text),
            ("text", Text),
            ("ip", Text),
        ],
    ),
    ("waiting_for_confirmation", &WAITING_FOR_CONFIRMATION, &[("asked_at", Time), ("expires_at", Time)]),
    (
        "letters",
        &LETTERS,
        &[
            ("issue", Number),
            ("subject", Text),
            ("state", Text),
            ("attempts", Number),
            ("letter", Number),
            ("arm", Text),
            ("choice", Number),
            ("held", Number),
            ("enqueued_at", Time),
            ("due_at", Time),
            ("finished_at", Time),
            ("reply_code", Number),
            ("reply_enhanced", Text),
            ("reply_text", Text),
            ("cancelled_by", Text),
            ("note", Text),
        ],
    ),
    (
        "notices",
        &NOTICES,
        &[
            ("kind", Text),
            ("email", Text),
            ("data", Json),
            ("state", Text),
            ("attempts", Number),
            ("created_at", Time),
            ("finished_at", Time),
            ("reply_code", Number),
            ("reply_text", Text),
            ("note", Text),
        ],
    ),
    ("votes", &VOTES, &[("tool", Text), ("stance", Text), ("voted_at", Time)]),
    ("votes_before", &VOTES_BEFORE, &[("until", Time)]),
    (
        "leavings",
        &LEAVINGS,
        &[("left_at", Time), ("was", Text), ("reason", Text), ("words", Text), ("undone_at", Time)],
    ),
    (
        "changes_of_address",
        &CHANGES_OF_ADDRESS,
        &[("email", Text), ("requested_at", Time), ("expires_at", Time)],
    ),
    ("suppression", &SUPPRESSION, &[("reason", Text), ("created_at", Time)]),
];

impl Store {
    /// Every row on a person, by what it is about, as JSON; none for nobody. What no row has any
    /// more (letters of issues that were condensed to counts) is not kept on anybody.
    pub async fn personal_data(&self, id: SubscriberId, hash: &str) -> Result<Option<Value>> {
        let mut all = Map::new();
        for (name, statement, columns) in TABLES {
            let mut query = self.inner.query(statement).bind(id.0);
            if *name == "suppression" {
                query = query.bind(hash);
            }
            let rows = query.fetch_all(&self.inner.read).await?;
            let rows = rows.iter().map(|row| object(row, columns)).collect::<Result<Vec<Value>>>()?;
            if *name == "subscriber" && rows.is_empty() {
                return Ok(None);
            }
            all.insert((*name).to_owned(), Value::Array(rows));
        }
        Ok(Some(Value::Object(all)))
    }
}

fn object(row: &AnyRow, columns: &[(&str, ColumnType)]) -> Result<Value> {
    let mut object = Map::new();
    for (name, kind) in columns {
        let value = match kind {
            Text => json!(row.try_get::<Option<String>, _>(*name)?),
            Number => json!(row.try_get::<Option<i64>, _>(*name)?),
            Time => json!(row.try_get::<Option<i64>, _>(*name)?.map(|at| UnixMillis(at).to_string())),
            Json => match row.try_get::<Option<String>, _>(*name)? {
                Some(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
                None => Value::Null,
            },
        };
        object.insert((*name).to_owned(), value);
    }
    Ok(Value::Object(object))
}
