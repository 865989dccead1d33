//! Commands around a run: start one, keep on with it, see where it stands.

mod progress;
pub(super) mod send;
pub(super) mod serve;
pub(super) mod status;
pub(super) mod stop;
