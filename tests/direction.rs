//! Promise: imports run in the direction that `src/lib.rs` draws, so that a room can be
//! understood, tested and replaced without those above it.

#![expect(clippy::unwrap_used, reason = "sources that cannot be read end the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, each with its rank and, where the rank alone would allow too much, what it may
/// import instead. A room may import those of lower rank; `=` stands for all of them.
const ROOMS: &[(&str, u8, &[&str])] = &[
    ("model", 0, &[]),
    ("clock", 0, &["model"]),
    ("parse", 1, &["model"]),
    ("render", 1, &["model"]),
    ("rules", 1, &["model"]),
    ("schedule", 1, &["model"]),
    ("source", 2, &["model", "parse", "schedule"]),
    ("fetch", 2, &["model"]),
    ("store", 2, &["model"]),
    ("sink", 2, &["model"]),
    ("ingest", 3, &["model", "clock", "parse", "rules", "schedule", "source", "fetch", "store"]),
    ("publish", 3, &["model", "render", "schedule", "store", "sink"]),
    ("import", 3, &["model", "parse", "source", "store", "ingest::article"]),
    ("serve", 4, &["model", "render", "publish", "store", "sink"]),
    ("notify", 4, &["model", "publish", "store", "sink"]),
    ("control", 4, &["="]),
    ("config", 5, &["="]),
    ("demo", 5, &["="]),
    ("discover", 5, &["model", "parse"]),
    ("daemon", 6, &["="]),
    ("cli", 7, &["="]),
];

#[test]
fn imports_run_in_the_direction_of_the_design() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = BTreeSet::new();
    let mut imports = 0;
    for file in sources(&root) {
        let relative = file.strip_prefix(&root).unwrap();
        let modules = modules_of(relative);
        let Some(room) = modules.first() else { continue };
        let code = without_tests_and_comments(&fs::read_to_string(&file).unwrap());
        for import in imported(&code, &modules) {
            imports += 1;
            if let Err(why) = allowed(room, &import) {
                faults.insert(format!("src/{}: `crate::{import}`: {why}", relative.display()));
            }
        }
    }
    assert!(imports > 100, "only {imports} imports found: this test does not read the sources any more");
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "imports against the direction in src/lib.rs:\n{}", faults.join("\n"));
}

/// A new room must be given its place.
#[test]
fn every_room_has_a_place() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let declared: BTreeSet<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let placed: BTreeSet<&str> = ROOMS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(declared, placed);
}

#[test]
fn edges_are_found_and_judged() {
    let code = without_tests_and_comments(
        "//! See [`crate::cli`].\n#[cfg(test)]\nmod tests;\nuse crate::model::{\n    Item, Slug,\n};\n\
         use crate::{parse::text, source::{Kind, Source}, store};\nuse super::super::fetch::Fetcher;\n\
         use super::identity::Listed;\nlet x = crate::serve::names(); // crate::daemon\n\
         #[cfg(test)]\nmod more {\n    use crate::cli::x;\n}\n",
    );
    let modules = ["ingest".to_owned(), "decide".to_owned()];
    assert_eq!(
        imported(&code, &modules),
        [
            "model::Item",
            "model::Slug",
            "parse::text",
            "source::Kind",
            "source::Source",
            "store",
            "fetch::Fetcher",
            "serve::names"
        ]
    );
    assert_eq!(modules_of(Path::new("store/mod.rs")), ["store"]);
    assert_eq!(modules_of(Path::new("clock.rs")), ["clock"]);
    assert_eq!(modules_of(Path::new("main.rs")), [""; 0]);
    for (room, import, good) in [
        ("model", "parse::text", false),
        ("render", "parse::text", false),
        ("store", "fetch::Fetcher", false),
        ("publish", "ingest::Ingest", false),
        ("publish", "store::Store", true),
        ("import", "ingest::article::permalink", true),
        ("import", "ingest::Ingest", false),
        ("config", "publish::PublishOptions", true),
        ("config", "daemon::Mill", false),
        ("config", "demo::Upstream", false),
        ("ingest", "ingest::decide", true),
    ] {
        assert_eq!(allowed(room, import).is_ok(), good, "{room} imports {import}");
    }
}

/// Whether `room` may import `path`, or why not.
fn allowed(room: &str, path: &str) -> Result<(), String> {
    let target = path.split("::").next().unwrap_or_default();
    if target == room {
        return Ok(());
    }
    let place = |name: &str| ROOMS.iter().find(|(known, ..)| *known == name);
    let (_, rank, narrow) = place(room).ok_or_else(|| format!("the room `{room}` has no place yet"))?;
    let Some((_, other, _)) = place(target) else { return Err(format!("there is no room `{target}`")) };
    if narrow == &["="] {
        return if other < rank { Ok(()) } else { Err(format!("`{target}` is not below `{room}`")) };
    }
    let named = |allowed: &&str| path == *allowed || path.starts_with(&format!("{allowed}::"));
    if narrow.iter().any(named) { Ok(()) } else { Err(format!("`{room}` may import {}", narrow.join(", "))) }
}

/// The module path of a file below `src/`; empty for `lib.rs` and `main.rs`.
fn modules_of(relative: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        relative.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts
        .last()
        .is_some_and(|last| last == "mod" || (parts.len() == 1 && (last == "lib" || last == "main")))
    {
        parts.pop();
    }
    parts
}

/// Source files but those of tests.
fn sources(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs")
                && path.file_stem().is_some_and(|stem| stem != "tests")
            {
                found.push(path);
            }
        }
    }
    found
}

/// Rust without comments, and without what stands behind `#[cfg(test)]`: one item, or a module
/// at the end of the file.
fn without_tests_and_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            match lines.next() {
                Some(item) if item.trim_end().ends_with(';') => continue,
                _ => break,
            }
        }
        // No import stands in a string, so what follows `//` in one may be lost too.
        kept.push_str(line.split("//").next().unwrap_or_default());
        kept.push('\n');
    }
    kept
}

/// All paths from the crate's root that the code names, groups in braces taken apart:
/// `crate::…`, and as many `super::` as lead there.
fn imported(code: &str, modules: &[String]) -> Vec<String> {
    let roots = ["crate::".to_owned(), "super::".repeat(modules.len())];
    let mut found: Vec<(usize, String)> = Vec::new();
    for root in roots.iter().filter(|root| !root.is_empty()) {
        for (start, _) in code.match_indices(root.as_str()) {
            let before = code[..start].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':')) {
                continue;
            }
            let rest = &code[start + root.len()..];
            // One `super::` too few is a neighbour, one too many does not compile.
            if !rest.starts_with("super::") {
                take_apart(rest, "", &mut |path| found.push((start, path)));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// Reads one path or group at the start of `text`; gives how much was read.
fn take_apart(text: &str, prefix: &str, see: &mut dyn FnMut(String)) -> usize {
    let skipped = text.len() - text.trim_start().len();
    let rest = &text[skipped..];
    if let Some(group) = rest.strip_prefix('{') {
        let mut at = 0;
        loop {
            at += take_apart(&group[at..], prefix, see);
            let gap = group[at..].len() - group[at..].trim_start().len();
            at += gap;
            match group[at..].chars().next() {
                Some(',') => at += 1,
                _ => return skipped + 1 + at + 1,
            }
            if group[at..].trim_start().starts_with('}') {
                return skipped + 1 + at + group[at..].find('}').unwrap_or(0) + 1;
            }
        }
    }
    let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let path =
        if prefix.is_empty() { rest[..name].to_owned() } else { format!("{prefix}::{}", &rest[..name]) };
    // Two names are enough to judge: the room and what of it.
    match rest[name..].strip_prefix("::") {
        Some(more)
            if prefix.is_empty() && more.starts_with(|c: char| c.is_alphabetic() || c == '{' || c == '_') =>
        {
            skipped + name + 2 + take_apart(more, &path, see)
        }
        _ => {
            see(path);
            let end = rest.find([',', '}', ';', '(', '\n', ' ']).unwrap_or(rest.len());
            skipped + end.max(name)
        }
    }
}
