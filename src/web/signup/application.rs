//! One sign-up, whichever form it came from: what is checked, in which order, and what comes of it.
//!
//! The same work is done for every address that can be one, and the same is answered: whether it is
//! known is said in a notice to that address and nowhere else.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderMap, header};

use crate::domain::address::AddressError;
use crate::domain::signup::{
    Allowance, Evidence, FormAge, STAMP_VALID, SignUp, SignedUp, form_age, is_work, of_already, of_mailbox,
};
use crate::domain::{EmailAddress, UnixMillis, typo};
use crate::store::StoreError;
use crate::texts::Language;
use crate::web::state::Web;

/// The longest address of a form that is kept, in characters.
const FORM_LIMIT: usize = 300;

/// What a form sent.
pub struct Application<'a> {
    pub email: &'a str,
    /// The field that nobody sees; robots fill it in.
    pub trap: &'a str,
    pub stamp: Option<&'a str>,
    /// What the browser has worked out.
    pub work: &'a str,
    pub origin: FormOrigin,
    pub ip: IpAddr,
    pub language: Language,
}

/// Which form it was.
pub enum FormOrigin {
    /// Our own page, with our words beside the button.
    Page,
    /// Somebody else's, at this address if the browser says so. What stood there is not known; what
    /// the notice says is.
    Elsewhere(String),
}

/// What came of it.
#[derive(Debug)]
pub enum Answer {
    /// A notice is on its way, if one is due, to the address as it was typed. Perhaps its domain is
    /// a slip, and this is what was meant.
    Heard {
        email: String,
        meant: Option<EmailAddress>,
    },
    /// It is no address.
    Unreadable(AddressError),
    /// A person presses the button once more; a robot does not.
    Again(Again),
    /// A limit of the asker is used up, for so long.
    Limited(Duration),
    Broken(StoreError),
}

/// Why the button has to be pressed once more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    TooFast,
    /// The form lay open for too long, or its stamp is not ours.
    TooOld,
    /// The arithmetic is missing.
    Work,
}

impl Web {
    /// A stamp for a form that is made now.
    pub(in crate::web) fn stamp(&self, now: UnixMillis) -> String {
        let mut chance = [0; 4];
        // Without chance two forms of one millisecond are the same, which costs one of them another
        // press of the button.
        let _ = getrandom::fill(&mut chance);
        self.keyring.form_stamp(now, u32::from_be_bytes(chance))
    }

    /// Takes a sign-up in. The notice is sent by the worker, never here.
    pub(in crate::web) async fn sign_up(&self, application: &Application<'_>, now: UnixMillis) -> Answer {
        let email = match EmailAddress::from_public(application.email) {
            Ok(email) => email,
            Err(error) => return Answer::Unreadable(error),
        };
        let meant = typo::suggestion(&email);
        let heard = Answer::Heard { email: application.email.trim().to_owned(), meant };
        if !application.trap.trim().is_empty() {
            tracing::info!("a robot filled in the field that nobody sees");
            return heard;
        }
        let single = match self.check_form(application, now).await {
            Ok(single) => single,
            Err(answer) => return answer,
        };
        let request = self.request(&email, application, single);
        match self.store.sign_up(&request, now).await {
            Ok(SignedUp::Heard) => {
                self.wake.notify_one();
                heard
            }
            Ok(SignedUp::Limited { until }) => Answer::Limited(until.since(now)),
            Err(error) => Answer::Broken(error),
        }
    }

    /// Whether the form itself will do; then the allowance that lets its stamp be used once only.
    async fn check_form(&self, of: &Application<'_>, now: UnixMillis) -> Result<Option<Allowance>, Answer> {
        let settings = &self.signup;
        let Some(stamp) = of.stamp else {
            return if settings.proof_of_work { Err(Answer::Again(Again::Work)) } else { Ok(None) };
        };
        let Some(made) = self.keyring.verify_form_stamp(stamp) else {
            return Err(Answer::Again(Again::TooOld));
        };
        match form_age(made, settings.minimum_fill, now) {
            FormAge::TooYoung => return Err(Answer::Again(Again::TooFast)),
            FormAge::TooOld => return Err(Answer::Again(Again::TooOld)),
            FormAge::Right if !settings.proof_of_work => return Ok(None),
            FormAge::Right => {}
        }
        if !is_work(stamp, of.work) {
            return Err(Answer::Again(Again::Work));
        }
        let once = Allowance::new(&self.keyring, "worked on", stamp, 1, STAMP_VALID);
        match self.store.used_up(std::slice::from_ref(&once), now).await {
            Ok(None) => Ok(Some(once)),
            Ok(Some(_)) => Err(Answer::Again(Again::Work)),
            Err(error) => Err(Answer::Broken(error)),
        }
    }

    /// What goes to the store: the limits that hold, and the proof of consent to keep.
    fn request(&self, email: &EmailAddress, of: &Application<'_>, single: Option<Allowance>) -> SignUp {
        let mut of_asker = self.signup.limits.of_asker(&self.keyring, of.ip, of.stamp.is_some());
        of_asker.extend(single);
        SignUp {
            hash: self.keyring.suppression_hash(email),
            evidence: self.evidence(of),
            of_asker,
            of_mailbox: of_mailbox(&self.keyring, email),
            of_already: of_already(&self.keyring, email),
            email: email.clone(),
        }
    }

    fn evidence(&self, of: &Application<'_>) -> Evidence {
        let texts = &self.pages.texts;
        let (form, text_id, language) = match &of.origin {
            FormOrigin::Page => (format!("{}/", self.site.base_url), "join.consent", of.language),
            FormOrigin::Elsewhere(form) => (form.clone(), "join.notice.confirm.lead", texts.site_language()),
        };
        Evidence {
            form,
            text_id: text_id.to_owned(),
            language: texts.tag(language).to_owned(),
            text: texts.fill(language, text_id, &[("site", &self.site.name)]),
            ip: self.signup.ip.of(&self.keyring, of.ip),
        }
    }
}

/// The page that a browser says it comes from: its origin and path, without what a query may tell
/// of a person.
pub fn form_elsewhere(headers: &HeaderMap, otherwise: &str) -> String {
    let named = |name| headers.get(name).and_then(|value| value.to_str().ok()).and_then(page_address);
    named(header::REFERER).or_else(|| named(header::ORIGIN)).unwrap_or_else(|| otherwise.to_owned())
}

fn page_address(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let origin = url.origin().ascii_serialization();
    Some(format!("{origin}{}", url.path()).chars().take(FORM_LIMIT).collect())
}

/// The key of the text that says what is wrong with an address.
pub fn error_text(error: AddressError) -> &'static str {
    match error {
        AddressError::Empty => "join.error_empty",
        AddressError::NoAt => "join.error_no_at",
        AddressError::TooLong => "join.error_too_long",
        AddressError::Local | AddressError::Route => "join.error_local",
        AddressError::Domain | AddressError::Private => "join.error_domain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_elsewhere_is_kept_without_its_query() {
        let from = |name: &str, value: &str| {
            let mut headers = HeaderMap::new();
            headers
                .insert(axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
            form_elsewhere(&headers, "api")
        };
        assert_eq!(from("referer", "https://blog.example/a?email=x#y"), "https://blog.example/a");
        assert_eq!(from("origin", "https://blog.example"), "https://blog.example/");
        assert_eq!(from("origin", "null"), "api");
        assert_eq!(from("referer", "javascript:alert(1)"), "api");
        assert!(from("referer", &format!("https://blog.example/{}", "x".repeat(900))).len() <= 300);
    }
}
