//! Sessions with relays: how many are open, which of several relays is next, and letters that go
//! alone.

pub(super) mod relays;
pub(super) mod sessions;
pub(super) mod single;
