//! Readers' votes. A vote is a reader's row as long as they are a reader, and a number in a total
//! for good.
//!
//! Locks on Postgres: the reader's row first, which also makes two votes of one reader follow each
//! other and keeps them apart from their leaving; then the vote, then the tool's total.

use std::collections::BTreeMap;

use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::domain::comparison::{Stance, Votes};
use crate::domain::subscriber::{SubscriberId, SubscriberStatus};
use crate::store::db::error::{Result, StoreError};
use crate::store::db::statement::{Statement, statements};
use crate::store::db::store::{Inner, Store};
use crate::store::db::tx::{Durability, Write};
use crate::store::db::values::{json, small};
use crate::store::reader::subscribers::lock;

statements! {
    TOTALS = "SELECT tool, ship, skip, changed_at FROM vote_total
        WHERE tool IN (SELECT e.value FROM {texts})";

    /// Before [`DROP`]: who of these has votes may come back, but not vote on the same again.
    FENCE = "INSERT INTO vote_fence (subscriber, until)
        SELECT DISTINCT vote.subscriber, CAST($2 AS BIGINT) FROM vote
        WHERE vote.subscriber IN (SELECT CAST(e.value AS BIGINT) FROM {texts}) ORDER BY vote.subscriber
        ON CONFLICT (subscriber) DO UPDATE SET until = excluded.until";

    DROP = "DELETE FROM vote WHERE subscriber IN (SELECT CAST(e.value AS BIGINT) FROM {texts})";

    /// Nobody comes back under the number of somebody who was erased.
    TAKE_FENCE_DOWN = "DELETE FROM vote_fence WHERE subscriber = $1";

    FENCED = "SELECT until FROM vote_fence WHERE subscriber = $1";

    VOTES = "SELECT tool, stance, voted_at FROM vote WHERE subscriber = $1 ORDER BY tool";

    BEFORE = "SELECT stance FROM vote WHERE subscriber = $1 AND tool = $2";

    PUT = "
        INSERT INTO vote (subscriber, tool, stance, voted_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (subscriber, tool) DO UPDATE SET stance = excluded.stance, voted_at = excluded.voted_at";

    PUT_TOTAL = "INSERT INTO vote_total (tool, ship, skip, changed_at) VALUES ($1, 0, 0, $2) ON CONFLICT (tool) DO NOTHING";

    COUNT = "UPDATE vote_total SET ship = ship + $2, skip = skip + $3, changed_at = $4 WHERE tool = $1";
}

/// One reader's word on one tool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CastVote<'a> {
    pub reader: SubscriberId,
    /// The tool's slug.
    pub tool: &'a str,
    /// When the comparison was published in which the reader meets the tool.
    pub published: UnixMillis,
    pub stance: Stance,
}

/// What became of a vote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Voted {
    /// It counts; an earlier one of the same reader on the same tool does not any more.
    Counted,
    /// Nobody of this id, or somebody who has left: nothing was written.
    Gone,
    /// The address is not confirmed yet: nothing was written.
    Pending,
    /// The reader left after this comparison was published and came back; what they voted before is
    /// counted without their name and can't be found to be changed. Nothing was written.
    Sealed,
}

/// What the votes cast here on one tool come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Total {
    pub votes: Votes,
    pub changed_at: UnixMillis,
}

impl Store {
    /// Counts a vote, or changes it, in one durable commit. One per reader and tool, under any
    /// concurrency.
    pub async fn vote(&self, vote: &CastVote<'_>, now: UnixMillis) -> Result<Voted> {
        let mut tx = self.inner.begin(Durability::Full).await?;
        match lock(&mut tx, vote.reader).await? {
            Some(SubscriberStatus::Active) => {}
            Some(SubscriberStatus::Pending) => return Ok(Voted::Pending),
            _ => return Ok(Voted::Gone),
        }
        let fence = tx.query(&FENCED).bind(vote.reader.0).fetch_optional(&mut *tx.tx).await?;
        if let Some(row) = fence
            && row.try_get::<i64, _>("until")? >= vote.published.0
        {
            return Ok(Voted::Sealed);
        }
        write(&mut tx, vote, now).await?;
        tx.commit().await?;
        Ok(Voted::Counted)
    }

    /// The votes cast here on each of `tools`; a tool without any is not there.
    pub async fn vote_totals(&self, tools: &[&str]) -> Result<BTreeMap<String, Total>> {
        let rows = self.inner.query(&TOTALS).bind(json(&tools)?).fetch_all(&self.inner.read).await?;
        rows.iter()
            .map(|row| {
                let votes = Votes { ship: small(row.try_get("ship")?), skip: small(row.try_get("skip")?) };
                Ok((
                    row.try_get("tool")?,
                    Total { votes, changed_at: UnixMillis(row.try_get("changed_at")?) },
                ))
            })
            .collect()
    }

    /// What a reader has voted and when, by tool.
    pub async fn votes_by(&self, reader: SubscriberId) -> Result<BTreeMap<String, (Stance, UnixMillis)>> {
        let rows = self.inner.query(&VOTES).bind(reader.0).fetch_all(&self.inner.read).await?;
        rows.iter()
            .map(|row| {
                let text: String = row.try_get("stance")?;
                let stance = Stance::parse(&text).ok_or_else(|| StoreError::content("vote", text))?;
                Ok((row.try_get("tool")?, (stance, UnixMillis(row.try_get("voted_at")?))))
            })
            .collect()
    }
}

impl Inner {
    /// Takes the names off the votes of readers who leave, in the transaction in which they leave:
    /// their rows go, the totals stay. The readers' rows are locked by then. One call for a whole
    /// group.
    pub(in crate::store) async fn forget_voters(
        &self,
        tx: &mut Write<'_>,
        readers: &[SubscriberId],
        now: UnixMillis,
    ) -> Result<()> {
        let ids = json(&readers)?;
        tx.query(&FENCE).bind(&ids).bind(now.0).execute(&mut *tx.tx).await?;
        tx.query(&DROP).bind(&ids).execute(&mut *tx.tx).await?;
        Ok(())
    }
}

pub(in crate::store) async fn take_fence_down(tx: &mut Write<'_>, reader: SubscriberId) -> Result<()> {
    tx.query(&TAKE_FENCE_DOWN).bind(reader.0).execute(&mut *tx.tx).await?;
    Ok(())
}

async fn write(tx: &mut Write<'_>, vote: &CastVote<'_>, now: UnixMillis) -> Result<()> {
    let before = tx.query(&BEFORE).bind(vote.reader.0).bind(vote.tool).fetch_optional(&mut *tx.tx).await?;
    let before: Option<String> = before.map(|row| row.try_get("stance")).transpose()?;
    if before.as_deref() == Some(vote.stance.as_str()) {
        return Ok(());
    }
    tx.query(&PUT)
        .bind(vote.reader.0)
        .bind(vote.tool)
        .bind(vote.stance.as_str())
        .bind(now.0)
        .execute(&mut *tx.tx)
        .await?;
    let step = |stance: Stance| {
        let was = before.as_deref() == Some(stance.as_str());
        i64::from(vote.stance == stance) - i64::from(was)
    };
    // The row is there, with zeros, before it is counted up or down: an insert with -1 would break
    // its CHECK.
    tx.query(&PUT_TOTAL).bind(vote.tool).bind(now.0).execute(&mut *tx.tx).await?;
    tx.query(&COUNT)
        .bind(vote.tool)
        .bind(step(Stance::Ship))
        .bind(step(Stance::Skip))
        .bind(now.0)
        .execute(&mut *tx.tx)
        .await?;
    Ok(())
}
