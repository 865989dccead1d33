//! How a command ends, and why it failed.

use std::fmt;
use std::path::Path;

use crate::app::AppError;
use crate::config::ConfigError;
use crate::domain::issue::IssueNumber;

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
pub enum CommandError {
    /// Exit 1.
    Failed(String),
    /// Exit 2: bad usage or settings.
    Usage(String),
}

impl CommandError {
    /// What is wrong with a file.
    pub(super) fn about(file: &Path, error: &dyn fmt::Display) -> Self {
        Self::Failed(format!("{}: {error}", file.display()))
    }

    pub(super) fn no_issue(number: IssueNumber) -> Self {
        Self::Failed(format!("there is no issue {number}; \"verdicts issue list\" shows which there are"))
    }
}

impl<E: std::error::Error + 'static> From<E> for CommandError {
    fn from(error: E) -> Self {
        // Settings that can't be used are bad usage, wherever they come up.
        let known = &error as &dyn std::error::Error;
        // Templates of the operator's own are settings as well.
        let usage =
            known.is::<ConfigError>() || matches!(known.downcast_ref(), Some(AppError::Templates { .. }));
        if usage { Self::Usage(error.to_string()) } else { Self::Failed(error.to_string()) }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Failed(text) | Self::Usage(text)) = self;
        f.write_str(text)
    }
}

pub type CommandResult = Result<Exit, CommandError>;
