//! The level table of `docs/architecture.md` holds: imports go down only, and no files import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::document;

/// A module's path from the crate root, such as `["store", "file"]`; `[]` is the root.
type Module = Vec<String>;

/// The source files of a crate, tests aside, by the module that each is.
fn sources(src: &str) -> BTreeMap<Module, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(src);
    let mut sources = BTreeMap::new();
    for file in rust_files(&root) {
        let path = file.strip_prefix(&root).expect("below the root").with_extension("");
        let mut module: Module = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if module.iter().any(|part| part == "tests" || part == "main") {
            continue;
        }
        if module.last().is_some_and(|last| last == "mod" || last == "lib") {
            module.pop();
        }
        let text = std::fs::read_to_string(&file).expect("a source file");
        let text = text.split("mod tests {").next().unwrap_or_default();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        sources.insert(module, code.collect::<Vec<_>>().join("\n"));
    }
    assert!(sources.len() > 10, "only {} source files in {src}", sources.len());
    sources
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(dir).expect("a source directory").map(|entry| entry.expect("an entry").path());
    let (dirs, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    rust.chain(dirs.iter().flat_map(|dir| rust_files(dir))).collect()
}

/// Every path in the code of a module that begins with `crate::` or `super::`, from the crate root.
fn paths(module: &Module, code: &str) -> Vec<Module> {
    let mut paths = Vec::new();
    for (prefix, mut base) in [("crate::", Vec::new()), ("super::", module.clone())] {
        if prefix == "super::" {
            base.pop();
        }
        for (at, _) in code.match_indices(prefix) {
            let before = code[..at].chars().next_back();
            // `super::super::` is found at its first `super`.
            if !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$')) {
                expand(&base, &code[at + prefix.len()..], &mut paths);
            }
        }
    }
    paths
}

/// Adds the paths of a use tree, `a::{b, c::d}`, to the list. Returns what follows the tree.
fn expand<'a>(base: &[String], tree: &'a str, paths: &mut Vec<Module>) -> &'a str {
    let mut base = base.to_vec();
    let mut rest = tree.trim_start();
    loop {
        if let Some(mut group) = rest.strip_prefix('{') {
            while !group.trim_start().starts_with('}') {
                group = expand(&base, group, paths).trim_start().trim_start_matches(',');
                if group.is_empty() {
                    break;
                }
            }
            return group.trim_start().get(1..).unwrap_or_default();
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        match &rest[..end] {
            "super" => drop(base.pop()),
            "self" => {}
            name => base.push(name.to_owned()),
        }
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(more) => rest = more.trim_start(),
            None => {
                paths.push(base);
                // A renamed item, a glob, or whatever ends the path.
                return rest.trim_start_matches(|c| !matches!(c, ',' | '}' | ';'));
            }
        }
    }
}

/// Which modules each module imports; a module's own children don't count, as it is made of them.
fn imports(sources: &BTreeMap<Module, String>) -> BTreeMap<Module, BTreeSet<Module>> {
    let file_of = |mut path: Module| {
        while !sources.contains_key(&path) {
            path.pop();
        }
        path
    };
    let of = |(module, code): (&Module, &String)| {
        let imported = paths(module, code).into_iter().map(file_of);
        (module.clone(), imported.filter(|other| !other.starts_with(module)).collect())
    };
    sources.iter().map(of).collect()
}

/// The level of each top-level module, by the table of `docs/architecture.md`.
fn levels() -> BTreeMap<String, u32> {
    let text = document("docs/architecture.md");
    let mut levels = BTreeMap::new();
    for row in text.lines() {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let (Some(Ok(level)), Some(modules)) = (cells.next().map(str::parse), cells.next()) else { continue };
        levels.extend(modules.split('`').skip(1).step_by(2).map(|module| (module.to_owned(), level)));
    }
    levels
}

#[test]
fn imports_go_down_the_levels_only() {
    let levels = levels();
    let sources = sources("src");
    let modules: BTreeSet<&str> = sources.keys().filter_map(|path| Some(path.first()?.as_str())).collect();
    let listed: BTreeSet<&str> = levels.keys().map(String::as_str).filter(|name| *name != "lib").collect();
    assert_eq!(modules, listed, "the modules of src, and the table of docs/architecture.md");
    let mut wrong = Vec::new();
    for (module, imported) in imports(&sources) {
        let Some(top) = module.first() else { continue };
        for other in imported {
            let goes_down = match other.first() {
                Some(target) => target == top || levels[target] < levels[top],
                None => false,
            };
            let is_other_command = top == "commands" && other.first() == Some(top) && {
                other.len() > 1 && module.get(1).is_some_and(|command| *command != other[1])
            };
            if !goes_down || is_other_command {
                wrong.push(format!("{} -> {}", module.join("::"), other.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "not allowed by the table of docs/architecture.md: {wrong:#?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for src in ["src", "crates/sandbox/src"] {
        let mut imports = imports(&sources(src));
        // Whatever imports nothing that is left is in no circle.
        loop {
            let left: BTreeSet<Module> = imports.keys().cloned().collect();
            imports.retain(|_, imported| imported.iter().any(|module| left.contains(module)));
            if imports.len() == left.len() {
                break;
            }
        }
        let left: BTreeSet<Module> = imports.keys().cloned().collect();
        let circle: Vec<String> = imports
            .iter()
            .flat_map(|(module, imported)| {
                let arrows = imported.iter().filter(|other| left.contains(*other));
                arrows.map(|other| format!("{} -> {}", module.join("::"), other.join("::")))
            })
            .collect();
        assert!(circle.is_empty(), "in or into a circle of {src}: {circle:#?}");
    }
}

#[test]
fn unsafe_code_is_in_one_module() {
    let is_exempt = |code: &str| code.contains("expect(unsafe_code") || code.contains("allow(unsafe_code");
    let sources = ["src", "crates/sandbox/src"].map(sources).into_iter().flatten();
    let modules: Vec<_> =
        sources.filter(|(_, code)| is_exempt(code)).map(|(module, _)| module.join("::")).collect();
    assert_eq!(modules, ["system::acl"], "the lint is an error elsewhere");
}

#[test]
fn use_trees_are_expanded() {
    let module = vec!["a".to_owned(), "b".to_owned()];
    let code = "use super::{c::{D, e::F as G}, h};\nuse super::super::i;\npub use crate::j::{self, K};\nfn x() { crate::l::m(); }";
    let mut paths: Vec<String> = paths(&module, code).iter().map(|path| path.join("::")).collect();
    paths.sort();
    assert_eq!(paths, ["a::c::D", "a::c::e::F", "a::h", "i", "j", "j::K", "l::m"]);
}
