//! `verdicts subscribers stats`: how many there are, and why some have left.

use serde_json::json;

use crate::cli::exit::{CommandResult, Exit};
use crate::domain::subscriber::SubscriberStatus;
use crate::store::Store;

/// What readers wrote on leaving that is shown, the newest first.
const WORDS_SHOWN: i64 = 50;

pub(super) async fn stats(store: &Store, json: bool) -> CommandResult {
    let counts = store.count_subscribers().await?;
    let suppressed = store.count_suppressed().await?;
    let left = store.unsubscribe_reasons(WORDS_SHOWN).await?;
    let count = |status: SubscriberStatus| counts.get(status.as_str()).copied().unwrap_or(0);
    if json {
        let mut figures = serde_json::Map::new();
        for status in SubscriberStatus::ALL {
            figures.insert(status.as_str().to_owned(), count(status).into());
        }
        figures.insert("suppressed".to_owned(), suppressed.into());
        let words: Vec<_> =
            left.words.iter().map(|(at, words)| json!({"left_at": at.to_string(), "words": words})).collect();
        figures.insert("reasons".to_owned(), json!(left.counts));
        figures.insert("words".to_owned(), words.into());
        println!("{}", serde_json::Value::Object(figures));
        return Ok(Exit::Done);
    }
    for status in SubscriberStatus::ALL {
        println!("{:<13}{:>10}", status.as_str(), count(status));
    }
    println!("{:<13}{suppressed:>10}", "suppressed");
    if !left.counts.is_empty() {
        println!("\nleft by their own hand, and why:");
    }
    for (reason, n) in &left.counts {
        println!("{reason:<13}{n:>10}");
    }
    for (at, words) in &left.words {
        println!("{at}  {words}");
    }
    Ok(Exit::Done)
}
