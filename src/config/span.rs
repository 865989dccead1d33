//! Spans of time as people write them: `90s`, `12h`, `1h30m`, `7d`.

use std::time::Duration;

const UNITS: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];

/// Reads a span of whole seconds up to ten years.
///
/// # Errors
/// One line with the forms that are understood.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    const MOST: u64 = 10 * 366 * 86_400;
    seconds(text.trim()).filter(|&seconds| seconds <= MOST).map(Duration::from_secs).ok_or_else(|| {
        "it is not a span of time; write a number and s, m, h, d or w, as 90s, 12h or 7d".to_owned()
    })
}

fn seconds(text: &str) -> Option<u64> {
    let (mut total, mut number) = (0_u64, None::<u64>);
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit.into())?);
        } else {
            let (_, unit) = UNITS.into_iter().find(|&(name, _)| name == c)?;
            total = total.checked_add(number.take()?.checked_mul(unit)?)?;
        }
    }
    // A number without its unit is refused rather than guessed.
    (number.is_none() && !text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_their_unit() {
        for (text, seconds) in
            [("90s", 90), ("1m", 60), ("12h", 43_200), ("7d", 604_800), ("1h30m", 5_400), (" 0s ", 0)]
        {
            assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_span_is_refused() {
        for text in ["", "5", "h", "1.5h", "-1m", "1 h", "5ms", "99999999999999999999s", "9999999999w", "1h5"]
        {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
