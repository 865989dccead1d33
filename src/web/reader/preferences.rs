//! What the letter carries and when it comes, as its reader chooses.
//!
//! Each section of the page is a form of its own; a field that a form does not have leaves what it
//! is about as it was.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use chrono_tz::Tz;

use super::form::{Fields, field, line};
use super::preferences_page::{PageNote, PreferencesOwner};
use crate::domain::preferences::Topics;
use crate::texts::Language;
use crate::web::state::Web;

/// Longest name a reader may give, in characters.
const NAME_LIMIT: usize = 80;

/// `GET /preferences/{token}` and the places its forms lead to: shows, and changes nothing.
pub async fn page(
    State(web): State<Arc<Web>>,
    language: Language,
    Path(token): Path<String>,
) -> Result<Response, Response> {
    let owner = web.preferences_owner(token).await?;
    Ok(web.show_preferences(language, &owner, PageNote::default()).await)
}

/// `POST /preferences/{token}`: the name, the topics and the hour.
pub async fn save(
    State(web): State<Arc<Web>>,
    language: Language,
    Path(token): Path<String>,
    Form(fields): Fields,
) -> Result<Response, Response> {
    let mut owner = web.preferences_owner(token).await?;
    if let Err(note) = apply(&mut owner, &fields) {
        return Ok(web.show_preferences(language, &owner, note).await);
    }
    let PreferencesOwner { person, chosen, .. } = &owner;
    let (name, zone) = (person.name.as_deref(), person.timezone.as_deref());
    let set = web.store.set_letter(person.id, name, zone, chosen.topics.as_ref(), chosen.at_hour).await;
    set.map_err(|error| web.unavailable(&error))?;
    Ok(web.show_preferences(language, &owner, PageNote::done("leave.saved")).await)
}

/// Puts what the form says into `owner`, as far as it can be taken.
fn apply(owner: &mut PreferencesOwner, fields: &[(String, String)]) -> Result<(), PageNote> {
    if let Some(name) = field(fields, "name") {
        owner.person.name = line(name, NAME_LIMIT);
    }
    if let Some(zone) = field(fields, "zone") {
        let zone: Tz = zone.parse().map_err(|_| PageNote::wrong("zone", "leave.zone_unknown"))?;
        // Without an hour the zone says nothing, and who never chose one keeps what an import said.
        if owner.person.timezone.is_some() || field(fields, "hour").is_some_and(|hour| !hour.is_empty()) {
            owner.person.timezone = Some(zone.name().to_owned());
        }
    }
    match field(fields, "hour") {
        None => {}
        Some("") => owner.chosen.at_hour = None,
        Some(hour) => {
            let hour: Option<u8> = hour.parse().ok().filter(|hour| *hour < 24);
            owner.chosen.at_hour = Some(hour.ok_or(PageNote::wrong("hour", "leave.hour_unknown"))?);
        }
    }
    match field(fields, "topics") {
        None => {}
        Some("some") => {
            let names =
                fields.iter().filter(|(name, _)| name == "topic").filter_map(|(_, topic)| line(topic, 120));
            let names: Vec<String> = names.collect();
            let topics = Topics::new(names.iter().map(String::as_str));
            owner.chosen.topics = Some(topics.ok_or(PageNote::wrong("topics", "leave.topics_none"))?);
        }
        Some(_) => owner.chosen.topics = None,
    }
    Ok(())
}
