//! What is kept on a reader: to take away, and to have forgotten.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::domain::UnixMillis;
use crate::domain::subscriber::SubscriberStatus;
use crate::web::state::Web;

/// `GET /preferences/{token}/data`: everything that is kept on the reader, as a file.
pub async fn download(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Result<Response, Response> {
    let owner = web.preferences_owner(token).await?;
    let hash = web.keyring.suppression_hash(&owner.person.email);
    let all = web.store.personal_data(owner.person.id, &hash).await;
    let Some(all) = all.map_err(|error| web.unavailable(&error))? else { return Ok(web.not_found()) };
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, format!("{all:#}\n")).into_response())
}

/// `GET /preferences/{token}/erase`: what it means, and a button.
pub async fn erase_page(
    State(web): State<Arc<Web>>,
    Path(token): Path<String>,
) -> Result<Response, Response> {
    let owner = web.preferences_owner(token).await?;
    let mut context = web.context();
    context.insert("masked", &owner.person.email.to_string());
    context.insert("base", &format!("/preferences/{}", owner.token));
    context.insert("gone", &(owner.person.status != SubscriberStatus::Active));
    Ok(web.pages.show(StatusCode::OK, "preferences_erase.html", &context))
}

/// `POST /preferences/{token}/erase`: forgets the reader, all but a keyed hash that keeps the
/// address off the list.
pub async fn erase(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Result<Response, Response> {
    let owner = web.preferences_owner(token).await?;
    let hash = web.keyring.suppression_hash(&owner.person.email);
    let erased = web.store.erase(owner.person.id, &hash, UnixMillis::now()).await;
    erased.map_err(|error| web.unavailable(&error))?;
    Ok(web.pages.show(StatusCode::OK, "preferences_erased.html", &web.context()))
}
