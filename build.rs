//! Templates, texts and migrations are embedded in the binary: a file that is new among them is a new binary.

fn main() {
    println!("cargo::rerun-if-changed=templates");
    println!("cargo::rerun-if-changed=migrations");
}
