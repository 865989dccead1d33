//! One file per command group. Owns terminal output and progress bars; decides nothing.

pub mod subscribers;

use std::fmt;

/// How a command ended when it did not fail. The numbers are a contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0
    Done,
    /// 1: the command did what it could, and has said what it could not.
    Incomplete,
    /// 3
    NothingToSend,
}

/// Why a command failed: one line that names the thing, the value and the remedy.
#[derive(Debug)]
pub enum Failure {
    /// Exit 1.
    Failed(String),
    /// Exit 2: bad usage or settings.
    Usage(String),
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Failed(text) | Self::Usage(text)) = self;
        f.write_str(text)
    }
}

pub type Outcome = std::result::Result<Exit, Failure>;
