//! Promise: imports follow the direction that `src/lib.rs` draws, so that a room can be understood, tested
//! and replaced without those above it.

#![expect(clippy::unwrap_used, reason = "sources that cannot be read end the test")]

mod circles;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use circles::graph;

/// The rooms, each with its rank and the rooms or files that it may import; `=` stands for all rooms of
/// lower rank.
const ROOMS: &[(&str, u8, &[&str])] = &[
    ("model", 0, &[]),
    ("clock", 0, &["model"]),
    ("blocking", 0, &[]),
    ("parse", 1, &["model"]),
    ("render", 1, &["model"]),
    ("rules", 1, &["model"]),
    ("schedule", 1, &["model"]),
    ("source", 2, &["model", "parse", "schedule"]),
    ("fetch", 2, &["model"]),
    ("store", 2, &["model", "blocking"]),
    ("sink", 2, &["model"]),
    ("ingest", 3, &["model", "clock", "parse", "rules", "schedule", "source", "fetch", "store", "blocking"]),
    ("publish", 3, &["model", "render", "schedule", "store", "sink"]),
    ("import", 3, &["model", "parse", "source", "store", "ingest::article"]),
    ("serve", 4, &["model", "blocking", "render", "publish", "store", "sink"]),
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
    let graph = graph(&src());
    let mut faults = Vec::new();
    for edge in graph.edges() {
        let (Some(room), path) = (room_of(edge.from), edge.to.trim_end_matches(".rs").replace('/', "::"))
        else {
            continue;
        };
        if let Err(why) = allowed(room, path.trim_end_matches("::mod")) {
            faults.push(format!("{edge}: {why}"));
        }
    }
    assert!(graph.edges().count() > 1_000, "this test does not read the sources any more");
    assert!(faults.is_empty(), "imports against the direction in src/lib.rs:\n{}", faults.join("\n"));
}

/// Files that use each other can only be understood, tested and replaced together.
#[test]
fn no_files_use_each_other_in_a_circle() {
    let graph = graph(&src());
    assert!(graph.files().count() > 300, "this test does not read the sources any more");
    let told = |circle: &Vec<String>| {
        let way: Vec<String> = graph.shortest(circle).iter().map(ToString::to_string).collect();
        format!("{} files: {}\n  {}", circle.len(), circle.join(" "), way.join("\n  "))
    };
    let circles: Vec<String> = graph.circles().iter().map(told).collect();
    assert_eq!(circles, Vec::<String>::new(), "\n{}", circles.join("\n"));
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Returns the room of a file below `src/`; `None` for `lib.rs` and `main.rs`.
fn room_of(file: &str) -> Option<&str> {
    match file.split_once('/') {
        Some((room, _)) => Some(room),
        None => file.strip_suffix(".rs").filter(|name| !["lib", "main"].contains(name)),
    }
}

/// A new room must be added to `ROOMS`.
#[test]
fn every_room_has_a_place() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let declared: BTreeSet<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let placed: BTreeSet<&str> = ROOMS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(declared, placed);
}

#[test]
fn edges_are_judged_by_the_place_of_a_room() {
    for (file, room) in [("store/mod.rs", Some("store")), ("clock.rs", Some("clock")), ("main.rs", None)] {
        assert_eq!(room_of(file), room);
    }
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

/// Returns why `room` must not import `path`, if it must not.
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
