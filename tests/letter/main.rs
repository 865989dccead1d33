//! What goes out: letters and notices as they are composed, rendered, linted and judged by other people's programs.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod accessible;
mod clients;
mod fixture_letters;
mod injection;
mod made;
mod matrix;
mod reference;
mod spam;
mod texts;
mod valid_html;
