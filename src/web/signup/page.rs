//! The home page: what this is, the latest issue to read before giving an address, and one field.

use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::{Deserialize, Serialize};
use tera::Context;

use super::application::{Again, Answer, Application, FormOrigin, error_text, form_elsewhere};
use crate::domain::UnixMillis;
use crate::domain::issue::Issue;
use crate::domain::signup::WORK_BITS;
use crate::store::StoreError;
use crate::texts::Language;
use crate::web::server::client_ip::ClientIp;
use crate::web::state::Web;

/// What a page with the form may do beyond the others: load our own script, which works out what
/// the form asks for.
const WITH_SCRIPT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; \
                           base-uri 'none'; frame-ancestors 'none'";

/// The fields of the form. A robot sends what it likes, so each may be absent.
#[derive(Deserialize)]
pub struct JoinForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    website: String,
    stamp: Option<String>,
    #[serde(default)]
    work: String,
}

/// The newest issue, as the home page shows it.
#[derive(Serialize)]
struct LatestIssue {
    number: i64,
    subject: String,
    preheader: String,
}

/// `GET /`.
pub async fn home(State(web): State<Arc<Web>>) -> Response {
    match web.home_context(UnixMillis::now()).await {
        Ok(context) => web.with_form(StatusCode::OK, "join.html", &context),
        Err(error) => web.unavailable(&error),
    }
}

/// `GET /subscribe`: somebody reloaded the answer, or typed the address.
pub async fn form() -> Redirect {
    Redirect::to("/")
}

/// `POST /subscribe`: the same answer whether the address is new, known, waiting or suppressed.
pub async fn subscribe(
    State(web): State<Arc<Web>>,
    ClientIp(ip): ClientIp,
    language: Language,
    headers: HeaderMap,
    Form(form): Form<JoinForm>,
) -> Response {
    let now = UnixMillis::now();
    let origin = match form.stamp {
        Some(_) => FormOrigin::Page,
        None => FormOrigin::Elsewhere(form_elsewhere(&headers, "a form elsewhere")),
    };
    let application = Application {
        email: &form.email,
        trap: &form.website,
        stamp: form.stamp.as_deref(),
        work: &form.work,
        origin,
        ip,
        language,
    };
    let answer = web.sign_up(&application, now).await;
    web.answer(answer, &form, now).await
}

impl Web {
    async fn answer(&self, answer: Answer, form: &JoinForm, now: UnixMillis) -> Response {
        let mut context = self.form_context(now);
        match answer {
            Answer::Heard { email, meant } => {
                context.insert("email", &email);
                context.insert("meant", &meant.as_ref().map(|meant| meant.expose()));
                if let Some(stamp) = form.stamp.as_ref().filter(|_| !self.signup.proof_of_work) {
                    // Old enough already: putting a slip right is one press.
                    context.insert("stamp", stamp);
                }
                self.with_form(StatusCode::OK, "join_sent.html", &context)
            }
            Answer::Unreadable(error) => match self.home_context(now).await {
                Ok(mut context) => {
                    context.insert("email", &form.email);
                    context.insert("error", error_text(error));
                    self.with_form(StatusCode::UNPROCESSABLE_ENTITY, "join.html", &context)
                }
                Err(error) => self.unavailable(&error),
            },
            Answer::Again(why) => {
                context.insert("email", &form.email);
                let why = match why {
                    Again::TooFast => "join.again_fast",
                    Again::TooOld => "join.again_old",
                    Again::Work => "join.again_work",
                };
                context.insert("why", why);
                self.with_form(StatusCode::OK, "join_again.html", &context)
            }
            Answer::Limited(wait) => self.too_often(wait),
            Answer::Broken(error) => self.unavailable(&error),
        }
    }

    /// Says when to come again (RFC 9110 §10.2.3).
    pub(in crate::web) fn too_often(&self, wait: Duration) -> Response {
        let mut response = self.pages.show(StatusCode::TOO_MANY_REQUESTS, "join_often.html", &self.context());
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        response
    }

    /// What the form's own part of a page needs.
    fn form_context(&self, now: UnixMillis) -> Context {
        let mut context = self.context();
        context.insert("email", "");
        context.insert("error", &None::<&str>);
        context.insert("stamp", &self.stamp(now));
        context.insert("work", &self.signup.proof_of_work.then_some(WORK_BITS));
        context
    }

    async fn home_context(&self, now: UnixMillis) -> Result<Context, StoreError> {
        let mut context = self.form_context(now);
        context.insert("latest", &self.store.latest_public_issue().await?.map(LatestIssue::from));
        Ok(context)
    }

    /// A page with the form in it.
    pub(in crate::web) fn with_form(&self, status: StatusCode, name: &str, context: &Context) -> Response {
        let mut response = self.pages.show(status, name, context);
        if self.signup.proof_of_work {
            let policy = HeaderValue::from_static(WITH_SCRIPT);
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response.into_response()
    }
}

impl From<Issue> for LatestIssue {
    fn from(issue: Issue) -> Self {
        Self { number: issue.number.0, subject: issue.subject, preheader: issue.preheader }
    }
}
