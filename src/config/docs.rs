//! What is written from the table of keys: the settings file of `verdicts init`, and the reference.

pub(super) mod init_file;
pub(super) mod reference;
mod wrap;
