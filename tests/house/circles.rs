//! No two files need each other, and no three in a ring: the arrows between files, read from their paths, form no circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Import, Outline, Source, is_of_tests, module_of, paths, sources};

/// What every file uses of which other, by name.
type Ties = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

struct Module {
    file: String,
    outline: Outline,
}

/// Every module of the crate, by its path from the root.
struct Tree(BTreeMap<Vec<String>, Module>);

impl Tree {
    fn of(sources: &[Source]) -> Self {
        let modules = sources.iter().filter(|one| one.room() != "main" && !is_of_tests(&one.path));
        let module = |one: &Source| Module { file: one.name(), outline: Outline::of(&one.tokens) };
        Self(modules.map(|one| (module_of(&one.path), module(one))).collect())
    }

    /// The whole path of what is called `path` in the module `here`; nothing for other people's crates and for types.
    fn absolute(&self, here: &[String], path: &[String]) -> Option<Vec<String>> {
        let first = path.first()?.as_str();
        let (start, rest) = match first {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (here.to_vec(), &path[1..]),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                (here[..here.len().checked_sub(ups)?].to_vec(), &path[ups..])
            }
            name if self.0.get(here)?.outline.children.iter().any(|child| child == name) => {
                (here.to_vec(), path)
            }
            _ => return None,
        };
        Some([start.as_slice(), rest].concat())
    }

    /// The module and the name in it that a whole path leads to, through whatever passes it on. The name is empty where the
    /// path ends at a module.
    fn resolve(&self, path: &[String], depth: usize) -> Option<(Vec<String>, String)> {
        let inside = (0..=path.len()).rev().find(|end| self.0.contains_key(&path[..*end]))?;
        let (module, rest) = path.split_at(inside);
        let Some(name) = rest.first() else { return Some((module.to_vec(), String::new())) };
        let outline = &self.0[module].outline;
        if outline.defined.contains_key(name) {
            return Some((module.to_vec(), name.clone()));
        }
        if depth == 0 {
            return None;
        }
        let follow = |import: &Import, more: &[String]| {
            let whole = self.absolute(module, &import.path)?;
            self.resolve(&[whole.as_slice(), more].concat(), depth - 1)
        };
        if let Some(import) = outline.imports.iter().find(|import| import.name == *name) {
            return follow(import, &rest[1..]);
        }
        let mut everything = outline.imports.iter().filter(|import| import.name == "*");
        // What is nowhere to be seen is declared there by a macro.
        everything.find_map(|import| follow(import, rest)).or_else(|| Some((module.to_vec(), name.clone())))
    }

    fn ties(&self) -> Ties {
        let mut ties = Ties::new();
        for (here, module) in &self.0 {
            let outline = &module.outline;
            let mut used = Vec::new();
            for import in &outline.imports {
                let Some(whole) = self.absolute(here, &import.path) else { continue };
                // What is only passed on is no need of the file's own.
                let is_used = !import.is_passed_on || outline.code.iter().any(|token| token.is(&import.name));
                if import.name == "*" {
                    used.extend(self.resolve(&whole, 8).map(|(module, _)| (module, "*".to_owned())));
                } else if is_used {
                    used.extend(self.resolve(&whole, 8).filter(|(_, name)| !name.is_empty()));
                }
            }
            for path in paths(&outline.code) {
                let whole = self.absolute(here, &path).or_else(|| {
                    let import = outline.imports.iter().find(|import| import.name == path[0])?;
                    Some([self.absolute(here, &import.path)?.as_slice(), &path[1..]].concat())
                });
                let found = whole.and_then(|whole| self.resolve(&whole, 8));
                used.extend(found.filter(|(_, name)| !name.is_empty()));
            }
            let own = ties.entry(module.file.clone()).or_default();
            for (module_used, name) in used {
                let file = &self.0[&module_used].file;
                if *file != module.file {
                    own.entry(file.clone()).or_default().insert(name);
                }
            }
        }
        ties
    }
}

/// The files that each can be reached from the other, in groups of two and more.
fn circles(ties: &Ties) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        ties.keys().map(|from| (from, reachable(ties, from))).collect();
    let mut left: BTreeSet<&String> = ties.keys().collect();
    let mut found = Vec::new();
    while let Some(first) = left.pop_first() {
        let ring = reached[first].iter().filter(|other| reached[*other].contains(first));
        let ring: BTreeSet<&String> = ring.copied().chain([first]).collect();
        left.retain(|file| !ring.contains(file));
        if ring.len() > 1 {
            found.push(ring.into_iter().cloned().collect());
        }
    }
    found
}

fn reachable<'a>(ties: &'a Ties, from: &String) -> BTreeSet<&'a String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&String> = ties[from].keys().collect();
    while let Some(file) = next.pop() {
        if found.insert(file) {
            next.extend(ties[file].keys());
        }
    }
    found
}

/// The files of a circle, and by which names each needs which other.
fn told(ring: &[String], ties: &Ties) -> String {
    let mut lines = format!("a circle of {}:\n", ring.len());
    for from in ring {
        for (to, names) in ties[from].iter().filter(|(to, _)| ring.contains(to)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            lines += &format!("  {from} needs {to} for {}\n", names.join(", "));
        }
    }
    lines
}

#[test]
fn no_files_need_each_other() {
    let ties = Tree::of(&sources()).ties();
    assert!(ties.values().map(BTreeMap::len).sum::<usize>() > 300, "the arrows are where this looks");
    let rings = circles(&ties);
    let told: Vec<String> = rings.iter().map(|ring| told(ring, &ties)).collect();
    assert!(rings.is_empty(), "{}", told.join("\n"));
}
