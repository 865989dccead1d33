//! What goes out: letters and notices as they are composed, rendered, linted and judged by other people's programs.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod clients;
mod fixture_letters;
mod injection;
mod made;
mod matrix;
mod notices;
mod texts;

mod needs_node {
    mod reference;
    mod valid_html;
}

mod needs_chromium {
    mod accessible;
}

mod needs_rspamd {
    mod spam;
}
