//! The README, `docs/` and other files of the repository, and the code in them.

use std::path::Path;

/// A file of the repository.
pub(crate) fn document(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The first block of code after this text: fenced, or indented by four spaces.
#[track_caller]
pub(crate) fn code_after(document: &str, place: &str) -> String {
    let rest = document.split_once(place).unwrap_or_else(|| panic!("no {place:?}")).1;
    let mut lines =
        rest.lines().skip(1).skip_while(|line| !(line.starts_with("```") || line.starts_with("    ")));
    let first = lines.next().unwrap_or_else(|| panic!("no code after {place:?}"));
    let block: Vec<&str> = match first.strip_prefix("    ") {
        Some(first) => {
            std::iter::once(first).chain(lines.map_while(|line| line.strip_prefix("    "))).collect()
        }
        None => lines.take_while(|line| !line.starts_with("```")).collect(),
    };
    block.join("\n")
}
