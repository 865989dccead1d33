//! An operator who waits for one issue: ticks until nothing of it is due, or nothing of it is open.
//!
//! Where another process delivers, this one only watches, and takes over when that one ends with
//! work left.

use std::time::Duration;

use super::observer::Observer;
use super::rest::rest;
use super::tick::{Deliverer, Ticked};
use crate::delivery::Pass;
use crate::domain::UnixMillis;
use crate::domain::issue::{IssueNumber, IssueState};
use crate::store::StoreError;

/// How often a process that only watches looks at the ledger, and tries to take over.
const WATCH: Duration = Duration::from_millis(500);

/// When an issue counts as delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    NothingDue,
    /// Letters that wait for another try, for their reader's hour or for a winner are waited for.
    NothingOpen,
}

/// Delivers an issue, or watches the process that does. Returns the last pass of this process,
/// which may have found nothing due; None if another process delivered all the time.
///
/// # Errors
/// As [`Deliverer::tick`].
pub async fn deliver_issue(
    deliverer: &mut Deliverer,
    number: IssueNumber,
    until: Until,
    observer: &impl Observer,
) -> Result<Option<Pass>, StoreError> {
    let mut last = None;
    while !deliverer.is_stopped() {
        let ticked = deliverer.tick(observer, UnixMillis::now()).await?;
        let is_elsewhere = matches!(ticked, Ticked::Elsewhere);
        match ticked {
            // It may have ended between its last letter and this.
            Ticked::Elsewhere => deliverer.finish(observer, UnixMillis::now()).await?,
            Ticked::Idle => last = Some(Pass::default()),
            Ticked::Passed(pass) => last = Some(pass),
        }
        if last.as_ref().is_some_and(|pass| !pass.paused.is_empty()) {
            break;
        }
        let store = deliverer.store();
        let tally = store.tally(number).await?;
        observer.counted(&tally);
        let is_running = store.issue(number).await?.is_some_and(|issue| issue.state == IssueState::Running);
        let is_due = store.next_due().await?.is_some_and(|due| due <= UnixMillis::now());
        let is_held = last.as_ref().is_some_and(|pass| pass.held_until.is_some());
        let may_go_now = is_due && !is_held;
        let other_sends = is_elsewhere && tally.sending > 0;
        let is_enough = until == Until::NothingDue && !may_go_now && !other_sends;
        if !is_running || tally.open() == 0 || is_enough {
            break;
        }
        if !may_go_now || is_elsewhere {
            rest(WATCH, deliverer.stop()).await;
        }
    }
    Ok(last)
}
