//! What did not get through, sorted for a report: by class, by reply and by the readers' domains.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::app::App;
use crate::cli::exit::CommandError;
use crate::domain::class::Class;
use crate::domain::delivery::DeliveryState;
use crate::domain::issue::IssueNumber;
use crate::domain::subscriber::SubscriberId;
use crate::store::DeliveryRow;

/// Rows that are fetched at once.
pub(super) const PAGE: i64 = 1000;

/// Lines of each list that a person gets to see.
const TOP: usize = 10;

/// Failed and deferred letters, sorted.
pub(in crate::cli) async fn breakdown(app: &App, number: IssueNumber) -> Result<Breakdown, CommandError> {
    let mut breakdown = Breakdown::default();
    for state in [DeliveryState::Failed, DeliveryState::Deferred] {
        each(app, number, state, |row| breakdown.add(row)).await?;
    }
    Ok(breakdown)
}

/// Every delivery of an issue in a state, by subscriber.
pub(super) async fn each(
    app: &App,
    number: IssueNumber,
    state: DeliveryState,
    mut look: impl FnMut(&DeliveryRow),
) -> Result<(), CommandError> {
    let mut after = SubscriberId(0);
    loop {
        let rows = app.store.deliveries(number, state, after, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.subscriber;
        rows.iter().for_each(&mut look);
    }
}

/// Counts of failed and deferred letters.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Breakdown {
    pub failed: BTreeMap<Class, u64>,
    pub deferred: BTreeMap<Class, u64>,
    /// By code and enhanced code (`550 5.1.1`), or by what happened to the line.
    pub replies: BTreeMap<String, u64>,
    /// By what is behind the @; erased readers are `(erased)`.
    pub domains: BTreeMap<String, u64>,
}

impl Breakdown {
    pub fn add(&mut self, row: &DeliveryRow) {
        let class = Class::of(row.reply.as_ref());
        let classes = if row.state == DeliveryState::Failed { &mut self.failed } else { &mut self.deferred };
        *classes.entry(class).or_default() += 1;
        // Relays put queue numbers and addresses into their words: only the codes are the
        // same for many.
        let reply = row.reply.as_ref().map_or_else(
            || row.note.clone().unwrap_or_else(|| "no reply".to_owned()),
            |reply| match &reply.enhanced {
                Some(enhanced) => format!("{} {enhanced}", reply.code),
                None => reply.code.to_string(),
            },
        );
        *self.replies.entry(reply).or_default() += 1;
        let domain = row.email.as_ref().map_or("(erased)", |email| email.domain());
        *self.domains.entry(domain.to_owned()).or_default() += 1;
    }

    /// The report's lines; none when everything got through.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (title, counts) in [("failed", named(&self.failed)), ("deferred", named(&self.deferred))] {
            if !counts.is_empty() {
                lines.push(format!("{title}: {}", joined(counts)));
            }
        }
        for (title, counts) in [("replies", &self.replies), ("domains", &self.domains)] {
            if !counts.is_empty() {
                let counts = counts.iter().map(|(name, n)| (name.clone(), *n)).collect();
                lines.push(format!("{title}: {}", joined(counts)));
            }
        }
        lines
    }
}

fn named(counts: &BTreeMap<Class, u64>) -> Vec<(String, u64)> {
    counts.iter().map(|(class, n)| (class.to_string(), *n)).collect()
}

/// `41 × 550 5.1.1, 3 × 552 5.2.2, and 2 more`.
fn joined(mut counts: Vec<(String, u64)>) -> String {
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut parts: Vec<_> = counts.iter().take(TOP).map(|(name, n)| format!("{n} × {name}")).collect();
    if counts.len() > TOP {
        parts.push(format!("and {} more", counts.len() - TOP));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::EmailAddress;
    use crate::domain::delivery::Reply;
    use crate::domain::subscriber::SubscriberId;

    fn row(state: DeliveryState, email: &str, reply: Option<(u16, &str)>) -> DeliveryRow {
        DeliveryRow {
            subscriber: SubscriberId(1),
            email: (!email.is_empty()).then(|| EmailAddress::parse(email).unwrap()),
            state,
            attempts: 1,
            reply: reply.map(|(code, enhanced)| Reply {
                code,
                enhanced: Some(enhanced.to_owned()),
                text: format!("no, says queue {code}{email}"),
            }),
            note: Some("no answer to DATA within 120 s".to_owned()),
        }
    }

    #[test]
    fn a_report_names_classes_replies_and_domains() {
        let mut breakdown = Breakdown::default();
        assert_eq!(breakdown.lines(), Vec::<String>::new());
        for n in 0..3 {
            let email = format!("ann{n}@example.com");
            breakdown.add(&row(DeliveryState::Failed, &email, Some((550, "5.1.1"))));
        }
        breakdown.add(&row(DeliveryState::Failed, "", Some((550, "5.7.1"))));
        breakdown.add(&row(DeliveryState::Deferred, "bob@example.org", None));
        assert_eq!(
            breakdown.lines(),
            [
                "failed: 3 × mailbox, 1 × policy",
                "deferred: 1 × network",
                "replies: 3 × 550 5.1.1, 1 × 550 5.7.1, 1 × no answer to DATA within 120 s",
                "domains: 3 × example.com, 1 × (erased), 1 × example.org",
            ]
        );
    }
}
