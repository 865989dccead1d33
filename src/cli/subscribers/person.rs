//! `verdicts subscribers add`, `show`, `data`, `unsubscribe` and `erase`: one person at a time.

use serde_json::json;

use crate::cli::exit::{CommandError, CommandResult, Exit};
use crate::domain::signup::Consent;
use crate::domain::subscriber::{NewSubscriber, Subscriber, SubscriberStatus};
use crate::domain::token::Keyring;
use crate::domain::{EmailAddress, UnixMillis};
use crate::store::{NoticeRow, Store, SubscriberChange};
use crate::subscribers::clean_name;

pub(super) async fn add(
    store: &Store,
    keyring: &Keyring,
    email: &str,
    name: Option<&str>,
    status: SubscriberStatus,
    now: UnixMillis,
) -> CommandResult {
    let email = address(email)?;
    let hash = keyring.suppression_hash(&email);
    let name = name.and_then(clean_name);
    let person =
        NewSubscriber { email, name, status, timezone: None, created_at: now, source: "operator".to_owned() };
    match store.add_subscribers(&[person], &[hash]).await?.first() {
        Some(SubscriberChange::Added) => {
            println!("added, {status}");
            Ok(Exit::Done)
        }
        Some(SubscriberChange::Suppressed) => Err(CommandError::Failed(
            "the address is suppressed and gets no mail; only the person's own new sign-up changes that"
                .to_owned(),
        )),
        Some(SubscriberChange::Duplicate) | None => {
            println!("known already; nothing changed");
            Ok(Exit::Done)
        }
    }
}

pub(super) async fn show(store: &Store, keyring: &Keyring, email: &str, json: bool) -> CommandResult {
    let email = address(email)?;
    let suppressed = store.is_suppressed(&keyring.suppression_hash(&email)).await?;
    let Some(person) = store.subscriber(&email).await? else {
        if json {
            println!("{}", json!({"subscriber": null, "suppressed": suppressed}));
            return Ok(Exit::Incomplete);
        }
        let also = if suppressed { "; the address is suppressed and stays out" } else { "" };
        return Err(CommandError::Failed(format!("no subscriber has this address{also}")));
    };
    let (consents, notices) = (store.consents(person.id).await?, store.notices_to(person.id).await?);
    if json {
        println!("{}", to_json(&person, &consents, &notices, suppressed));
    } else {
        print(person, &consents, &notices, suppressed);
    }
    Ok(Exit::Done)
}

/// Prints the address in full: the operator has just typed it.
fn print(person: Subscriber, consents: &[Consent], notices: &[NoticeRow], suppressed: bool) {
    let dash = |text: Option<String>| text.unwrap_or_else(|| "—".to_owned());
    let moment = |at: Option<UnixMillis>| at.map(|at| at.to_string());
    println!("email       {}", person.email.expose());
    println!("name        {}", dash(person.name));
    println!("status      {}", person.status);
    println!("suppressed  {}", if suppressed { "yes" } else { "no" });
    println!("timezone    {}", dash(person.timezone));
    println!("source      {}", person.source);
    println!("joined      {}", person.created_at);
    println!("activated   {}", dash(moment(person.activated_at)));
    println!("ended       {}", dash(moment(person.ended_at)));
    for consent in consents {
        let confirmed =
            consent.confirmed_at.map_or("not confirmed".to_owned(), |at| format!("confirmed {at}"));
        let ip = consent.ip.as_deref().unwrap_or("no IP kept");
        println!("consent     asked {}, {confirmed}, at {} ({ip})", consent.asked_at, consent.form);
        println!("            {} [{}]: {}", consent.text_id, consent.language, consent.text);
    }
    for notice in notices {
        let last = notice.note.as_deref().or(notice.reply.as_deref()).unwrap_or("");
        println!("notice      {} of {}: {} {last}", notice.kind, notice.created_at, notice.state);
    }
}

fn to_json(
    person: &Subscriber,
    consents: &[Consent],
    notices: &[NoticeRow],
    suppressed: bool,
) -> serde_json::Value {
    let moment = |at: Option<UnixMillis>| at.map(|at| at.to_string());
    json!({"id": person.id, "email": person.email.expose(), "name": person.name, "status": person.status,
           "timezone": person.timezone, "source": person.source, "created_at": person.created_at.to_string(),
           "activated_at": moment(person.activated_at), "ended_at": moment(person.ended_at), "suppressed": suppressed,
           "consents": consents.iter().map(consent_json).collect::<Vec<_>>(),
           "notices": notices.iter().map(notice_json).collect::<Vec<_>>()})
}

fn notice_json(notice: &NoticeRow) -> serde_json::Value {
    json!({"kind": notice.kind.as_str(), "state": notice.state, "attempts": notice.attempts,
           "created_at": notice.created_at.to_string(), "reply": notice.reply, "note": notice.note})
}

fn consent_json(consent: &Consent) -> serde_json::Value {
    json!({"asked_at": consent.asked_at.to_string(), "confirmed_at": consent.confirmed_at.map(|at| at.to_string()),
           "form": consent.form, "text_id": consent.text_id, "language": consent.language, "text": consent.text,
           "ip": consent.ip})
}

pub(super) async fn data(store: &Store, keyring: &Keyring, email: &str) -> CommandResult {
    let email = address(email)?;
    let person = find(store, &email).await?;
    let all = store.personal_data(person.id, &keyring.suppression_hash(&email)).await?;
    println!("{:#}", all.unwrap_or_default());
    Ok(Exit::Done)
}

pub(super) async fn unsubscribe(
    store: &Store,
    keyring: &Keyring,
    email: &str,
    now: UnixMillis,
) -> CommandResult {
    let email = address(email)?;
    let person = find(store, &email).await?;
    let cancelled = store.unsubscribe(person.id, &keyring.suppression_hash(&email), now).await?;
    println!("unsubscribed; {} queued letters cancelled", cancelled.unwrap_or(0));
    Ok(Exit::Done)
}

pub(super) async fn erase(
    store: &Store,
    keyring: &Keyring,
    email: &str,
    yes: bool,
    now: UnixMillis,
) -> CommandResult {
    let email = address(email)?;
    let person = find(store, &email).await?;
    if !yes {
        return Err(CommandError::Usage(format!(
            "this deletes {email} ({}) and nothing brings it back; add --yes to do it",
            person.status
        )));
    }
    store.erase(person.id, &keyring.suppression_hash(&email), now).await?;
    println!("erased; the address stays suppressed by its keyed hash");
    Ok(Exit::Done)
}

fn address(text: &str) -> Result<EmailAddress, CommandError> {
    EmailAddress::parse(text).map_err(|error| CommandError::Usage(error.to_string()))
}

async fn find(store: &Store, email: &EmailAddress) -> Result<Subscriber, CommandError> {
    store.subscriber(email).await?.ok_or_else(|| {
        CommandError::Failed(format!(
            "no subscriber has the address {email}; check it with \"verdicts subscribers export\""
        ))
    })
}
