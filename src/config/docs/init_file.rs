//! `verdicts.toml` as `verdicts init` writes it.

use super::wrap::wrap;
use crate::config::key::Initial;
use crate::config::keys::{KEYS, SECTIONS};

/// The documented `verdicts.toml` that `verdicts init` writes: every key with its comment; those
/// that may be absent are commented out.
pub fn init_file() -> String {
    let mut out = String::from(
        "# The settings of verdicts. Paths are relative to this folder; times are written as 90s, 12h, 7d.\n\
         # Any key also comes from the environment: VERDICTS__RELAY__URL overrides relay.url.\n",
    );
    for (section, about) in SECTIONS {
        out.push_str(&format!("\n# {about}\n[{section}]\n"));
        for key in KEYS.iter().filter(|key| key.section() == section) {
            out.push('\n');
            wrap(&mut out, "# ", key.doc);
            let (mark, value) = match key.initial {
                Initial::Required(value) | Initial::Default(value) => ("", value),
                Initial::Absent(value) => ("# ", value),
            };
            out.push_str(&format!("{mark}{} = {value}\n", key.own_name()));
        }
    }
    out
}
