//! The binary as it is, with the fault points of `src/fault.rs` in it: what `tests/delivery/promises.rs` kills.

use std::process::ExitCode;

fn main() -> ExitCode {
    verdicts::cli::main(std::env::args_os(), std::env::vars())
}
