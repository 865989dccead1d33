//! Arguments → one command → an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    verdicts::cli::main(std::env::args_os(), std::env::vars())
}
