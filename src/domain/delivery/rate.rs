//! How fast letters may go: so many per second, minute, hour or day.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// `100/s`, `10000/h`: at most `letters` in any span of `per`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// At least one.
    pub letters: u32,
    pub per: Duration,
}

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Rate {
    /// The span between two letters that go evenly.
    pub fn interval(&self) -> Duration {
        self.per / self.letters.max(1)
    }
}

impl FromStr for Rate {
    type Err = String;

    /// Parses `<letters>/<s|m|h|d>`.
    fn from_str(text: &str) -> Result<Self, String> {
        let refuse =
            |why: &str| format!("rate {text:?} {why}; write it as 100/s, 3000/m, 10000/h or 50000/d");
        let (letters, per) = text.trim().split_once('/').ok_or_else(|| refuse("has no /"))?;
        let letters = letters.trim().parse().map_err(|_| refuse("does not begin with a whole number"))?;
        if letters == 0 {
            return Err(refuse("would send nothing, ever"));
        }
        let per = match per.trim() {
            "s" => SECOND,
            "m" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            _ => return Err(refuse("has an unknown span")),
        };
        Ok(Self { letters, per: Duration::from_secs(per) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = match self.per.as_secs() {
            MINUTE => "m",
            HOUR => "h",
            DAY => "d",
            _ => "s",
        };
        write!(f, "{}/{span}", self.letters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_and_printed() {
        for (text, interval) in [("100/s", 10), ("60/m", 1_000), ("10/h", 360_000), ("1/d", 86_400_000)] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!((rate.to_string().as_str(), rate.interval()), (text, Duration::from_millis(interval)));
        }
        assert_eq!(" 5 / s ".parse::<Rate>().unwrap().letters, 5);
    }

    #[test]
    fn what_is_no_rate_is_refused_with_the_remedy() {
        for text in ["", "100", "0/s", "-1/s", "1.5/s", "10/w", "/s", "99999999999/s"] {
            let error = text.parse::<Rate>().unwrap_err();
            assert!(error.contains("write it as 100/s") && error.contains(text), "{error}");
        }
    }
}
