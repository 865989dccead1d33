//! What has to answer: the database, the writer of notices, the relay.

use super::report::{CheckGrade, CheckReport};
use crate::app::App;
use crate::domain::UnixMillis;

pub(super) async fn store(app: &App, found: &mut CheckReport) {
    match app.store.ping().await {
        Ok(()) => found.add(CheckGrade::Good, "database", "answers, and its schema is this binary's"),
        Err(error) => return found.add(CheckGrade::Bad, "database", error.to_string()),
    }
    match app.store.count_subscribers().await {
        Ok(counts) => {
            let active = counts.get("active").copied().unwrap_or(0);
            let grade = if active == 0 { CheckGrade::Warn } else { CheckGrade::Good };
            found.add(grade, "readers", format!("{active} would get the next letter"));
        }
        Err(error) => found.add(CheckGrade::Bad, "readers", error.to_string()),
    }
    match crate::publish::draft(&app.publisher(), UnixMillis::now()).await {
        Ok(draft) => match &draft.edition {
            Some(edition) => found.add(
                CheckGrade::Good,
                "letter",
                format!("issue {}: {}", draft.number, edition.composition.subject),
            ),
            None => found.add(
                CheckGrade::Warn,
                "letter",
                crate::publish::quiet_words(&app.publisher(), &draft.selection),
            ),
        },
        Err(error) => found.add(CheckGrade::Bad, "letter", error.to_string()),
    }
}

/// What readers get because of something they did.
pub(super) async fn notices(app: &App, found: &mut CheckReport) {
    let (web, site) = (&app.settings.web, &app.settings.site);
    if site.base_url.starts_with("https://") && web.trusted_proxies.is_empty() {
        let words = "web.trusted_proxies is empty: behind a proxy all visitors count as one, and signup.per_network is for all \
                     of them together; name the proxy, for example [\"127.0.0.1\"]";
        found.add(CheckGrade::Warn, "sign-up", words);
    }
    if let Err(error) = app.notice_writer() {
        return found.add(CheckGrade::Bad, "notices", error.to_string());
    }
    match app.store.count_notices().await {
        Ok(counts) => {
            let failed = counts.iter().find(|(state, _)| state == "failed").map_or(0, |(_, n)| *n);
            if failed > 0 {
                let words = format!(
                    "{failed} failed in the last 30 days; \"verdicts subscribers show EMAIL\" has the reason"
                );
                found.add(CheckGrade::Warn, "notices", words);
            }
        }
        Err(error) => found.add(CheckGrade::Bad, "notices", error.to_string()),
    }
}

pub(super) async fn relay(app: &App, found: &mut CheckReport) {
    let url = &app.settings.relay.url;
    let answer = match app.mailer() {
        Ok(mailer) => mailer.probe().await,
        Err(error) => Err(error.to_string()),
    };
    match answer {
        Ok(words) => found.add(CheckGrade::Good, "relay", format!("{url}: {words}")),
        Err(reason) => found.add(CheckGrade::Bad, "relay", format!("relay.url = \"{url}\": {reason}")),
    }
}
