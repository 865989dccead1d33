//! No letters for a while.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use chrono::NaiveDate;
use chrono_tz::Tz;

use super::form::{Fields, field};
use super::preferences_page::PageNote;
use crate::domain::UnixMillis;
use crate::domain::preferences::{BadDay, Pause};
use crate::texts::Language;
use crate::web::state::Web;

/// `POST /preferences/{token}/pause`: no letter before the day in `until`; without that field the
/// pause is over.
pub async fn pause(
    State(web): State<Arc<Web>>,
    language: Language,
    Path(token): Path<String>,
    Form(fields): Fields,
) -> Result<Response, Response> {
    let mut owner = web.preferences_owner(token).await?;
    let now = UnixMillis::now();
    let note = match asked_pause(field(&fields, "until"), web.zone_of(&owner.person), now) {
        Ok(pause) => {
            let set = web.store.set_pause(owner.person.id, pause, now).await;
            set.map_err(|error| web.unavailable(&error))?;
            owner.chosen.pause = pause;
            PageNote::done(if pause.is_some() { "leave.pause_begun" } else { "leave.pause_ended" })
        }
        Err(text) => PageNote::wrong("until", text),
    };
    Ok(web.show_preferences(language, &owner, note).await)
}

/// The pause until the day that was typed, or the key of what is wrong with it.
fn asked_pause(until: Option<&str>, zone: Tz, now: UnixMillis) -> Result<Option<Pause>, &'static str> {
    let Some(day) = until else { return Ok(None) };
    let day = day.trim().parse::<NaiveDate>().map_err(|_| "leave.pause_no_day")?;
    let pause = Pause::until(day, zone, now).map_err(|bad| match bad {
        BadDay::Past => "leave.pause_past",
        BadDay::TooFar => "leave.pause_too_far",
    })?;
    Ok(Some(pause))
}
