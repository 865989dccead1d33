//! Where letters are handed over, as `[relay]` and `[delivery]` say.

use std::fs;

use crate::config::Settings;
use crate::delivery::{DomainPace, Loader, Mailer, MailerSettings, PaceLimits, Relays, Transport};
use crate::domain::pace::Warmup;
use crate::domain::relay::{RelayUrl, SmtpUrl};
use crate::domain::token::Keyring;
use crate::mail::{ConnectError, Outbox, Relay, SessionOptions};
use crate::store::RestoreGuard;

/// Opens no line yet.
///
/// # Errors
/// [`ConnectError`] when the certificates to trust can't be loaded.
pub(super) fn mailer(
    settings: &Settings,
    keyring: &Keyring,
    loader: Loader,
    guard: RestoreGuard,
) -> Result<Mailer, ConnectError> {
    let (relay, delivery) = (&settings.relay, &settings.delivery);
    let own = MailerSettings {
        connections: relay.connections,
        rate: relay.rate,
        first_retry: delivery.first_retry,
        max_age: delivery.max_age,
        linger: delivery.linger,
        ..MailerSettings::default()
    };
    let from = settings.site.from.address.clone();
    let mailer = Mailer::new(transport(settings)?, own, from, keyring.clone(), loader)
        .with_limits(limits(settings))
        .with_restore_guard(guard);
    Ok(match &settings.bounce_address {
        Some(bounces) => mailer.with_bounce_address(bounces.clone()),
        None => mailer,
    })
}

fn transport(settings: &Settings) -> Result<Transport, ConnectError> {
    let own = &settings.relay;
    Ok(match &own.url {
        RelayUrl::Outbox(folder) => Transport::Outbox(Outbox::new(folder)),
        RelayUrl::Smtp(url) if own.more.is_empty() => Transport::Smtp(Box::new(relay(settings, url)?)),
        RelayUrl::Smtp(url) => {
            let mut relays = vec![(relay(settings, url)?, own.weight)];
            for more in &own.more {
                relays.push((relay(settings, &more.url)?, more.weight));
            }
            Transport::Several(Relays::new(relays))
        }
    })
}

fn relay(settings: &Settings, url: &SmtpUrl) -> Result<Relay, ConnectError> {
    let own = &settings.relay;
    let mut options = SessionOptions {
        ca_file: own.ca_file.clone(),
        letters: own.session_letters,
        ..SessionOptions::default()
    };
    if let Some(hello) = own.helo.clone().or_else(own_name) {
        options.hello = hello;
    }
    Relay::new(url, options)
}

fn limits(settings: &Settings) -> PaceLimits {
    let domains = settings.relay.domains.iter().map(|(domain, limit)| {
        (domain.clone(), DomainPace { rate: limit.rate, connections: limit.connections })
    });
    PaceLimits { domains: domains.collect(), warmup: Warmup(settings.relay.warmup.clone()) }
}

/// This machine's name, if it is a full one; EHLO takes no other (RFC 5321 §4.1.1.1).
fn own_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?.trim().to_owned();
    let full = name.contains('.') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    full.then_some(name)
}
