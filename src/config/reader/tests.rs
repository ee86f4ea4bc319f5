//! Tests of reading whole files.

use std::path::Path;

use super::super::faults::FaultRecord;
use super::{Ledger, Reader};

fn open(text: &str) -> (Ledger, Reader) {
    let ledger = Ledger::new();
    let root = ledger.read(Path::new("f.toml"), text.as_bytes()).unwrap();
    (ledger, root)
}

/// Returns the faults as `line:column message | help`.
fn shown(ledger: &Ledger) -> Vec<String> {
    let show = |r: FaultRecord| {
        let place = r.line.zip(r.column).map(|(l, c)| format!("{l}:{c} ")).unwrap_or_default();
        let help = r.help.map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{place}{}{help}", r.message)
    };
    ledger.faults().records().into_iter().map(show).collect()
}

/// Returns only the parser's messages for `text`.
fn syntax(text: &str) -> Vec<String> {
    let (ledger, _) = open(text);
    let cut = |line: String| line.split(" | ").next().unwrap().to_owned();
    shown(&ledger).into_iter().map(cut).collect()
}

fn source(mut reader: Reader) {
    reader.required("url", Reader::string);
    reader.string("name");
    reader.duration("interval");
    reader.integer_in("limit", 1..=100);
    reader.choice("format", &[("rss", 1), ("atom", 2)]);
    reader.finish();
}

#[test]
fn five_faults_at_once() {
    let text = "\
[[source]]
name = \"西海\" x
limit = 500

[[source]]
url = 15
intervall = \"15m\"
interval = \"15分钟\"
format
name = 都市
";
    let (ledger, mut root) = open(text);
    root.tables("source").into_iter().for_each(source);
    root.finish();
    let units = "units are `s`, `m`, `h` and `d`, as in `\"30s\"`, `\"15m\"` or `\"1h30m\"`";
    assert_eq!(
        shown(&ledger),
        [
            "1:1 missing `url` | add a line `url = …`",
            "2:13 nothing may stand behind the value | put it on a line of its own or `#` before \
             it; `\"` inside text is written `\\\"`",
            "3:9 `limit` must be between 1 and 100, not 500",
            "6:7 `url` must be text, not a number | put it in quotes",
            "7:1 unknown key `intervall` in `source` | did you mean `interval`?",
            &format!("8:12 `interval` has the unknown unit `分钟` | {units}"),
            "9:1 `format` has no value | write `format = …`, or put `#` before a comment",
            "10:8 text must stand in quotes | write `\"都市\"`",
        ]
    );
    let rendered = ledger.take_faults().render(false);
    assert!(rendered.contains("f.toml:10:8"), "{rendered}");
    assert!(rendered.ends_with("8 errors\n"), "{rendered}");
    assert!(ledger.faults().is_empty());
}

#[test]
fn syntax_is_explained() {
    for (text, expected) in [
        ("a = 1\na = 2", "2:1 `a` is there a second time"),
        ("[a]\nx = 1\n[a]\ny = 2", "3:2 `a` is there a second time"),
        ("a = ", "1:5 there is no value after `=`"),
        ("a = \"x\nb = 1", "1:7 this text has no closing `\"`"),
        ("a = 'x\nb = 1", "1:7 this text has no closing `'`"),
        ("a b = 1", "1:1 `=` is missing after `a`"),
        ("a == 1", "1:4 this `=` is one too many"),
        ("西海 = 1", "1:1 the key `西海` must stand in quotes"),
        ("= 1", "1:1 there is no key before `=`"),
        ("[]", "1:2 the section has no name"),
        ("a = 007", "1:5 a number cannot begin with `0`"),
        ("a = True", "1:5 `True` is not known here"),
        ("a = \"C:\\dir\"", "1:9 this backslash has no meaning"),
        ("a = [\"x\" \"y\"]", "1:10 a comma is missing here"),
        ("[a]]\nb = 1", "1:4 nothing may stand behind the name of a section"),
        ("[[a]\nb = 1\n[c]\nd = 1", "1:5 the name of the section has no closing `]]`"),
    ] {
        assert_eq!(syntax(text), [expected], "{text}");
    }
}

#[test]
fn a_broken_line_hides_nothing_and_blames_nobody_else() {
    let (ledger, mut root) = open("[s]\nurl\n[t\nurl = 1\n[s2]\nbool = 1\nlist = [\n1\n2]\n");
    let mut s = root.table("s").unwrap();
    assert_eq!(s.required("url", Reader::string), None);
    let mut s2 = root.table("s2").unwrap();
    assert_eq!(s2.bool("bool"), None);
    assert!(s2.strings("list").is_empty());
    for reader in [s, s2, root] {
        reader.finish();
    }
    let lines: Vec<_> = ledger.faults().records().into_iter().filter_map(|r| r.line).collect();
    assert_eq!(lines, [2, 3, 6, 9], "{:?}", shown(&ledger));
}

#[test]
fn unknown_keys_get_a_suggestion_or_the_list() {
    let (ledger, mut root) = open("ur1 = 1\nxyz = 1\n[detial]\n");
    root.string("url");
    root.table("detail");
    root.finish();
    assert_eq!(
        shown(&ledger),
        [
            "1:1 unknown key `ur1` | did you mean `url`?",
            "2:1 unknown key `xyz` | known here: `detail`, `url`",
            "3:2 unknown key `detial` | did you mean `detail`?",
        ]
    );
}

#[test]
fn wrong_types_name_both_sides() {
    let text = "a = 1\nb = \"true\"\nc = \"7\"\nd = [1]\ne = 15\nf = 2\ng = \"rs\"\nh = 99999999999999999999\ni = [\"x\"]\nj = 1.5\n";
    let (ledger, mut root) = open(text);
    root.string("a");
    root.bool("b");
    root.integer("c");
    root.strings("d");
    root.duration("e");
    root.size("f");
    root.choice("g", &[("rss", ()), ("atom", ())]);
    root.integer("h");
    root.table("i");
    root.tables("j");
    root.finish();
    let found = shown(&ledger);
    let expected = [
        "`a` must be text, not a number | put it in quotes",
        "`b` must be `true` or `false`, not text | write `true` without quotes",
        "`c` must be a whole number, not text | write `7` without quotes",
        "`d` must be a list of texts, not a number | put it in quotes",
        "`e` needs a unit | write `\"15m\"`",
        "`f` needs a unit | write `\"2MiB\"`",
        "`g` cannot be `rs` | did you mean `rss`?",
        "`h` is too large",
        "`i` must be a section, not a list",
        "`j` must be a list of sections, not a number with a decimal point",
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found} / {expected}");
    }
}

#[test]
fn values_come_with_their_places() {
    let (ledger, mut root) =
        open("a = \"西海\"\nb = true\nc = 0x10\nd = \"x\"\ne = [\"p\", \"q\"]\nf = \"1h\"\ng = \"2KiB\"\n");
    let a = root.string("a").unwrap();
    assert_eq!((a.value.as_str(), a.place.span), ("西海", Some(4..12)));
    assert!(root.bool("b").unwrap().value);
    assert_eq!(root.integer_in("c", 0..=16).unwrap().value, 16);
    assert_eq!(root.strings("d").len(), 1);
    assert_eq!(ledger.faults().position(&root.strings("e")[1].place), Some((5, 11)));
    assert_eq!(root.duration("f").unwrap().value.as_secs(), 3600);
    assert_eq!(root.size("g").unwrap().value, 2048);
    assert_eq!(root.parsed("d", str::parse::<i64>), None);
    assert_eq!(root.string("none"), None);
    assert_eq!(shown(&ledger), ["4:5 `d` invalid digit found in string"]);
}

#[test]
fn a_section_not_set_reads_as_an_empty_one() {
    let (ledger, mut root) = open("net = 1\n");
    for key in ["net", "web"] {
        let mut section = root.section(key);
        assert_eq!(section.string("listen"), None);
        section.finish();
    }
    root.finish();
    assert_eq!(shown(&ledger), ["1:7 `net` must be a section, not a number"]);
    assert!(ledger.known_keys().contains("web.listen"));
}

#[test]
fn entries_and_maps_keep_the_order_of_the_file() {
    let (ledger, mut root) = open(
        "[category.news]\ntitle = \"新闻\"\n[category.art]\ntitle = \"文艺\"\n[headers]\nZ = \"1\"\nA = 2\nB = \"3\"\n",
    );
    let mut names = Vec::new();
    for (name, mut reader) in root.entries("category") {
        names.push((name.value, reader.required("title", Reader::string).unwrap().value));
        reader.finish();
    }
    assert_eq!(names, [("news".into(), "新闻".into()), ("art".into(), "文艺".into())]);
    let map = root.string_map("headers");
    assert_eq!(map.iter().map(|(key, _)| key.value.as_str()).collect::<Vec<_>>(), ["Z", "B"]);
    root.finish();
    assert_eq!(shown(&ledger), ["7:5 `A` must be text, not a number | put it in quotes"]);
    let known: Vec<_> = ledger.known_keys().into_iter().collect();
    assert_eq!(known, ["category", "category.title", "headers"]);
}

#[test]
fn overlay_looks_in_the_profile_then_in_the_defaults() {
    let (ledger, mut root) = open(
        "[defaults]\ninterval = \"1h\"\nlimit = 5\ntypo = 1\n[defaults.detail]\nmode = \"d\"\nwait = \"2s\"\n[[source]]\nurl = \"u\"\ndetail.mode = \"own\"\nodd = 1\n",
    );
    let other = Path::new("profiles.toml");
    let mut profiles =
        ledger.read(other, b"[p]\nlimit = \"7\"\n[p.detail]\nmode = \"p\"\nkeep = true\n").unwrap();
    let profile = profiles.table("p").unwrap();
    let defaults = root.table("defaults").unwrap();
    let mut source = root.tables("source").remove(0);
    source.overlay(&profile);
    source.overlay(&defaults);
    assert_eq!(source.string("url").unwrap().value, "u");
    assert_eq!(source.duration("interval").unwrap().value.as_secs(), 3600);
    assert_eq!(source.integer("limit"), None);
    let mut detail = source.table("detail").unwrap();
    assert_eq!(detail.string("mode").unwrap().value, "own");
    let keep = detail.bool("keep").unwrap();
    assert!(keep.value && *keep.place.file == *other);
    assert_eq!(detail.duration("wait").unwrap().value.as_secs(), 2);
    detail.finish();
    source.finish();
    let faults = shown(&ledger);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("11:1 unknown key `odd` in `source`"), "{faults:?}");
    assert!(faults[1].starts_with("2:9 `limit` must be a whole number, not text"), "{faults:?}");
    assert!(ledger.known_keys().contains("source.detail.keep"));
}
