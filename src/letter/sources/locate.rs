//! Where a field stands in a file that has been parsed already, as an offset in octets.

use super::problem::Step;

/// The field, or the nearest thing around it, in a TOML text.
pub(super) fn toml(text: &str, path: &[Step]) -> Option<usize> {
    let root = toml::de::DeTable::parse(text).ok()?;
    let mut at = None;
    let mut value: Option<&toml::Spanned<toml::de::DeValue<'_>>> = None;
    for step in path {
        let next = match (value.map(|v| v.get_ref()), step) {
            (None, Step::Key(key)) => root.get_ref().get(key.as_str()),
            (Some(inside), Step::Key(key)) => inside.get(key.as_str()),
            (Some(inside), Step::Index(index)) => inside.get(*index),
            (None, Step::Index(_)) => None,
        };
        let Some(found) = next else { break };
        at = Some(found.span().start);
        value = Some(found);
    }
    at
}

/// The field, or the nearest thing around it, in a text that is known to be JSON.
pub(super) fn json(text: &str, path: &[Step]) -> Option<usize> {
    let mut scan = Scan { text: text.as_bytes(), at: 0 };
    scan.blanks();
    let mut found = scan.at;
    for step in path {
        let entered = match step {
            Step::Key(key) => scan.enter_key(key),
            Step::Index(index) => scan.enter_index(*index),
        };
        match entered {
            Some(()) => found = scan.at,
            None => break,
        }
    }
    Some(found)
}

/// A walk over JSON that skips values without reading them.
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace() || b == b',' || b == b':') {
            self.at += 1;
        }
    }

    /// From the `{` of an object to the value of `key`.
    fn enter_key(&mut self, key: &str) -> Option<()> {
        self.open(b'{')?;
        while self.peek()? != b'}' {
            let from = self.at;
            self.skip()?;
            let name: String = serde_json::from_slice(self.text.get(from..self.at)?).ok()?;
            self.blanks();
            if name == key {
                return Some(());
            }
            self.skip()?;
            self.blanks();
        }
        None
    }

    /// From the `[` of an array to its item `index`.
    fn enter_index(&mut self, index: usize) -> Option<()> {
        self.open(b'[')?;
        for _ in 0..index {
            if self.peek()? == b']' {
                return None;
            }
            self.skip()?;
            self.blanks();
        }
        (self.peek()? != b']').then_some(())
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        if self.peek()? != bracket {
            return None;
        }
        self.at += 1;
        self.blanks();
        Some(())
    }

    /// Past one value: a string, a number or word, or all that is between two brackets.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                _ => {
                    while self.peek().is_some_and(|b| !b",:]} \t\r\n".contains(&b)) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return Some(());
            }
            self.blanks();
        }
    }

    fn skip_string(&mut self) -> Option<()> {
        self.at += 1;
        while self.peek()? != b'"' {
            self.at += if self.peek()? == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        Some(())
    }
}
