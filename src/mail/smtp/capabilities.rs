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
    /// RFC 3207.
    pub starttls: bool,
    /// RFC 4616 over RFC 4954.
    pub auth_plain: bool,
    pub auth_login: bool,
}

impl Announced {
    /// Takes in one line of the answer after its first, which is the relay's name.
    pub fn add(&mut self, line: &str) {
        // `AUTH=LOGIN` is how it was written before RFC 2554; some write both.
        let mut words = line.split(|c: char| c.is_whitespace() || c == '=').filter(|word| !word.is_empty());
        match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "PIPELINING" => self.pipelining = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "STARTTLS" => self.starttls = true,
            // Zero means no fixed limit (RFC 1870 §4).
            "SIZE" => self.size = words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0),
            "AUTH" => {
                for mechanism in words {
                    self.auth_plain |= mechanism.eq_ignore_ascii_case("PLAIN");
                    self.auth_login |= mechanism.eq_ignore_ascii_case("LOGIN");
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Announced {
        let mut announced = Announced::default();
        lines.iter().for_each(|line| announced.add(line));
        announced
    }

    #[test]
    fn extensions_are_read_in_any_case() {
        let announced = read(&["Pipelining", "SIZE 1000", "SMTPUTF8", "starttls"]);
        let right = Announced {
            pipelining: true,
            smtputf8: true,
            size: Some(1000),
            starttls: true,
            ..Announced::default()
        };
        assert_eq!(announced, right);
        assert_eq!(read(&["SIZE 0", "size", ""]), Announced::default());
    }

    #[test]
    fn ways_to_log_in_are_read_in_the_old_form_too() {
        for (lines, plain, login) in [
            (&["AUTH PLAIN LOGIN"][..], true, true),
            (&["AUTH=LOGIN"], false, true),
            (&["AUTH CRAM-MD5", "AUTH=LOGIN PLAIN"], true, true),
            (&["auth login"], false, true),
            (&["AUTH XPLAIN"], false, false),
        ] {
            let announced = read(lines);
            assert_eq!((announced.auth_plain, announced.auth_login), (plain, login), "{lines:?}");
        }
    }
}
