//! The binary with fault points, built when a test asks for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Its path. It shares all dependencies with the real binary, so that only this crate is compiled again.
pub fn binary() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

fn build() -> PathBuf {
    let real = Path::new(env!("CARGO_BIN_EXE_verdicts"));
    let profile = real.parent().expect("a binary lies in a folder");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["build", "--quiet", "--features", "fault-points", "--bin", "verdicts-with-fault-points"]);
    cargo.arg("--target-dir").arg(profile.parent().expect("target/debug has a parent"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.status().expect("cargo runs");
    assert!(built.success(), "the binary with fault points does not build");
    profile.join("verdicts-with-fault-points")
}
