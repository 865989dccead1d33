//! Which column of a header is what, in the words of this house and of the services that
//! people come from.

use crate::domain::subscriber::SubscriberStatus;

/// What a column holds, as far as we care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    Email,
    Name,
    FirstName,
    LastName,
    Status,
    /// True: gets the letter (Ghost).
    Subscribed,
    /// True: does not get the letter (Substack).
    Disabled,
    /// Not empty: has left (Mailchimp).
    LeftAt,
    /// Not empty: the address bounced (Mailchimp calls that cleaned).
    CleanedAt,
    Timezone,
    CreatedAt,
    Source,
}

impl Field {
    pub const COUNT: usize = 12;

    pub fn name(self) -> &'static str {
        ALIASES.iter().find(|(field, _)| *field == self).map_or("row", |(_, names)| names[0])
    }
}

/// The names of each field in order of preference: the first that the header has is taken, further
/// ones are left out. Substack's `active_subscription` is absent on purpose: it means that somebody
/// pays, not that they get the letter.
const ALIASES: [(Field, &[&str]); Field::COUNT] = [
    (
        Field::Email,
        &[
            "email",
            "email_address",
            "e_mail",
            "e_mail_address",
            "subscriber_email",
            "user_email_address",
            "mail",
        ],
    ),
    (Field::Name, &["name", "full_name", "subscriber_name", "user_name"]),
    (Field::FirstName, &["first_name", "firstname", "given_name", "fname"]),
    (Field::LastName, &["last_name", "lastname", "family_name", "surname", "lname"]),
    (Field::Status, &["status", "state", "subscriber_type", "type"]),
    (Field::Subscribed, &["subscribed_to_emails", "subscribed"]),
    (Field::Disabled, &["email_disabled", "unsubscribed"]),
    (Field::LeftAt, &["unsub_time", "unsubscribed_at", "unsubscribe_date", "unsubscription_date"]),
    (Field::CleanedAt, &["clean_time"]),
    (Field::Timezone, &["timezone", "time_zone", "tz"]),
    (
        Field::CreatedAt,
        &[
            "created_at",
            "creation_date",
            "subscribed_at",
            "optin_time",
            "confirm_time",
            "signup_date",
            "subscribe_date",
            "start_date",
            "subscription_created_at",
            "created",
            "date_added",
        ],
    ),
    (Field::Source, &["source"]),
];

/// Where each field stands in a row, and the columns nobody asked for.
pub(super) fn assign(header: &[String]) -> ([Option<usize>; Field::COUNT], Vec<String>) {
    let names: Vec<String> = header.iter().map(|name| normal(name)).collect();
    let mut places = [None; Field::COUNT];
    // Beside a country, `state` is a part of it.
    let has_country = names.iter().any(|name| name == "country");
    for (field, aliases) in ALIASES {
        places[field as usize] = aliases
            .iter()
            .filter(|alias| !(has_country && **alias == "state"))
            .find_map(|alias| names.iter().position(|name| name == alias));
    }
    let ignored = header
        .iter()
        .enumerate()
        .filter(|(at, _)| !places.contains(&Some(*at)))
        .map(|(_, name)| name.clone())
        .collect();
    (places, ignored)
}

/// `Email Address` → `email_address`.
fn normal(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim().chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out.trim_matches('_').to_owned()
}

/// A status in the words of this house or of another. A word that nobody knows is refused, since to
/// guess "active" would be mail without consent; whoever is paused, blocked or under review
/// elsewhere does not become active here.
pub(super) fn status(text: &str) -> Result<SubscriberStatus, String> {
    use SubscriberStatus::{Active, Bounced, Complained, Pending, Unsubscribed};
    Ok(match normal(text).as_str() {
        "active" | "subscribed" | "enabled" | "confirmed" => Active,
        // Buttondown's types of people who get the letter.
        "regular" | "premium" | "gifted" | "trialed" | "free" | "paid" | "churning" | "churned"
        | "past_due" => Active,
        "pending" | "unconfirmed" | "unactivated" | "validating" | "needs_attention" => Pending,
        "unsubscribed" | "inactive" | "disabled" | "blocklisted" | "blocked" | "removed" | "paused" => {
            Unsubscribed
        }
        "bounced" | "cleaned" | "undeliverable" | "invalid" => Bounced,
        "complained" | "spam" => Complained,
        _ => {
            return Err(format!(
                "status {text:?} is unknown; use pending, active, unsubscribed, bounced or complained"
            ));
        }
    })
}

/// Yes or no as exports write it.
pub(super) fn yes(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "t" => Ok(true),
        "false" | "0" | "no" | "n" | "f" => Ok(false),
        _ => Err(format!("{text:?} is neither yes nor no; use true or false")),
    }
}
