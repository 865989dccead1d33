//! Moments as exports write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::domain::UnixMillis;

/// Reads a moment: RFC 3339, `2026-11-17 09:00:00` with or without fraction and offset,
/// `2026-11-17`, `11/17/2026` with or without a time (month first, as the exports of American
/// services have it), `17.11.2026`, or Unix seconds or milliseconds. What names no offset is
/// taken as UTC.
pub fn parse_when(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return match text.len() {
            9..=10 => Some(UnixMillis(number * 1_000)),
            12..=13 => Some(UnixMillis(number)),
            _ => None,
        };
    }
    let moment = if text.contains('/') {
        slashed(text)
    } else if text.contains('.') && text.find('.').is_some_and(|at| at <= 2) {
        dated(text, &["%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"], "%d.%m.%Y")
    } else {
        return iso(text);
    };
    moment.map(|naive| UnixMillis::from_utc(naive.and_utc()))
}

fn iso(text: &str) -> Option<UnixMillis> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(UnixMillis::from_utc(moment.to_utc()));
    }
    let text = text.trim_end_matches(" UTC").trim_end_matches('Z').trim_end();
    if let Some(naive) =
        dated(text, &["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"], "%Y-%m-%d")
    {
        return Some(UnixMillis::from_utc(naive.and_utc()));
    }
    ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z", "%Y-%m-%dT%H:%M:%S%.f%#z"]
        .iter()
        .find_map(|format| DateTime::parse_from_str(text, format).ok())
        .map(|moment| UnixMillis::from_utc(moment.to_utc()))
}

fn slashed(text: &str) -> Option<NaiveDateTime> {
    let year = text.split(['/', ' ']).nth(2)?;
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.find('/') == Some(4) {
        return dated(text, &["%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M"], "%Y/%m/%d");
    }
    match year.len() {
        4 => dated(
            text,
            &["%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p"],
            "%m/%d/%Y",
        ),
        2 => dated(text, &["%m/%d/%y %H:%M:%S", "%m/%d/%y %H:%M", "%m/%d/%y %I:%M %p"], "%m/%d/%y"),
        _ => None,
    }
}

fn dated(text: &str, formats: &[&str], day: &str) -> Option<NaiveDateTime> {
    let moment = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    moment.or_else(|| NaiveDate::parse_from_str(text, day).ok()?.and_hms_opt(0, 0, 0))
}
