//! Notices as letters: texts of the site's language in the templates of `templates/notices`, in the
//! look of the letter.
//!
//! Rendered when they are sent, not when they are queued: no token of a link stands in the store,
//! and a notice that waited for the relay has the latest issue in it.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tera::{Context, Tera};

use super::english;
use super::render::theme::Look;
use super::render::{mjml, text_part};
use crate::domain::UnixMillis;
use crate::domain::issue::IssueNumber;
use crate::domain::notice::{ClaimedNotice, NoticeKind};
use crate::domain::site::Site;
use crate::domain::subscriber::{LinkEpoch, SubscriberId};
use crate::domain::theme::Theme;
use crate::domain::token::{Keyring, Purpose};
use crate::mail::{Signer, Single};
use crate::templates::{self, File, FolderError, Kind, Origin, Problem};
use crate::texts::Texts;

#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{0}; \"verdicts templates check\" shows all")]
    Problem(Problem),
    #[error("notices/{kind}.mjml is not MJML: {flaw}; mend the template")]
    Mjml { kind: NoticeKind, flaw: mjml::Flaw },
    #[error("the notice has no {0}, which its kind needs; report it, nobody but verdicts writes notices")]
    Data(&'static str),
}

/// The newest issue, for a look at what there is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Latest {
    pub subject: String,
    pub url: String,
}

impl Latest {
    pub fn new(site: &Site, number: IssueNumber, subject: &str) -> Self {
        Self { subject: subject.to_owned(), url: site.issue_url(number) }
    }
}

/// Writes notices for one site.
pub struct NoticeWriter {
    tera: Tera,
    files: Vec<File>,
    texts: Arc<Texts>,
    site: Site,
    keyring: Keyring,
    signer: Arc<Signer>,
    look: Look,
}

impl NoticeWriter {
    /// Parses the embedded templates.
    ///
    /// # Errors
    /// [`NoticeError::Problem`] with file, line and column if one is broken.
    pub fn new(
        texts: Arc<Texts>,
        site: Site,
        keyring: Keyring,
        signer: Arc<Signer>,
    ) -> Result<Self, NoticeError> {
        Self::of_dir(None, texts, site, keyring, signer)
    }

    /// As [`NoticeWriter::new`], with the templates of an operator's folder in their place.
    ///
    /// # Errors
    /// As there, and if the folder can't be read or [`templates::scan`] finds something in it.
    pub fn of_dir(
        dir: Option<&Path>,
        texts: Arc<Texts>,
        site: Site,
        keyring: Keyring,
        signer: Arc<Signer>,
    ) -> Result<Self, NoticeError> {
        let files = templates::files(Kind::Notices, dir)?;
        let texts_of = files.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
        let tera = parsed(&texts, texts_of)
            .map_err(|error| NoticeError::Problem(Problem::of_tera(&files, &error)))?;
        let own = files.iter().filter(|file| file.is_own);
        if let Some(problem) = own.flat_map(|file| templates::scan(Kind::Notices, file)).next() {
            return Err(NoticeError::Problem(problem));
        }
        Ok(Self { tera, files, texts, site, keyring, signer, look: Look::of(&Theme::default()) })
    }

    /// The same notices in another look.
    #[must_use]
    pub fn with_theme(mut self, theme: &Theme) -> Self {
        self.look = Look::of(theme);
        self
    }

    /// The whole letter, signed where keys are set. The same octets at every attempt, unless an
    /// issue came out between.
    ///
    /// # Errors
    /// [`NoticeError`] if a template fails or the notice lacks what its kind needs.
    pub fn write(&self, notice: &ClaimedNotice, latest: Option<&Latest>) -> Result<Vec<u8>, NoticeError> {
        let language = self.texts.site_language();
        let kind = notice.kind;
        let subject = self.subject(kind);
        let text = self.fill("txt", notice, latest)?;
        let html =
            mjml::to_html(&self.mjml(notice, latest)?).map_err(|flaw| self.located(flaw, notice, latest))?;
        let unsubscribe = notice.subscriber.filter(|_| kind.is_for_readers_only());
        let unsubscribe_url = unsubscribe.map(|id| self.unsubscribe_url(id));
        let mut letter = Single {
            to: &notice.email,
            subject: &subject,
            message_id: &self.keyring.notice_message_id(notice.id),
            date: notice.created_at,
            language: self.texts.tag(language),
            text: &text,
            html: &html,
            unsubscribe_url: unsubscribe_url.as_deref(),
        }
        .to_letter(&self.site);
        self.signer.sign(notice.created_at, &mut letter);
        Ok(letter)
    }

    /// The notice as MJML, before the renderer.
    ///
    /// # Errors
    /// [`NoticeError`] if the template fails or the notice lacks what its kind needs.
    pub fn mjml(&self, notice: &ClaimedNotice, latest: Option<&Latest>) -> Result<String, NoticeError> {
        self.fill("mjml", notice, latest)
    }

    fn fill(
        &self,
        form: &str,
        notice: &ClaimedNotice,
        latest: Option<&Latest>,
    ) -> Result<String, NoticeError> {
        let name = format!("{}.{form}", notice.kind);
        let context = self.context(notice, latest)?;
        self.tera.render(&name, &context).map_err(|error| self.problem(&error))
    }

    fn problem(&self, error: &tera::Error) -> NoticeError {
        NoticeError::Problem(Problem::of_tera(&self.files, error))
    }

    /// The file in which a flaw of the rendered MJML was written.
    fn located(&self, flaw: mjml::Flaw, notice: &ClaimedNotice, latest: Option<&Latest>) -> NoticeError {
        let origin = || {
            let tera = parsed(&self.texts, Origin::marked(&self.files)).ok()?;
            let marked =
                tera.render(&format!("{}.mjml", notice.kind), &self.context(notice, latest).ok()?).ok()?;
            Origin::new(&self.files, marked).problem(flaw.at?, &flaw.words)
        };
        match origin() {
            Some(problem) => NoticeError::Problem(problem),
            None => NoticeError::Mjml { kind: notice.kind, flaw },
        }
    }

    /// The subject of all notices of a kind.
    pub fn subject(&self, kind: NoticeKind) -> String {
        let key = format!("join.notice.{kind}.subject");
        self.texts.fill(self.texts.site_language(), &key, &[("site", &self.site.name)])
    }

    fn context(&self, notice: &ClaimedNotice, latest: Option<&Latest>) -> Result<Context, NoticeError> {
        let mut context = Context::new();
        context.insert("lang", self.texts.tag(self.texts.site_language()));
        let Site { name, postal_address, base_url, .. } = &self.site;
        let site =
            serde_json::json!({ "name": name, "postal_address": postal_address, "base_url": base_url });
        let shown =
            serde_json::json!({ "site": site, "subject": self.subject(notice.kind), "latest": latest });
        let shown =
            english::all_visible(&shown).map_err(|error| self.problem(&tera::Error::message(error)))?;
        for name in ["site", "subject", "latest"] {
            context.insert(name, &shown[name]);
        }
        context.insert("theme", &self.look);
        let contact = self.site.reply_to.as_ref().unwrap_or(&self.site.from);
        context.insert("contact", contact.address.expose());
        if let Some(id) = notice.subscriber {
            // A mailbox that is not the reader's (yet) takes nobody off the list.
            let is_theirs = notice.kind != NoticeKind::AddressChange;
            let unsubscribe = if is_theirs { self.unsubscribe_url(id) } else { self.site.base_url.clone() };
            context.insert("unsubscribe", &unsubscribe);
            context.insert("preferences", &self.preferences_url(notice, id)?);
        }
        context.insert("link", &self.link(notice)?);
        match notice.kind {
            NoticeKind::Confirm => context.insert("expires", &self.expires(notice)?),
            NoticeKind::AddressChanged => context.insert("address", datum(notice, "address")?),
            _ => {}
        }
        Ok(context)
    }

    /// Where the button leads, if there is one.
    fn link(&self, notice: &ClaimedNotice) -> Result<Option<String>, NoticeError> {
        let base = &self.site.base_url;
        Ok(match notice.kind {
            NoticeKind::Confirm => {
                let id = notice.subscriber.ok_or(NoticeError::Data("subscriber"))?;
                let token = match notice.data.get("request").map(|request| request.parse()) {
                    Some(Ok(request)) => self.keyring.confirm_token(id, request, &notice.email),
                    Some(Err(_)) => return Err(NoticeError::Data("request")),
                    // Queued by a release that bound its links to the subscriber alone.
                    None => self.keyring.link_token(Purpose::Confirm, id),
                };
                Some(format!("{base}/confirm/{token}"))
            }
            NoticeKind::AddressChange | NoticeKind::AddressChanged => {
                // Confirming it at the new address, and taking it back at the old one, is the same:
                // it comes to where this goes.
                let id = notice.subscriber.ok_or(NoticeError::Data("subscriber"))?;
                let change = datum(notice, "change")?.parse().map_err(|_| NoticeError::Data("change"))?;
                Some(format!("{base}/address/{}", self.keyring.change_token(change, id, &notice.email)))
            }
            NoticeKind::AlreadySubscribed | NoticeKind::Welcome => None,
        })
    }

    /// The reader's own page, for the kinds that go to a reader; to all others the site, since
    /// their mailbox may be another's.
    fn preferences_url(&self, notice: &ClaimedNotice, id: SubscriberId) -> Result<String, NoticeError> {
        if !notice.kind.is_for_readers_only() {
            return Ok(self.site.base_url.clone());
        }
        let epoch = notice.data.get("epoch").map_or(Ok(0), |epoch| epoch.parse());
        let epoch = LinkEpoch(epoch.map_err(|_| NoticeError::Data("epoch"))?);
        Ok(self.site.preferences_url(&self.keyring.preferences_token(id, epoch)))
    }

    /// The last day of the link, as people of the site's language write it.
    fn expires(&self, notice: &ClaimedNotice) -> Result<String, NoticeError> {
        let at: i64 = datum(notice, "expires_at")?.parse().map_err(|_| NoticeError::Data("expires_at"))?;
        let form = self.texts.get(self.texts.site_language(), "join.notice.date");
        Ok(UnixMillis(at).utc().format(form).to_string())
    }

    fn unsubscribe_url(&self, id: SubscriberId) -> String {
        self.site.unsubscribe_url(&self.keyring.link_token(Purpose::Unsubscribe, id))
    }
}

fn parsed(texts: &Arc<Texts>, files: Vec<(String, String)>) -> tera::TeraResult<Tera> {
    let mut tera = Tera::default();
    tera.autoescape_on(vec![".mjml"]);
    text_part::teach(&mut tera);
    texts.teach(&mut tera);
    tera.add_raw_templates(files)?;
    Ok(tera)
}

fn datum<'a>(notice: &'a ClaimedNotice, name: &'static str) -> Result<&'a str, NoticeError> {
    notice.data.get(name).map(String::as_str).ok_or(NoticeError::Data(name))
}
