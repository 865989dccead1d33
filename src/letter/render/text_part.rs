//! What the text parts of letters and notices are laid out with: filters that count columns as a
//! terminal does.

use tera::{Kwargs, State, Tera, TeraResult};

use crate::letter::english;

/// Signs in a bar of 100 %.
const BAR: usize = 10;

/// Gives `tera` the filters `wrap(indent)`, `underline(with)`, `column(width)`, `right(width)` and
/// `bar`.
pub(in crate::letter) fn teach(tera: &mut Tera) {
    tera.register_filter("wrap", |text: &str, args: Kwargs, _: &State<'_>| -> TeraResult<String> {
        Ok(english::wrapped(text, english::TEXT_WIDTH, args.get::<&str>("indent")?.unwrap_or("")))
    });
    tera.register_filter("underline", |text: &str, args: Kwargs, _: &State<'_>| -> TeraResult<String> {
        let with = args.get::<&str>("with")?.unwrap_or("-");
        Ok(with.repeat(english::width(text).min(english::TEXT_WIDTH)))
    });
    tera.register_filter("column", |text: &str, args: Kwargs, _: &State<'_>| -> TeraResult<String> {
        Ok(column(text, args.get::<usize>("width")?.unwrap_or(20)))
    });
    tera.register_filter("right", |text: &str, args: Kwargs, _: &State<'_>| -> TeraResult<String> {
        let width = args.get::<usize>("width")?.unwrap_or(english::TEXT_WIDTH);
        Ok(" ".repeat(width.saturating_sub(english::width(text))) + text)
    });
    tera.register_filter("bar", |percent: usize, _: Kwargs, _: &State<'_>| -> TeraResult<String> {
        Ok(bar(percent))
    });
}

/// Without blanks at the ends of lines, which columns leave there, and with one line end at the
/// last.
pub(in crate::letter) fn trimmed(text: &str) -> String {
    let lines = text.trim_end().lines().map(str::trim_end);
    lines.fold(String::with_capacity(text.len()), |whole, line| whole + line + "\n")
}

/// The text and blanks up to `width` columns, at least one of them a blank.
fn column(text: &str, width: usize) -> String {
    let text = english::clipped(text, width.saturating_sub(1));
    let blanks = width.saturating_sub(english::width(&text));
    english::isolated(&text) + &" ".repeat(blanks)
}

/// "########.." for 75. A sign is full where more than half of it is.
fn bar(percent: usize) -> String {
    let full = (percent.min(100) * BAR + 50) / 100;
    "#".repeat(full) + &".".repeat(BAR - full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_a_terminal_shows_them() {
        assert_eq!(column("Quarry", 8), "Quarry  ");
        assert_eq!(column("筆つむぎ", 10), "筆つむぎ  ");
        assert_eq!(column("🚀 Rocketdeck", 8), "🚀 Roc… ");
        assert_eq!(column("قلم", 5), "\u{2068}قلم\u{2069}  ", "or the column behind it would come first");
        assert_eq!(column("", 2), "  ");
    }

    #[test]
    fn bars_show_all_nothing_and_what_is_between() {
        assert_eq!(
            [0, 4, 5, 50, 75, 96, 100].map(bar),
            [
                "..........",
                "..........",
                "#.........",
                "#####.....",
                "########..",
                "##########",
                "##########"
            ]
        );
    }
}
