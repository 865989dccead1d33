//! A reader's own page with all its forms, which each of them leads back to.

use axum::http::StatusCode;
use axum::response::Response;
use chrono::Days;
use chrono_tz::Tz;
use serde::Serialize;
use tera::Context;

use crate::domain::UnixMillis;
use crate::domain::preferences::{LONGEST_PAUSE_DAYS, Preferences, Topics};
use crate::domain::subscriber::Subscriber;
use crate::domain::token::Purpose;
use crate::texts::Language;
use crate::web::state::Web;

/// Whose link it was, with what they chose.
pub struct PreferencesOwner {
    pub token: String,
    pub person: Subscriber,
    pub chosen: Preferences,
}

/// What the page says about the form that was just sent.
#[derive(Clone, Copy, Default)]
pub struct PageNote {
    /// A key of the texts.
    text: Option<&'static str>,
    /// The field that can't be taken as it is.
    wrong: Option<&'static str>,
}

impl PageNote {
    pub fn done(text: &'static str) -> Self {
        Self { text: Some(text), wrong: None }
    }

    pub fn wrong(field: &'static str, text: &'static str) -> Self {
        Self { text: Some(text), wrong: Some(field) }
    }
}

#[derive(Serialize)]
struct TopicView {
    name: String,
    chosen: bool,
}

#[derive(Serialize)]
struct HourView {
    hour: u8,
    chosen: bool,
}

impl Web {
    /// # Errors
    /// The page for a token that is not ours, or for a store that does not answer.
    pub(in crate::web) async fn preferences_owner(
        &self,
        token: String,
    ) -> Result<PreferencesOwner, Response> {
        let ours = self.keyring.verify_preferences_token(&token);
        let Some((id, epoch)) = ours else { return Err(self.not_found()) };
        let person = self.store.subscriber_by_id(id).await.map_err(|error| self.unavailable(&error))?;
        // A link that went to an address before opens nothing.
        let person = person.filter(|person| person.epoch == epoch);
        let Some(person) = person else { return Err(self.not_found()) };
        let chosen = self.store.preferences(id).await.map_err(|error| self.unavailable(&error))?;
        Ok(PreferencesOwner { token, person, chosen })
    }

    /// The clock that a reader lives by: their own zone, or the site's.
    pub(in crate::web) fn zone_of(&self, person: &Subscriber) -> Tz {
        person.timezone.as_deref().and_then(|zone| zone.parse().ok()).unwrap_or(self.zone)
    }

    pub(in crate::web) async fn show_preferences(
        &self,
        language: Language,
        owner: &PreferencesOwner,
        note: PageNote,
    ) -> Response {
        match self.store.topics().await {
            Ok(topics) => {
                let status =
                    if note.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
                let context = self.preferences_context(language, owner, topics, note);
                self.pages.show(status, "preferences.html", &context)
            }
            Err(error) => self.unavailable(&error),
        }
    }

    fn preferences_context(
        &self,
        language: Language,
        owner: &PreferencesOwner,
        topics: Vec<String>,
        note: PageNote,
    ) -> Context {
        let PreferencesOwner { token, person, chosen } = owner;
        let (now, zone) = (UnixMillis::now(), self.zone_of(person));
        let mut context = self.context();
        context.insert("note", &note.text);
        context.insert("wrong", &note.wrong);
        context.insert("base", &format!("/preferences/{token}"));
        context.insert("masked", &person.email.to_string());
        context.insert("name", person.name.as_deref().unwrap_or(""));
        context.insert("gone", &person.status.is_ended());
        context.insert("everything", &chosen.topics.is_none());
        context.insert("topics", &topic_views(topics, chosen.topics.as_ref()));
        let hours = (0..24).map(|hour| HourView { hour, chosen: chosen.at_hour == Some(hour) });
        context.insert("hours", &hours.collect::<Vec<_>>());
        context.insert("everybodys_hour", &chosen.at_hour.is_none());
        context.insert("hours_heard", &self.reader_hours);
        context.insert("zone", zone.name());
        context.insert("zones", &zones(zone));
        let pause = chosen.pause.filter(|pause| pause.lasts(now));
        let form = self.pages.texts.get(language, "leave.date");
        context.insert("paused", &pause.map(|pause| pause.resume_on.format(form).to_string()));
        let today = now.utc().with_timezone(&zone).date_naive();
        let day = |days| today.checked_add_days(Days::new(days)).unwrap_or(today).to_string();
        context.insert("first_day", &day(1));
        context.insert("last_day", &day(LONGEST_PAUSE_DAYS));
        let leave = self.keyring.link_token(Purpose::Unsubscribe, person.id);
        context.insert("leave", &format!("/unsubscribe/{leave}"));
        context
    }
}

/// The topics that there are, and those a reader chose that there are no more.
fn topic_views(mut topics: Vec<String>, chosen: Option<&Topics>) -> Vec<TopicView> {
    for name in chosen.into_iter().flat_map(Topics::names) {
        if !topics.iter().any(|topic| topic.to_lowercase() == name.to_lowercase()) {
            topics.push(name.to_owned());
        }
    }
    let is_chosen = |name: &str| chosen.is_some_and(|chosen| chosen.has(name));
    topics.into_iter().map(|name| TopicView { chosen: is_chosen(&name), name }).collect()
}

/// The zones that people live in, by name; those of old and of offices are understood, and not
/// offered.
fn zones(own: Tz) -> Vec<&'static str> {
    const CONTINENTS: [&str; 10] = [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    ];
    let lived_in = |name: &str| name.split_once('/').is_some_and(|(first, _)| CONTINENTS.contains(&first));
    let all = chrono_tz::TZ_VARIANTS.iter();
    all.filter(|zone| **zone == own || **zone == Tz::UTC || lived_in(zone.name()))
        .map(|zone| zone.name())
        .collect()
}
