//! What goes into a statement as one parameter, and what comes out of a row as a type of ours.

use crate::domain::EmailAddress;
use crate::domain::subject::Arm;
use crate::store::db::error::{Result, StoreError};

/// A batch as the one JSON parameter of its statement.
pub(in crate::store) fn json<T: serde::Serialize>(rows: &T) -> Result<String> {
    serde_json::to_string(rows).map_err(|error| StoreError::Statement(error.to_string()))
}

pub(in crate::store) fn address(text: String) -> Result<EmailAddress> {
    // The text itself is not repeated: it may be a person's.
    EmailAddress::parse(&text).map_err(|error| StoreError::content("an address of which", error.to_string()))
}

/// A count that is never negative and always small.
pub(in crate::store) fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub(in crate::store) fn arm(text: String) -> Result<Arm> {
    Arm::parse(&text).ok_or_else(|| StoreError::content("a subject", text))
}
