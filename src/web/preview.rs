//! The letter on the operator's own screen, as it would arrive: `verdicts issue preview N --serve`.
//!
//! A server of its own beside that of the pages, for one person on this machine. It changes nothing: there are only GETs, and
//! whoever makes the letters ([`PreviewSource`], a floor above) fills them with tokens that open nothing. What a letter says
//! is shown in a frame without scripts, under a policy of its own. A page of somebody else that has itself resolved to 127.0.0.1
//! (DNS rebinding) is sent away by the name in `Host`.

mod changes;
mod host;
mod page;
mod scheme;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::letter::lint::Finding;
use page::Stage;

/// How often the watched files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How long a question for changes is kept waiting before the browser asks again.
const PATIENCE: Duration = Duration::from_secs(20);

/// What somebody wants to see. Texts as they stand in the address; whoever makes the letter knows them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Wanted {
    /// `letter`, or the kind of a notice.
    pub show: String,
    /// One of [`Sheet::readers`]; what is none of them is the first.
    pub reader: String,
}

/// One thing to choose: how the address calls it, and what a person reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    pub key: String,
    pub label: String,
}

/// A letter that is there to be looked at.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub subject: String,
    pub preheader: String,
    /// The letter on the wire: RFC 5322, CRLF.
    pub wire: Vec<u8>,
    /// In their order, the worst first.
    pub findings: Vec<Finding>,
    /// For whom it can be filled in.
    pub readers: Vec<Choice>,
    /// What an operator should know before judging it, a sentence each.
    pub notes: Vec<String>,
}

/// A letter, or what keeps it from being made: one line each, with file, line and column where there are any.
pub type Shown = Result<Sheet, Vec<String>>;

/// Who makes what is shown.
pub trait PreviewSource: Send + Sync + 'static {
    /// What all of it is called: `Issue 12, the draft`.
    fn title(&self) -> String;
    /// What there is to see; the letter comes first.
    fn menu(&self) -> Vec<Choice>;
    /// Makes one letter of what stands in the files now.
    fn show<'a>(&'a self, wanted: &'a Wanted) -> Pin<Box<dyn Future<Output = Shown> + Send + 'a>>;
    /// Files and folders; a change in one of them means a new letter.
    fn watched(&self) -> Vec<PathBuf>;
    /// Where images of the letter may come from besides https, as a source of a content security policy.
    fn images_from(&self) -> String;
}

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guests {
    /// Programs on this machine.
    Loopback,
    /// Whoever can reach the address.
    Anybody,
}

struct Preview {
    source: Arc<dyn PreviewSource>,
    stage: Stage,
    guests: Guests,
    /// Changes with the watched files.
    version: watch::Receiver<String>,
    stop: watch::Receiver<bool>,
    /// What has been made of one version.
    made: Mutex<(String, BTreeMap<Wanted, Arc<Shown>>)>,
}

/// Serves until `stop` turns true.
///
/// # Errors
/// What the listener says, or the words of the page's template if it is broken.
pub async fn serve(
    listener: TcpListener,
    source: Arc<dyn PreviewSource>,
    guests: Guests,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let (sender, version) = watch::channel(changes::stamp(&source.watched()));
    let preview = Arc::new(Preview {
        stage: Stage::load().map_err(io::Error::other)?,
        source: source.clone(),
        guests,
        version,
        stop: stop.clone(),
        made: Mutex::default(),
    });
    let watching = tokio::spawn(changes::watch(source, sender, LOOK_EVERY));
    let served = axum::serve(listener, router(preview));
    let served = served.with_graceful_shutdown(async move {
        // An error means that the sender is gone, which is a stop as well.
        let _ = stop.wait_for(|stopping| *stopping).await;
    });
    let ended = served.await;
    watching.abort();
    ended
}

fn router(preview: Arc<Preview>) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/letter.html", get(letter_html))
        .route("/letter.eml", get(letter_eml))
        .route("/changed", get(changed))
        .route("/assets/{name}", get(page::asset))
        .layer(from_fn(headers))
        .layer(from_fn_with_state(preview.clone(), known_host))
        .with_state(preview)
}

/// What an address may say; what it says wrongly is as if it said nothing.
#[derive(Deserialize, Clone, Default, Debug)]
pub(super) struct Asked {
    show: Option<String>,
    reader: Option<String>,
    part: Option<String>,
    scheme: Option<String>,
    width: Option<String>,
    images: Option<String>,
}

impl Preview {
    /// The letter for this address, made once for each version of the files.
    async fn shown(&self, asked: &Asked) -> Arc<Shown> {
        let show = asked.show.clone().unwrap_or_default();
        let menu = self.source.menu();
        let show =
            menu.iter().map(|choice| &choice.key).find(|key| **key == show).or(menu.first().map(|c| &c.key));
        let wanted = Wanted {
            show: show.cloned().unwrap_or_default(),
            reader: asked.reader.clone().unwrap_or_default(),
        };
        let version = self.version.borrow().clone();
        {
            let mut made = self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if made.0 != version {
                *made = (version.clone(), BTreeMap::new());
            }
            if let Some(shown) = made.1.get(&wanted) {
                return shown.clone();
            }
        }
        let shown = Arc::new(self.source.show(&wanted).await);
        let mut made = self.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // An address may ask for readers without end; nobody looks at so many.
        if made.0 == version && made.1.len() < 64 {
            made.1.insert(wanted, shown.clone());
        }
        shown
    }
}

/// `GET /letter.html`: the HTML part for the frame, in the asked-for light.
async fn letter_html(State(preview): State<Arc<Preview>>, Query(asked): Query<Asked>) -> Response {
    let shown = preview.shown(&asked).await;
    let Ok(sheet) = &*shown else { return StatusCode::NOT_FOUND.into_response() };
    let html = crate::letter::lint::Message::parse(&sheet.wire).html.unwrap_or_default();
    let html = scheme::forced(&html, asked.scheme.as_deref() == Some("dark"));
    let images = match asked.images.as_deref() {
        Some("off") => "'none'".to_owned(),
        _ => format!("https: data: {}", preview.source.images_from()),
    };
    // Links open beside the preview, and nothing in the letter runs.
    let policy = format!(
        "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
         style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    );
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// `GET /letter.eml`: the letter for a mail program of the operator's.
async fn letter_eml(State(preview): State<Arc<Preview>>, Query(asked): Query<Asked>) -> Response {
    let shown = preview.shown(&asked).await;
    let Ok(sheet) = &*shown else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CONTENT_TYPE, "message/rfc822"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"letter.eml\""),
    ];
    (headers, sheet.wire.clone()).into_response()
}

#[derive(Deserialize)]
struct Since {
    since: Option<String>,
}

/// `GET /changed?since=VERSION`: the version, as soon as it is another, or after a while.
async fn changed(State(preview): State<Arc<Preview>>, Query(asked): Query<Since>) -> Response {
    let (mut version, mut stop) = (preview.version.clone(), preview.stop.clone());
    let since = asked.since.unwrap_or_default();
    tokio::select! {
        _ = version.wait_for(|now| *now != since) => {}
        _ = stop.wait_for(|stopping| *stopping) => {}
        () = tokio::time::sleep(PATIENCE) => {}
    }
    let now = preview.version.borrow().clone();
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], now).into_response()
}

async fn known_host(State(preview): State<Arc<Preview>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| host::is_ours(host, preview.guests)) {
        return next.run(request).await;
    }
    let words = "This preview answers to http://127.0.0.1 and http://localhost only.\n";
    (StatusCode::MISDIRECTED_REQUEST, words).into_response()
}

/// What every answer says, unless it brings its own.
async fn headers(request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    const HEADERS: [(HeaderName, &str); 7] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
