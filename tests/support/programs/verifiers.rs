//! Two verifiers of DKIM that share no code with us or with each other: dkimpy and OpenDKIM. Both take the keys from a file
//! instead of the DNS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use verdicts::mail::dkim::Record;

pub struct Verifiers {
    folder: tempfile::TempDir,
    records: PathBuf,
}

/// What a verifier says of each signature, by selector: passed or not.
pub type Verdicts = Vec<(String, bool)>;

impl Verifiers {
    pub fn knowing<'a>(records: impl Iterator<Item = &'a Record>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lines: String = records.map(|record| format!("{} {}\n", record.name, record.value)).collect();
        let path = folder.path().join("records");
        fs::write(&path, lines).unwrap();
        // OpenDKIM verifies three signatures unless told otherwise, and calls all further ones failed.
        let settings = format!("Mode v\nMaximumSignaturesToVerify 10\nTestDNSData file:{}\n", path.display());
        fs::write(folder.path().join("opendkim.conf"), settings).unwrap();
        Self { folder, records: path }
    }

    /// What both say, which has to be the same.
    pub fn judge(&self, letter: &[u8]) -> Verdicts {
        let file = self.folder.path().join("letter.eml");
        fs::write(&file, letter).unwrap();
        let (dkimpy, opendkim) = (self.dkimpy(&file), self.opendkim(&file));
        assert_eq!(dkimpy, opendkim, "dkimpy and OpenDKIM disagree");
        dkimpy
    }

    /// # Panics
    /// If dkimpy is missing: that is a failure, never a skip.
    fn dkimpy(&self, letter: &Path) -> Verdicts {
        // Debian's own Python: another one on the path does not see Debian's packages.
        let ran = Command::new("/usr/bin/python3")
            .arg("tests/support/programs/verify_dkim.py")
            .args([&self.records, letter])
            .output()
            .expect("/usr/bin/python3 is missing: apt-get install --no-install-recommends python3-dkim");
        let errors = String::from_utf8_lossy(&ran.stderr);
        assert!(
            !errors.contains("No module named"),
            "dkimpy is missing: apt-get install --no-install-recommends python3-dkim"
        );
        assert!(ran.status.success(), "{errors}");
        let said = String::from_utf8(ran.stdout).unwrap();
        said.lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(selector, word)| (selector.to_owned(), word == "pass"))
            .collect()
    }

    /// # Panics
    /// If OpenDKIM is missing.
    fn opendkim(&self, letter: &Path) -> Verdicts {
        let ran = Command::new("/usr/sbin/opendkim")
            .arg("-x")
            .arg(self.folder.path().join("opendkim.conf"))
            .arg("-t")
            .arg(letter)
            .arg("-vv")
            .output()
            .expect("OpenDKIM is missing: apt-get install --no-install-recommends opendkim");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let verdict = |line: &str| {
            let (_, rest) = line.split_once("header.s=")?;
            let selector = rest.split_whitespace().next()?.trim_end_matches([';', '\'']);
            Some((selector.to_owned(), line.contains("dkim=pass")))
        };
        said.lines().filter_map(verdict).collect()
    }
}
