//! What a command says on stdout: lines, or one value as JSON.

use std::fmt;

use super::exit::CommandError;

/// Prints a line on stdout. A reader that has gone away (`verdicts … | head`) is no failure.
pub(crate) fn say(text: impl fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a value as one line of JSON on stdout.
pub(crate) fn say_json(value: &impl serde::Serialize) -> Result<(), CommandError> {
    say(serde_json::to_string(value)?);
    Ok(())
}
