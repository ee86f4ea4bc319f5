//! Promise: the shipped configuration loads, and the faults of a configuration are reported all at once,
//! each with its place.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use feedmill::config::{self, Config, Loaded};
use feedmill::schedule::Pace;
use feedmill::source::Kind;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a main file and drop-ins.
struct Files(TempDir);

impl Files {
    fn new(main: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sources.d")).unwrap();
        fs::write(folder.path().join("feedmill.toml"), main).unwrap();
        Self(folder)
    }

    fn with(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.0.path().join("sources.d").join(name), text).unwrap();
        self
    }

    fn main(&self) -> PathBuf {
        self.0.path().join("feedmill.toml")
    }

    fn load(&self) -> Loaded {
        config::load(&self.main())
    }

    /// Returns the config; panics with all faults and warnings if there are any.
    fn good(&self) -> Config {
        let Loaded { config, faults, .. } = self.load();
        assert!(faults.is_empty(), "{}", faults.render(false));
        config.unwrap()
    }

    /// Returns the faults as `file:line:column message`, the file without its folder.
    fn faults(&self) -> Vec<String> {
        let Loaded { config, faults, .. } = self.load();
        assert_eq!(config.is_none(), faults.has_errors());
        let shown = faults.records().into_iter().map(|fault| {
            let file = fault.file.file_name().unwrap().to_string_lossy().into_owned();
            let place = fault.line.zip(fault.column).map(|(l, c)| format!(":{l}:{c}")).unwrap_or_default();
            format!("{file}{place} {}", fault.message)
        });
        shown.collect()
    }
}

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)).unwrap()
}

/// Needs nothing from the main file: the source is on this machine.
const SOURCE: &str = "url = \"http://127.0.0.1:9/feed.xml\"\ncategory = \"西海都市报\"\n";

/// Returns a drop-in with one source whose further lines are `more`.
fn source(more: &str) -> String {
    format!("[[source]]\n{SOURCE}{more}\n")
}

#[test]
fn the_shipped_file_loads_and_says_the_defaults() {
    let config = Files::new(shipped("feedmill.toml")).good();
    assert_eq!(config.publish.site.title, "feedmill");
    assert!(config.sources.is_empty(), "nothing is asked before an admin says so");
    let loaded = config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/feedmill.toml"));
    assert!(loaded.faults.is_empty(), "{}", loaded.faults.render(false));
    // The uncommented settings of the shipped file are the defaults.
    let described = |config: Config| format!("{config:#?}");
    let folder = Files::new(shipped("feedmill.toml"));
    let said = described(folder.good());
    fs::write(folder.main(), "").unwrap();
    assert_eq!(said, described(folder.good()));
}

/// Returns every key that the shipped file has as a comment, by section.
fn commented(text: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let mut sections: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut section = String::new();
    for line in text.lines() {
        let comment = line.strip_prefix("# ");
        let bare = comment.unwrap_or(line).trim();
        if bare.starts_with("For kind ") {
            "source".clone_into(&mut section);
        } else if let Some(header) = bare.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            header.0.trim_matches('[').clone_into(&mut section);
        } else if let (Some(_), Some((key, value))) = (comment, bare.split_once(" = ")) {
            let is_key = key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            if is_key && !key.is_empty() {
                let value =
                    value.split("  #").next().unwrap_or_default().split(" # ").next().unwrap_or_default();
                sections.entry(section.clone()).or_default().push((key.to_owned(), value.trim().to_owned()));
            }
        }
    }
    sections
}

#[test]
fn every_commented_key_is_known() {
    let sections = commented(&shipped("feedmill.toml"));
    let names: Vec<&str> = sections.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "category",
            "combined",
            "fetch",
            "output",
            "output.jekyll",
            "output.jekyll.tags",
            "output.json_lines",
            "retention",
            "rule",
            "site",
            "source",
            "source.article",
            "source.clean",
            "source.code",
            "source.list",
            "source.sitemap",
            "vars",
            "webhook"
        ]
    );
    assert!(sections.values().flatten().count() >= 40, "{sections:#?}");
    let mut text = String::new();
    // TOML requires tables after the list they belong to.
    for name in [
        "site",
        "fetch",
        "output",
        "output.jekyll",
        "output.jekyll.tags",
        "vars",
        "category",
        "combined",
        "rule",
        "source",
        "source.code",
        "source.clean",
        "source.list",
        "source.sitemap",
        "source.article",
    ] {
        let header = if matches!(name, "category" | "source" | "combined" | "rule") {
            format!("[[{name}]]")
        } else {
            format!("[{name}]")
        };
        writeln!(text, "{header}").unwrap();
        for (key, value) in &sections[name] {
            writeln!(text, "{key} = {value}").unwrap();
        }
    }
    text.push_str("[profile.eastmoney]\nrank = 7\n");
    let files = Files::new(&text);
    fs::create_dir(files.0.path().join("theme")).unwrap();
    fs::write(files.0.path().join("xihai.token"), "secret\n").unwrap();
    let config = files.good();
    let source = &config.sources[0];
    assert_eq!((source.id.as_str(), source.rank), ("xihai", 1), "its own word counts before its profile's");
    assert!(matches!(source.kind, Kind::Feed));
    assert!(source.code.is_some() && source.encoding.is_some() && source.digest.is_some());
    assert_eq!(config.publish.jekyll.unwrap().style.tag_suffix, "新闻");
    assert_eq!(config.categories[0].aliases, ["old-slug"]);
    assert_eq!(config.code_space, "eastmoney");
    assert!(
        config.fetch.user_agent.contains("https://news.example.org/about"),
        "{}",
        config.fetch.user_agent
    );
    // With the other kind the same keys are read as well.
    let files = Files::new(text.replace("kind = \"feed\"", "kind = \"json\""));
    fs::create_dir(files.0.path().join("theme")).unwrap();
    fs::write(files.0.path().join("xihai.token"), "secret\n").unwrap();
    let json = files.good();
    assert!(matches!(&json.sources[0].kind, Kind::Json(rule) if rule.detail.is_some()));
}

/// A device is endless: it is not read at all.
#[test]
fn a_secret_is_a_small_file_and_nothing_else() {
    let hook = "[[webhook]]\nurl = \"https://hook.example.org/\"\nsecret_file = \"/dev/zero\"\n";
    let faults = Files::new(hook).faults();
    assert!(faults[0].contains("no secret can be read in `/dev/zero`"), "{faults:?}");
}

#[test]
fn the_first_upstream_is_a_drop_in_and_nothing_else() {
    let config = Files::new("[site]\ncode_space = \"eastmoney\"\n")
        .with("eastmoney.toml", shipped("examples/eastmoney.toml"))
        .good();
    let ids: Vec<&str> = config.sources.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(
        ids,
        ["eastmoney-45", "eastmoney-market37", "eastmoney-market38", "eastmoney-market39", "eastmoney-102"]
    );
    for source in &config.sources {
        assert_eq!(source.code_space.as_str(), "eastmoney");
        assert_eq!(source.canonical_code("202112212221043837"), "NW202112212221043837");
        assert_eq!(source.url.host_str(), Some("127.0.0.1"), "one address to change");
        assert_eq!(source.route_by_media, source.id.as_str() != "eastmoney-102");
    }
    assert!(config.sources[0].rank < config.sources[4].rank, "newspapers outrank the rolling news");
    // With its address changed, it polls newspapers on other machines, which must know the contact.
    let moved =
        shipped("examples/eastmoney.toml").replace("http://127.0.0.1:8080", "https://api.example.org");
    let faults = Files::new("").with("eastmoney.toml", moved).faults();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("`site.contact` is not set"), "{faults:?}");
}

#[test]
fn the_smallest_source_is_an_address_and_a_category() {
    let config = Files::new("").with("xihai.toml", source("")).good();
    let source = &config.sources[0];
    assert_eq!(source.id.as_str(), "xihai", "the file's name is its id");
    assert_eq!(source.name, "西海都市报");
    assert_eq!(source.pace, Pace::Learned { least: 300, mean: 1_800 });
    assert!(source.enabled);
}

const FIVE_MAIN: &str = "[site]
titel = \"报纸\"
url = \"news.example.org\"

[fetch]
timeout = \"30 Sekunden\"
";
const FIVE_DROP_IN: &str = "[[source]]
url = “http://127.0.0.1:9/feed.xml”
category = \"西海都市报\"
timezone = \"Asien/Shanghai\"
";

fn check(files: &Files, json: bool) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_feedmill"));
    command.arg("--config").arg(files.main()).arg("check");
    if json {
        command.arg("--json");
    }
    let ended = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ended.status.code(), text(ended.stdout), text(ended.stderr))
}

#[test]
fn five_faults_are_said_in_one_run() {
    let files = Files::new(FIVE_MAIN).with("xihai.toml", FIVE_DROP_IN);
    let places = [
        ("feedmill.toml", 2, 1, "unknown key `titel` in `site`", "titel = \"报纸\""),
        ("feedmill.toml", 3, 7, "`url` must be the site's address", "url = \"news.example.org\""),
        ("feedmill.toml", 6, 11, "`timeout`", "timeout = \"30 Sekunden\""),
        ("xihai.toml", 2, 7, "full-width quotes `“` `”`", "url = “http://127.0.0.1:9/feed.xml”"),
        ("xihai.toml", 4, 12, "`timezone` must be a time zone", "timezone = \"Asien/Shanghai\""),
    ];
    let (code, out, err) = check(&files, false);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    for (file, line, column, message, shown) in places {
        assert!(err.contains(&format!("{file}:{line}:{column}\n")), "{file}:{line}:{column}: {err}");
        assert!(err.contains(message), "{message}: {err}");
        assert!(err.contains(&format!("{line} | {shown}")), "{shown}: {err}");
    }
    assert!(err.contains("did you mean `title`?"), "{err}");
    assert!(err.contains('^'), "{err}");
    assert!(err.ends_with("\n5 errors\n"), "{err}");

    let (code, out, err) = check(&files, true);
    assert_eq!((code, err.as_str()), (Some(2), ""));
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["good"], false);
    let faults = answer["faults"].as_array().unwrap();
    assert_eq!(faults.len(), places.len(), "{answer:#}");
    for (fault, (file, line, column, message, _)) in faults.iter().zip(places) {
        assert!(fault["file"].as_str().unwrap().ends_with(file), "{fault:#}");
        assert_eq!((&fault["line"], &fault["column"]), (&line.into(), &column.into()), "{fault:#}");
        assert!(fault["message"].as_str().unwrap().starts_with(message), "{fault:#}");
        assert_eq!(fault["severity"], "error");
    }

    // A daemon without a good config does not start.
    let started = Command::new(env!("CARGO_BIN_EXE_feedmill"))
        .args(["run", "--config"])
        .arg(files.main())
        .output()
        .unwrap();
    assert_eq!(started.status.code(), Some(2));
    assert!(String::from_utf8(started.stderr).unwrap().contains("5 errors"));
}

#[test]
fn a_good_config_is_called_good() {
    let files = Files::new("").with("xihai.toml", source(""));
    let (code, out, err) = check(&files, false);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("is good: 1 source,"), "{out}");
    let (code, out, _) = check(&files, true);
    assert_eq!(code, Some(0));
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&answer["good"], &answer["faults"]), (&true.into(), &Value::Array(Vec::new())));
    let nowhere = files.0.path().join("nowhere.toml");
    let ended = Command::new(env!("CARGO_BIN_EXE_feedmill"))
        .arg("check")
        .arg("--config")
        .arg(nowhere)
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8(ended.stderr).unwrap().contains("nowhere.toml"));
}

#[test]
fn what_chinese_keyboards_and_editors_do_is_named() {
    let wide = Files::new("[site]\ntitle ＝ “报纸”\n").faults();
    assert!(
        wide.iter().any(|f| f == "feedmill.toml:2:7 full-width equals sign `＝`: TOML wants `=`"),
        "{wide:?}"
    );
    assert!(wide.iter().any(|f| f.starts_with("feedmill.toml:2:9 full-width quotes `“` `”`")), "{wide:?}");

    let marked = Files::new("\u{feff}[site]\ntitle = \"报纸\"\n");
    let Loaded { config, faults, .. } = marked.load();
    assert_eq!(config.unwrap().publish.site.title, "报纸", "a byte-order mark stops nothing");
    assert_eq!((faults.warnings().count(), faults.errors().count()), (1, 0));
    assert!(marked.faults()[0].contains("byte-order mark (BOM)"));

    let text = "[site]\ntitle = \"西海都市报\"\n";
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    assert_eq!(Files::new(&gbk).faults(), ["feedmill.toml:2:10 the file is in GBK (GB18030), not in UTF-8"]);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        Files::new([b"\xFF\xFE", &utf16[..]].concat()).faults(),
        ["feedmill.toml the file is UTF-16 text, not UTF-8"]
    );
}

#[test]
fn newspapers_on_other_machines_must_know_who_polls() {
    let far = source("").replace("127.0.0.1:9", "news.example.org");
    let faults = Files::new("").with("xihai.toml", &far).faults();
    assert_eq!(
        faults,
        ["xihai.toml:2:7 the source `xihai` asks `news.example.org`, but `site.contact` is not set"]
    );
    let contact = "[site]\ncontact = \"https://example.org/about\"\n";
    assert_eq!(Files::new(contact).with("xihai.toml", &far).good().sources.len(), 1);
    // A disabled source polls nobody.
    let off = format!("{far}enabled = false\n");
    assert!(!Files::new("").with("xihai.toml", off).good().sources[0].enabled);
    for near in ["localhost:9", "[::1]:9", "127.8.0.1"] {
        let near = source("").replace("127.0.0.1:9", near);
        Files::new("").with("xihai.toml", near).good();
    }
}

#[test]
fn each_kind_of_fault_has_its_place_and_its_words() {
    let table = [
        ("profile = \"nobody\"", "4:11 there is no profile `nobody`"),
        ("digest = '(unclosed'", "4:10 `digest` is not a regular expression"),
        ("[source.code]\npattern = '['", "5:11 `pattern` is not a regular expression"),
        ("[source.code]\nfrom = \"somewhere\"", "5:8 `from` must be `field`, `guid`, `link` or `query:NAME`"),
        ("[source.clean]\ndrop = [\"p.ad\", \"p[[\"]", "5:17 `p[[` is not a CSS selector"),
        (
            "kind = \"json\"\nitems = \"list.items\"\nfields = { title = \"/t\" }",
            "5:9 `items` must be a JSON Pointer",
        ),
        ("kind = \"json\"\nfields = { title = \"t\" }", "5:20 `title` must be a JSON Pointer"),
        ("kind = \"json\"", "1:1 a source of kind `json` needs `fields`"),
        ("kind = \"jsn\"", "4:8 `kind` cannot be `jsn`"),
        ("timezone = \"Peking\"", "4:12 `timezone` must be a time zone"),
        ("interval = \"5\"", "4:12 `interval` needs a unit"),
        ("interval = \"5s\"", "4:12 `interval` must be at least 30s"),
        ("encoding = \"gbkk\"", "4:12 `encoding` is not an encoding"),
        ("require = [\"titel\"]", "4:12 `titel` cannot be required"),
        ("rank = 0", "4:8 `rank` must be between 1 and"),
        ("enabled = \"yes\"", "4:11 `enabled` must be `true` or `false`, not text"),
        ("code_space = \"Ost\"", "4:14 `Ost` cannot be a code space"),
        ("headers = { X-A = \"a\\nb\" }", "4:19 `X-A` cannot be sent as a header"),
        (
            "[[source.rule]]\nname = \"a\"\naction = \"drop\"\nmatches = '(unclosed'",
            "7:11 `matches` is not a regular expression",
        ),
        (
            "[[source.rule]]\nname = \"a\"\naction = \"rewrite\"\nfield = \"title\"\nreplace = '['",
            "8:11 `replace` is not a regular expression",
        ),
        ("[[source.rule]]\nname = \"a\"\naction = \"dropp\"", "6:10 `action` cannot be `dropp`"),
        (
            "[[source.rule]]\nname = \"a\"\naction = \"drop\"\nin = [\"titel\"]",
            "7:7 `titel` is no part of an item",
        ),
        ("[[source.rule]]\nname = \"a\"\naction = \"move\"", "4:1 missing `to`"),
        ("catgory = \"x\"", "4:1 unknown key `catgory` in `source`"),
    ];
    for (more, want) in table {
        let faults = Files::new("").with("xihai.toml", source(more)).faults();
        assert_eq!(faults.len(), 1, "{more}: {faults:?}");
        assert!(faults[0].starts_with(&format!("xihai.toml:{want}")), "{more}: {faults:?}");
    }
    for (text, want) in [
        ("[[source]]\ncategory = \"x\"\n", "x.toml:1:1 missing `url`"),
        ("[[source]]\nurl = \"http://127.0.0.1/\"\n", "x.toml:1:1 missing `category`"),
        (
            "[[source]]\nurl = \"ftp://127.0.0.1/\"\ncategory = \"x\"\n",
            "x.toml:2:7 `ftp://127.0.0.1/` is not an http",
        ),
        ("[[source]]\nurl = \"{base}/x\"\ncategory = \"x\"\n", "x.toml:2:7 `{base}/x` has a name in braces"),
        (
            "[[source]]\nurl = \"http://a:b@127.0.0.1/\"\ncategory = \"x\"\n",
            "x.toml:2:7 an address with a user name",
        ),
    ] {
        let faults = Files::new("").with("x.toml", text).faults();
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(faults[0].starts_with(want), "{text}: {faults:?}");
    }
}

#[test]
fn nothing_is_there_twice() {
    let two = format!("[[source]]\nid = \"a\"\n{SOURCE}");
    let faults = Files::new(&two).with("b.toml", &two).faults();
    assert_eq!(faults, ["b.toml:2:6 the source `a` is there twice"]);
    let unnamed = format!("{}{}", source(""), source(""));
    let faults = Files::new("").with("b.toml", unnamed).faults();
    assert_eq!(faults.len(), 2, "two in one file need names of their own: {faults:?}");
    let profile = "[profile.p]\nrank = 1\n";
    let faults = Files::new(profile).with("b.toml", profile).faults();
    assert_eq!(faults, ["b.toml:1:10 the profile `p` is there twice"]);
    let category = "[[category]]\nslug = \"a\"\nname = \"甲\"\n[[category]]\nslug = \"a\"\nname = \"乙\"\n";
    assert_eq!(Files::new(category).faults(), ["feedmill.toml:5:8 the category `a` is there twice"]);
    let key = "[site]\ntitle = \"a\"\ntitle = \"b\"\n";
    let faults = Files::new(key).faults();
    assert!(faults.len() == 1 && faults[0].starts_with("feedmill.toml:3:1 "), "{faults:?}");
}

#[test]
fn profiles_and_defaults_are_checked_even_if_nobody_uses_them() {
    let main = "[profile.p]\ntimezone = \"Peking\"\nwhatever = 1\n[defaults]\nrequire = [\"x\"]\nthing = 2\n";
    let faults = Files::new(main).faults();
    let lines: Vec<&str> = faults.iter().filter_map(|f| f.split(' ').next()).collect();
    assert_eq!(
        lines,
        ["feedmill.toml:2:12", "feedmill.toml:3:1", "feedmill.toml:5:12", "feedmill.toml:6:1"],
        "{faults:?}"
    );
    // A fault that several sources inherit is reported once.
    let used = format!(
        "{main}[[source]]\nid = \"a\"\nprofile = \"p\"\n{SOURCE}[[source]]\nid = \"b\"\nprofile = \"p\"\ncode_space = \"a\"\n{SOURCE}"
    );
    assert_eq!(Files::new(used).faults(), faults);
}

#[test]
fn two_sources_with_one_address_are_named() {
    let source = |id: &str, url: &str, more: &str| {
        format!("[[source]]\nid = \"{id}\"\nurl = \"{url}\"\ncategory = \"甲\"\n{more}")
    };
    let faults = |one: String, two: String| Files::new(one + &two).faults();
    let plain = source("a", "http://127.0.0.1:9/f.xml", "");
    for (other, count) in [
        (source("b", "http://127.0.0.1:9/f.xml", ""), 1),
        (source("b", "https://127.0.0.1:9/f.xml", ""), 1),
        (source("b", "http://127.0.0.1:9/f.xml?part=2", ""), 0),
        (source("b", "http://127.0.0.1:9/f.xml", "code_space = \"a\"\n"), 0),
        (source("b", "http://127.0.0.1:9/f.xml", "enabled = false\n"), 0),
    ] {
        let faults = faults(plain.clone(), other.clone());
        assert_eq!(
            faults.iter().filter(|fault| fault.contains("same address")).count(),
            count,
            "{other}: {faults:?}"
        );
    }
}

#[test]
fn files_that_look_like_drop_ins_are_not_lost_silently() {
    let files = Files::new("").with("西海.toml", source("")).with("notes.md", "x").with(".x.toml", "broken");
    let Loaded { config, faults, .. } = files.load();
    assert!(config.unwrap().sources.is_empty());
    assert_eq!(faults.warnings().count(), 1);
    assert!(files.faults()[0].contains("`西海.toml` is not read"));
}

/// The shipped file is the reference: it contains every key that exists.
#[test]
fn every_key_stands_in_the_shipped_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/feedmill.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let missing: Vec<String> = config::load(&path)
        .known
        .into_iter()
        .filter(|key| {
            let name = key.rsplit('.').next().unwrap_or(key);
            let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-');
            !text.split(word).any(|found| found == name)
        })
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// The documentation of the settings names every key that exists, and no other.
#[test]
fn the_page_of_settings_and_the_code_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/configuration.md")).unwrap();
    let more = std::fs::read_to_string(root.join("docs/add-a-newspaper.md")).unwrap();
    let reference = std::fs::read_to_string(root.join("config/feedmill.toml")).unwrap();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let has = |text: &str, key: &str| text.split(|c| !is_word(c)).any(|word| word == key);
    let known = config::load(&root.join("config/feedmill.toml")).known;
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let untold: Vec<&String> =
        known.iter().filter(|key| !has(&page, &last(key)) && !has(&more, &last(key))).collect();
    assert!(untold.is_empty(), "not in docs/configuration.md: {untold:?}");
    // The first column of each table of settings.
    let mut unknown = Vec::new();
    let mut settings = false;
    for line in page.lines() {
        if line.starts_with("| key |") {
            settings = true;
        } else if !line.starts_with('|') {
            settings = false;
        } else if settings && !line.starts_with("|---") {
            let cell = line.split('|').nth(1).unwrap_or_default();
            for key in cell.split('`').skip(1).step_by(2) {
                let name = last(key.trim_matches(['[', ']']));
                if !known.iter().any(|known| last(known) == name) && !has(&reference, &name) {
                    unknown.push(key.to_owned());
                }
            }
        }
    }
    assert!(unknown.is_empty(), "in docs/configuration.md, and no setting: {unknown:?}");
}
