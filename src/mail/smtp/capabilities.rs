//! What a relay can do, as its answer to EHLO says.

/// What the relay's EHLO announced that matters to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Announced {
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 6531.
    pub smtputf8: bool,
    /// RFC 1870: the most octets of a letter, if there is a limit.
    pub size: Option<usize>,
}

impl Announced {
    pub fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut announced = Self::default();
        for line in lines {
            let mut words = line.split_whitespace();
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "PIPELINING" => announced.pipelining = true,
                "SMTPUTF8" => announced.smtputf8 = true,
                // Zero means no fixed limit (RFC 1870 §4).
                "SIZE" => announced.size = words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0),
                _ => {}
            }
        }
        announced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_read_in_any_case() {
        let announced =
            Announced::read(["mx.example.com", "Pipelining", "SIZE 1000", "SMTPUTF8"].into_iter());
        assert_eq!(announced, Announced { pipelining: true, smtputf8: true, size: Some(1000) });
        assert_eq!(Announced::read(["SIZE 0", "size"].into_iter()), Announced::default());
    }
}
