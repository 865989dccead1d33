//! A reader's own page: what the letter carries, when it comes, where it goes, and what is kept.
//!
//! Each section is a form of its own; a field that a form does not have leaves what it is about as it was.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use serde::Serialize;
use tera::Context;

use super::form::line;
use crate::domain::preferences::{BadDay, LONGEST_PAUSE_DAYS, Pause, Preferences, Topics};
use crate::domain::subscriber::{Subscriber, SubscriberStatus};
use crate::domain::token::Purpose;
use crate::domain::{EmailAddress, UnixMillis};
use crate::store::{AskedChange, StoreError};
use crate::texts::Language;
use crate::web::state::Web;

/// Longest name a reader may give, in characters.
const NAME_LIMIT: usize = 80;
/// Longest address, in octets (RFC 5321 §4.5.3.1.3, less the brackets).
const ADDRESS_LIMIT: usize = 254;

/// The fields of a form, in order; a name may come several times.
type Fields = Form<Vec<(String, String)>>;

/// A reader with what they chose.
struct Reader {
    token: String,
    person: Subscriber,
    chosen: Preferences,
}

/// What the page has to say about what was just asked of it.
#[derive(Clone, Copy, Default)]
struct Said {
    /// A key of the texts.
    note: Option<&'static str>,
    /// The field that can't be taken as it is.
    wrong: Option<&'static str>,
}

impl Said {
    fn done(note: &'static str) -> Self {
        Self { note: Some(note), wrong: None }
    }

    fn wrong(field: &'static str, note: &'static str) -> Self {
        Self { note: Some(note), wrong: Some(field) }
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
    async fn reader(&self, token: String) -> Result<Reader, Response> {
        let id = self.keyring.verify_link_token(Purpose::Preferences, &token);
        let Some(id) = id else { return Err(self.unknown_link()) };
        let person = self.store.subscriber_by_id(id).await.map_err(|error| self.broken(&error))?;
        let Some(person) = person else { return Err(self.unknown_link()) };
        let chosen = self.store.preferences(id).await.map_err(|error| self.broken(&error))?;
        Ok(Reader { token, person, chosen })
    }

    /// The clock that a reader lives by: their own zone, or the site's.
    fn zone(&self, person: &Subscriber) -> Tz {
        person.timezone.as_deref().and_then(|zone| zone.parse().ok()).unwrap_or(self.zone)
    }

    async fn show_reader(&self, language: Language, reader: &Reader, said: Said) -> Response {
        match self.store.topics().await {
            Ok(topics) => {
                let status =
                    if said.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
                let context = self.reader_context(language, reader, topics, said);
                self.pages.show(status, "preferences.html", &context)
            }
            Err(error) => self.broken(&error),
        }
    }

    fn reader_context(
        &self,
        language: Language,
        reader: &Reader,
        topics: Vec<String>,
        said: Said,
    ) -> Context {
        let Reader { token, person, chosen } = reader;
        let (now, zone) = (UnixMillis::now(), self.zone(person));
        let mut context = self.context();
        context.insert("note", &said.note);
        context.insert("wrong", &said.wrong);
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

/// The zones that people live in, by name; those of old and of offices are understood, and not offered.
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

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

/// `GET /preferences/{token}` and the places its forms lead to: shows, and changes nothing.
pub async fn page(State(web): State<Arc<Web>>, language: Language, Path(token): Path<String>) -> Response {
    match web.reader(token).await {
        Ok(reader) => web.show_reader(language, &reader, Said::default()).await,
        Err(refusal) => refusal,
    }
}

/// `POST /preferences/{token}`: the name, the topics and the hour.
pub async fn save(
    State(web): State<Arc<Web>>,
    language: Language,
    Path(token): Path<String>,
    Form(fields): Fields,
) -> Response {
    let mut reader = match web.reader(token).await {
        Ok(reader) => reader,
        Err(refusal) => return refusal,
    };
    if let Err(said) = take(&mut reader, &fields) {
        return web.show_reader(language, &reader, said).await;
    }
    let Reader { person, chosen, .. } = &reader;
    let (name, zone) = (person.name.as_deref(), person.timezone.as_deref());
    match web.store.set_letter(person.id, name, zone, chosen.topics.as_ref(), chosen.at_hour).await {
        Ok(()) => web.show_reader(language, &reader, Said::done("leave.saved")).await,
        Err(error) => web.broken(&error),
    }
}

/// Puts what the form says into `reader`, as far as it can be taken.
fn take(reader: &mut Reader, fields: &[(String, String)]) -> Result<(), Said> {
    if let Some(name) = field(fields, "name") {
        reader.person.name = line(name, NAME_LIMIT);
    }
    if let Some(zone) = field(fields, "zone") {
        let zone: Tz = zone.parse().map_err(|_| Said::wrong("zone", "leave.zone_unknown"))?;
        // Without an hour the zone says nothing, and who never chose one keeps what an import said.
        if reader.person.timezone.is_some() || field(fields, "hour").is_some_and(|hour| !hour.is_empty()) {
            reader.person.timezone = Some(zone.name().to_owned());
        }
    }
    match field(fields, "hour") {
        None => {}
        Some("") => reader.chosen.at_hour = None,
        Some(hour) => {
            let hour: Option<u8> = hour.parse().ok().filter(|hour| *hour < 24);
            reader.chosen.at_hour = Some(hour.ok_or(Said::wrong("hour", "leave.hour_unknown"))?);
        }
    }
    match field(fields, "topics") {
        None => {}
        Some("some") => {
            let names =
                fields.iter().filter(|(name, _)| name == "topic").filter_map(|(_, topic)| line(topic, 120));
            let names: Vec<String> = names.collect();
            let topics = Topics::new(names.iter().map(String::as_str));
            reader.chosen.topics = Some(topics.ok_or(Said::wrong("topics", "leave.topics_none"))?);
        }
        Some(_) => reader.chosen.topics = None,
    }
    Ok(())
}

/// `POST /preferences/{token}/pause`: no letter before the day in `until`; without one the pause is over.
pub async fn pause(
    State(web): State<Arc<Web>>,
    language: Language,
    Path(token): Path<String>,
    Form(fields): Fields,
) -> Response {
    let mut reader = match web.reader(token).await {
        Ok(reader) => reader,
        Err(refusal) => return refusal,
    };
    let now = UnixMillis::now();
    let (pause, note) = match field(&fields, "until").filter(|day| !day.trim().is_empty()) {
        None if field(&fields, "until").is_some() => {
            return web.show_reader(language, &reader, Said::wrong("until", "leave.pause_no_day")).await;
        }
        None => (None, "leave.pause_ended"),
        Some(day) => {
            let day = day.trim().parse::<NaiveDate>().map_err(|_| "leave.pause_no_day");
            let pause = day.and_then(|day| {
                Pause::until(day, web.zone(&reader.person), now).map_err(|bad| match bad {
                    BadDay::Past => "leave.pause_past",
                    BadDay::TooFar => "leave.pause_too_far",
                })
            });
            match pause {
                Ok(pause) => (Some(pause), "leave.pause_begun"),
                Err(note) => return web.show_reader(language, &reader, Said::wrong("until", note)).await,
            }
        }
    };
    match web.store.set_pause(reader.person.id, pause, now).await {
        Ok(()) => {
            reader.chosen.pause = pause;
            web.show_reader(language, &reader, Said::done(note)).await
        }
        Err(error) => web.broken(&error),
    }
}

/// `POST /preferences/{token}/address`: asks the new address. What is said here is the same whoever has it already.
pub async fn ask_address(
    State(web): State<Arc<Web>>,
    language: Language,
    Path(token): Path<String>,
    Form(fields): Fields,
) -> Response {
    let reader = match web.reader(token).await {
        Ok(reader) => reader,
        Err(refusal) => return refusal,
    };
    let typed = field(&fields, "email").unwrap_or_default().trim();
    let said = match EmailAddress::parse(typed) {
        _ if typed.len() > ADDRESS_LIMIT => Said::wrong("email", "leave.address_bad"),
        Err(_) => Said::wrong("email", "leave.address_bad"),
        Ok(email) if email.expose().eq_ignore_ascii_case(reader.person.email.expose()) => {
            Said::wrong("email", "leave.address_same")
        }
        Ok(email) => {
            let hash = web.keyring.suppression_hash(&email);
            match web.store.ask_address_change(reader.person.id, &email, &hash, UnixMillis::now()).await {
                Ok(AskedChange::Asked) => {
                    web.wake.notify_one();
                    Said::done("leave.address_asked")
                }
                Ok(AskedChange::TooOften) => Said::wrong("email", "leave.address_too_often"),
                Ok(AskedChange::Gone) => Said::wrong("email", "leave.address_gone"),
                Err(error) => return web.broken(&error),
            }
        }
    };
    web.show_reader(language, &reader, said).await
}

/// `GET /preferences/{token}/data`: everything that is kept on the reader, as a file.
pub async fn data(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    let reader = match web.reader(token).await {
        Ok(reader) => reader,
        Err(refusal) => return refusal,
    };
    let hash = web.keyring.suppression_hash(&reader.person.email);
    let all = match web.store.everything_about(reader.person.id, &hash).await {
        Ok(Some(all)) => all,
        Ok(None) => return web.unknown_link(),
        Err(error) => return web.broken(&error),
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut response = format!("{all:#}\n").into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// `GET /preferences/{token}/erase`: what it means, and a button.
pub async fn erase_page(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    match web.reader(token).await {
        Ok(reader) => {
            let mut context = web.context();
            context.insert("masked", &reader.person.email.to_string());
            context.insert("base", &format!("/preferences/{}", reader.token));
            context.insert("gone", &(reader.person.status != SubscriberStatus::Active));
            web.pages.show(StatusCode::OK, "preferences_erase.html", &context)
        }
        Err(refusal) => refusal,
    }
}

/// `POST /preferences/{token}/erase`: forgets the reader, all but a keyed hash that keeps the address off the list.
pub async fn erase(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Response {
    let reader = match web.reader(token).await {
        Ok(reader) => reader,
        Err(refusal) => return refusal,
    };
    match forget(&web, &reader.person).await {
        Ok(()) => web.pages.show(StatusCode::OK, "preferences_erased.html", &web.context()),
        Err(error) => web.broken(&error),
    }
}

async fn forget(web: &Web, person: &Subscriber) -> Result<(), StoreError> {
    let hash = web.keyring.suppression_hash(&person.email);
    web.store.erase(person.id, &hash, UnixMillis::now()).await.map(|_| ())
}
