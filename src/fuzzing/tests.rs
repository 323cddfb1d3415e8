//! Replays the corpus.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

type Property = fn(&[u8]);

/// Every property, by the name of its fuzz target and of its corpus.
const ALL: [(&str, Property); 13] = [
    ("address", super::address),
    ("token_response", super::token_response),
    ("callback", super::callback),
    ("curl", super::curl),
    ("discovery", super::discovery),
    ("credentials", super::credentials),
    ("jwks", super::jwks),
    ("jwt", super::jwt),
    ("pasted", super::pasted),
    ("profile", super::profile),
    ("proxy", super::proxy),
    ("retry_after", super::retry_after),
    ("scope", super::scope),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

fn stems(dir: &Path) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
    files(dir).into_iter().filter_map(stem).collect()
}

#[test]
fn the_kept_corpus_holds() {
    let mut broken = Vec::new();
    for (name, property) in ALL {
        let corpus = files(&root().join("tests/corpus").join(name));
        assert!(corpus.len() >= 10, "{name} has only {} inputs", corpus.len());
        for path in corpus {
            let bytes = std::fs::read(&path).expect("an input");
            if std::panic::catch_unwind(|| property(&bytes)).is_err() {
                broken.push(path);
            }
        }
    }
    assert!(broken.is_empty(), "these break a property, as said above: {broken:#?}");
}

#[test]
fn every_property_has_its_corpus_and_its_target() {
    let names: BTreeSet<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems(&root().join("tests/corpus")), names);
    // Not part of the published crate.
    if root().join("fuzz").is_dir() {
        assert_eq!(stems(&root().join("fuzz/targets")), names);
    }
}
