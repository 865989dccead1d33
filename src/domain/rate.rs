//! How fast letters may leave: `100/s`, `5000/h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// At most `letters` in every span of `per`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    pub letters: u32,
    pub per: Duration,
}

const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];

impl FromStr for Rate {
    type Err = String;

    /// # Errors
    /// One line with the text and the forms that are understood.
    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.trim().split_once('/').and_then(|(letters, unit)| {
            let letters = letters.trim().parse::<u32>().ok().filter(|&letters| letters > 0)?;
            let (_, seconds) = UNITS.into_iter().find(|&(name, _)| name == unit.trim())?;
            Some(Self { letters, per: Duration::from_secs(seconds) })
        });
        parsed.ok_or_else(|| {
            format!(
                "rate {text:?} is not understood; write letters per time, as 100/s, 600/m, 5000/h or 50000/d"
            )
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.into_iter().find(|&(_, seconds)| Duration::from_secs(seconds) == self.per) {
            Some((unit, _)) => write!(f, "{}/{unit}", self.letters),
            None => write!(f, "{} in {:?}", self.letters, self.per),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_and_written_the_same() {
        for text in ["100/s", "1/m", "5000/h", "4294967295/d"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        assert_eq!("600/m".parse::<Rate>().unwrap(), Rate { letters: 600, per: Duration::from_secs(60) });
    }

    #[test]
    fn what_is_not_a_rate_is_refused_with_the_forms() {
        for text in ["", "100", "0/s", "-1/s", "1.5/s", "100/week", "/s", "100/", "99999999999/s"] {
            let error = text.parse::<Rate>().unwrap_err();
            assert!(error.contains("100/s") && error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
