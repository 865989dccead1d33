//! Readers: how they come, what they choose and say, and how they leave.

pub(in crate::store) mod address_change;
pub(in crate::store) mod import;
pub(in crate::store) mod personal_data;
pub(in crate::store) mod preferences;
pub(in crate::store) mod rate_limits;
pub(in crate::store) mod signup;
pub(in crate::store) mod subscribers;
pub(in crate::store) mod unsubscribe;
pub(in crate::store) mod votes;
