//! The lexicon of the crate `pinyin-converter`: all signs and phrases that it knows, as it reads them.
//!
//! What it knows stands in its sources, found by asking cargo for them; how that is read it is asked itself.

pub(crate) mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pinyin::Converter;
use unicode_normalization::is_nfkc;

/// Signs and phrases with their readings, as the crate gives them.
pub(crate) struct Lexicon {
    pub(crate) signs: BTreeMap<char, String>,
    pub(crate) phrases: BTreeMap<String, String>,
}

impl Lexicon {
    /// All but what no name has in it once it is in NFKC; a sign's first reading only.
    pub(crate) fn load() -> Self {
        let folder = sources();
        let signs = keys(&folder, &["chars.txt", "patches/chars.txt"]);
        let phrases = keys(&folder, &["words.txt", "patches/words.txt", "surnames.txt"]);
        let mut lexicon = Self { signs: BTreeMap::new(), phrases: BTreeMap::new() };
        let signs = signs.iter().map(|code| {
            let code = u32::from_str_radix(code.trim_start_matches("U+"), 16).unwrap();
            char::from_u32(code).unwrap().to_string()
        });
        for key in signs.chain(phrases).filter(|key| is_nfkc(key)) {
            let reading = reading(&key);
            let mut chars = key.chars();
            match (chars.next(), chars.next()) {
                // 琢 is listed with a comma between two readings, which the crate reads as one.
                (Some(sign), None) => {
                    lexicon.signs.insert(sign, reading.split(',').next().unwrap_or_default().to_owned());
                }
                _ => {
                    lexicon.phrases.insert(key, reading);
                }
            }
        }
        lexicon
    }

    /// How a phrase is read sign by sign.
    pub(crate) fn sign_by_sign(&self, phrase: &str) -> String {
        let read = |sign: char| self.signs.get(&sign).cloned().unwrap_or_else(|| sign.to_string());
        phrase.chars().map(read).collect::<Vec<_>>().join(" ")
    }
}

/// How the crate reads a text.
pub(crate) fn reading(text: &str) -> String {
    Converter::new(text).without_tone().yu_to_v().convert().to_string_with(" ")
}

/// What stands before the colon on each line.
fn keys(folder: &Path, files: &[&str]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        keys.extend(lines.filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())));
    }
    keys
}

/// The folder of the crate with its lists.
fn sources() -> PathBuf {
    let asked = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline", "--filter-platform", "host-tuple"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let told: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
    let crates = told["packages"].as_array().unwrap();
    let found = crates.iter().find(|package| package["name"] == "pinyin-converter").unwrap();
    Path::new(found["manifest_path"].as_str().unwrap()).parent().unwrap().join("sources")
}
