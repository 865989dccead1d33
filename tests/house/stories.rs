//! Where a test stands says what it needs: in a module `needs_…` another program, anywhere else nothing but SQLite. So
//! `tests/run sqlite` leaves out the former by name, and no test skips itself because something is not there.

use std::collections::BTreeSet;
use std::path::Path;

use crate::source::{Source, Token, after_braces, files};

const BINARIES: [&str; 5] = ["cli", "delivery", "letter", "store", "web"];

/// What starts another program, mounts a disk, or asks a server for a database. `Command` does unless it runs our own binary.
const STARTERS: [&str; 6] = ["Browser", "Postfix", "Rspamd", "SmallDisk", "Verifiers", "fresh_database"];

/// A function that is no method.
struct Function<'a> {
    name: &'a str,
    modules: Vec<&'a str>,
    attributes: &'a [Token],
    body: &'a [Token],
}

impl Function<'_> {
    fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|token| token.is(attribute))
    }

    fn names(&self, name: &str) -> bool {
        self.body.iter().any(|token| token.is(name))
    }

    /// Whether it starts a program itself, or by one of these functions.
    fn starts(&self, starters: &BTreeSet<&str>) -> bool {
        self.starts_a_program() || starters.iter().any(|starter| self.names(starter))
    }

    fn starts_a_program(&self) -> bool {
        let asks_for_postgres = || {
            let mut words = self.body.windows(4);
            words.any(|four| four[0].is("World") && four[1].is(":") && four[3].is("postgres"))
        };
        STARTERS.iter().any(|starter| self.names(starter))
            || self.names("Command") && !self.names("BINARY")
            || asks_for_postgres()
    }
}

/// The functions of a file with the modules that they stand in.
fn functions<'a>(tokens: &'a [Token], modules: &[&'a str]) -> Vec<Function<'a>> {
    let (mut found, mut at, mut item) = (Vec::new(), 0, 0);
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "mod" if tokens.get(at + 2).is_some_and(|token| token.is("{")) => {
                let end = after_braces(tokens, at + 2);
                let inside = [modules, &[tokens[at + 1].text.as_str()]].concat();
                found.extend(functions(&tokens[at + 3..end - 1], &inside));
                (at, item) = (end, end);
            }
            "fn" => {
                let body = at + tokens[at..].iter().position(|token| token.is("{")).expect("it has a body");
                let end = after_braces(tokens, body);
                let (attributes, body) = (&tokens[item..at], &tokens[body..end]);
                let name = tokens[at + 1].text.as_str();
                found.push(Function { name, modules: modules.to_vec(), attributes, body });
                (at, item) = (end, end);
            }
            "{" => {
                at = after_braces(tokens, at);
                item = at;
            }
            ";" => {
                at += 1;
                item = at;
            }
            _ => at += 1,
        }
    }
    found
}

/// The functions of a file that start programs for others.
fn starters<'a>(functions: &[Function<'a>]) -> BTreeSet<&'a str> {
    let mut starters = BTreeSet::new();
    loop {
        let helpers = functions.iter().filter(|one| !one.has("test") && one.starts(&starters));
        let found: BTreeSet<&str> = helpers.map(|one| one.name).collect();
        if found.len() == starters.len() {
            return starters;
        }
        starters = found;
    }
}

#[test]
fn who_starts_another_program_says_so() {
    let (mut wrong, mut programs) = (Vec::new(), 0);
    for path in BINARIES.iter().flat_map(|binary| files(&format!("tests/{binary}"), "rs")) {
        let source = Source::read(&path);
        let functions = functions(&source.all_tokens, &[]);
        let starters = starters(&functions);
        let is_named = |one: &Function<'_>| {
            let folders = path.iter().filter_map(|part| part.to_str());
            folders.chain(one.modules.iter().copied()).any(|name| name.starts_with("needs_"))
        };
        // A measurement runs when somebody asks for it.
        let tests = functions.iter().filter(|one| one.has("test") && !one.has("ignore"));
        let needy: Vec<_> = tests.filter(|one| one.starts(&starters)).collect();
        programs += needy.len();
        let unnamed = needy.into_iter().filter(|one| !is_named(one));
        wrong.extend(
            functions.iter().filter(|one| one.name.contains("needs_")).map(|one| one.name.to_owned()),
        );
        wrong.extend(unnamed.map(|one| format!("{}: {}", path.display(), one.name)));
    }
    assert!(programs > 20, "the programs are where this looks");
    assert!(wrong.is_empty(), "these belong in a module needs_…:\n{}", wrong.join("\n"));
}

#[test]
fn every_story_is_in_the_binary_of_its_room() {
    let flat: Vec<_> =
        files("tests", "rs").into_iter().filter(|path| path.parent() == Some(Path::new("tests"))).collect();
    assert!(flat.is_empty(), "each of these links the whole crate once more: {flat:?}");
    for binary in BINARIES {
        let main = Source::read(Path::new(&format!("tests/{binary}/main.rs")));
        for path in files(&format!("tests/{binary}"), "rs") {
            let story = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let is_run = ["main", "mod"].contains(&story.as_str())
                || main.all_tokens.windows(2).any(|two| two[0].is("mod") && two[1].is(&story))
                || path.parent().is_some_and(|folder| folder.join("mod.rs").exists());
            assert!(is_run, "{} is in no binary: tests/{binary}/main.rs has no mod {story}", path.display());
        }
    }
}
