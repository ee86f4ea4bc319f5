//! Tests of encodings and full-width signs.

use std::path::Path;

use super::super::faults::{Faults, Severity};
use super::super::reader::{Document, Ledger};
use super::read_text;

/// Returns the faults as `line:column message`, those of the parser included.
fn faults_in(bytes: &[u8]) -> Vec<String> {
    let mut faults = Faults::new();
    let path = Path::new("f.toml");
    if let Some(text) = read_text(path, bytes, &mut faults) {
        let original = bytes.strip_prefix(super::BOM).unwrap_or(bytes);
        assert_eq!(text.len(), original.len());
        Document::parse(path, &text, &mut faults);
    }
    let show = |r: super::super::faults::FaultRecord| {
        let place = r.line.zip(r.column).map(|(l, c)| format!("{l}:{c} ")).unwrap_or_default();
        format!("{place}{}", r.message)
    };
    faults.records().into_iter().map(show).collect()
}

#[test]
fn byte_order_mark_is_a_warning() {
    let mut faults = Faults::new();
    let text = read_text(Path::new("f.toml"), b"\xEF\xBB\xBFa = 1\n", &mut faults);
    assert_eq!(text.as_deref(), Some("a = 1\n"));
    let records = faults.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].severity, Severity::Warning);
    assert!(records[0].message.contains("byte-order mark (BOM)"));
}

#[test]
fn utf16_is_named() {
    let expected = ["the file is UTF-16 text, not UTF-8"];
    assert_eq!(faults_in(b"\xFF\xFEa\0 \0"), expected);
    assert_eq!(faults_in(b"\xFE\xFF\0a\0 "), expected);
    assert_eq!(faults_in(b"a\0 \0"), expected);
}

#[test]
fn gbk_is_named_and_shown() {
    let (bytes, _, _) = encoding_rs::GB18030.encode("a = 1\nname = \"西海都市报\"\n");
    assert_eq!(faults_in(&bytes), ["2:9 the file is in GBK (GB18030), not in UTF-8"]);
    let mut faults = Faults::new();
    assert_eq!(read_text(Path::new("f.toml"), &bytes, &mut faults), None);
    let shown = faults.render(false);
    assert!(shown.contains("西海都市报") && shown.contains("save it as UTF-8"), "{shown}");
}

#[test]
fn damaged_utf8_is_no_gbk() {
    let mut bytes = "name = \"西海\"\nb = \"都市\"\n".as_bytes().to_vec();
    bytes.remove(22);
    let found = faults_in(&bytes);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("2:6 the file is not UTF-8 text"), "{found:?}");
    assert!(faults_in(b"a = \"\xFF\"\n")[0].starts_with("1:6 the file is not UTF-8 text"));
}

#[test]
fn full_width_signs_are_named() {
    for (line, expected) in [
        ("a = “西海”", "1:5 full-width quotes `“` `”`: TOML wants `\"`"),
        ("a = “西海“", "1:5 full-width quotes `“` `“`: TOML wants `\"`"),
        ("a = ”西海”", "1:5 full-width quotes `”` `”`: TOML wants `\"`"),
        ("a = “西海\"", "1:5 full-width quote `“`: TOML wants `\"`"),
        ("a = \"西海”", "1:8 full-width quote `”`: TOML wants `\"`"),
        ("a = \"西海”  # “x”", "1:8 full-width quote `”`: TOML wants `\"`"),
        ("a = “西海", "1:5 full-width quote `“`: TOML wants `\"`"),
        ("a = ‘西海’", "1:5 full-width quotes `‘` `’`: TOML wants `'`"),
        ("a = 「西海」", "1:5 full-width quotes `「` `」`: TOML wants `\"`"),
        ("a = ＂西海＂", "1:5 full-width quotes `＂` `＂`: TOML wants `\"`"),
        ("a = ＇西海＇", "1:5 full-width quotes `＇` `＇`: TOML wants `'`"),
        ("a ＝ 1", "1:3 full-width equals sign `＝`: TOML wants `=`"),
        ("a = ［1]", "1:5 full-width bracket `［`: TOML wants `[`"),
        ("a = [1］", "1:7 full-width bracket `］`: TOML wants `]`"),
        ("a = [1，2]", "1:7 full-width comma `，`: TOML wants `,`"),
        ("a = ｛b = 1}", "1:5 full-width brace `｛`: TOML wants `{`"),
        ("a = {b = 1｝", "1:11 full-width brace `｝`: TOML wants `}`"),
        ("a = 07：32:00", "1:7 full-width colon `：`: TOML wants `:`"),
        ("a．b = 1", "1:2 full-width dot `．`: TOML wants `.`"),
        ("a = 1 ＃ “x”", "1:7 full-width hash sign `＃`: TOML wants `#`"),
        ("a =\u{3000}1", "1:4 full-width space (U+3000): TOML wants a plain space"),
        ("\u{3000}\u{3000}a = 1", "1:1 full-width space (U+3000): TOML wants a plain space"),
        ("a：1", "1:2 `：` after a key: TOML wants `=`"),
        ("a: \"x\"", "1:2 `:` after a key: TOML wants `=`"),
        ("［［a]]", "1:1 full-width bracket `［`: TOML wants `[`"),
        ("[[a］］", "1:4 full-width bracket `］`: TOML wants `]`"),
        ("[[a］]", "1:4 full-width bracket `］`: TOML wants `]`"),
    ] {
        assert_eq!(faults_in(line.as_bytes()), [expected], "{line}");
    }
}

#[test]
fn strings_and_comments_may_hold_them() {
    for line in [
        "name = \"西海“都市”报，＝［］｛｝：．＃\u{3000}\"",
        "name = '西海“都市”报'",
        "name = \"“\\\"”\" # 注释：“西海”，",
        "name = \"\"\"\n“西海”，\n\"\"\"\nb = '''\n，'''''\nc = 1",
        "\"西海：都市\" = 1",
        "t = 07:32:00\nd = 1979-05-27T07:32:00Z",
        "a = [\n  \"x\", # ，\n  [1, 2],\n  { b = 1 },\n]\n[c]\nd = { e = [1], f = { g = 1 } }",
    ] {
        assert_eq!(faults_in(line.as_bytes()), [""; 0], "{line}");
    }
}

#[test]
fn values_behind_full_width_signs_are_still_read() {
    let ledger = Ledger::new();
    let text = "［［source］］\nname ＝ “西海”\nsites = [“a”， “b”]\n";
    let mut root = ledger.read(Path::new("f.toml"), text.as_bytes()).unwrap();
    let mut source = root.tables("source").remove(0);
    assert_eq!(source.string("name").unwrap().value, "西海");
    let sites: Vec<_> = source.strings("sites").into_iter().map(|site| site.value).collect();
    assert_eq!(sites, ["a", "b"]);
    assert_eq!(ledger.faults().count(), "7 errors");
}

#[test]
fn open_lists_and_texts_swallow_nothing() {
    let text = "a = [\"x\",\n\"y\"\nb = 1\nc = {\n[d]\ne = oops\nf = \"\"\"\n";
    assert_eq!(
        faults_in(text.as_bytes()),
        [
            "1:5 this list has no closing `]`",
            "4:5 this inline table has no closing `}`",
            "6:5 text must stand in quotes",
            "7:5 this text has no closing `\"\"\"`",
        ]
    );
}
