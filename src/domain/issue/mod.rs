//! Issues: when one is due, what goes in, what it is called and how it looks.

pub mod colour;
pub mod comparison;
pub(super) mod issues;
pub mod schedule;
pub mod site;
pub mod subject;
pub mod theme;

pub use issues::{Issue, IssueNumber, IssueState, NewIssue};
