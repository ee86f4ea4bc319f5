//! Promise: names are romanized as by the lexicon of the crate `pinyin-converter`, by a table that is
//! generated from it (RULES 5.2). `FEEDMILL_READINGS=write` regenerates the table.

#![expect(clippy::unwrap_used, reason = "a lexicon that is not there ends the test")]

mod common;
mod lexicon;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use feedmill::model::Slug;
use feedmill::model::reading::read;
use feedmill::model::slug::initials;
use lexicon::table::Table;
use lexicon::{Lexicon, reading};

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::load);

/// Names for which the table and the lexicon differ: name, table, lexicon. The lexicon takes the longest
/// phrase, however rare, and reads the rest by itself: 乐亭调, a tune, and 查 as a family name.
const OTHERWISE: [(&str, &str, &str); 5] = [
    ("乐亭调查", "lao ting diao cha", "lao ting diao zha"),
    ("松江银行", "song jiang yin hang", "song jiang yin xing"),
    ("邯郸行业报", "han dan hang ye bao", "han dan xing ye bao"),
    // A comma in its list joins the character's two readings.
    ("琢", "zhuo", "zhuo,zuo"),
    // Here the lexicon is right: 现有 is rare in it, and therefore not in the table.
    ("现有行业报", "xian you xing ye bao", "xian you hang ye bao"),
];

#[test]
fn the_table_is_made_from_the_lexicon() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model/reading");
    let table = Table::of(&LEXICON);
    for (file, made) in [("signs.txt", table.signs), ("phrases.txt", table.phrases)] {
        let path = folder.join(file);
        if std::env::var_os("FEEDMILL_READINGS").is_some_and(|wish| wish == "write") {
            fs::write(&path, made).unwrap();
        } else {
            let same = fs::read_to_string(&path).unwrap() == made;
            assert!(same, "{} is not what the lexicon gives: FEEDMILL_READINGS=write", path.display());
        }
    }
}

#[test]
fn every_sign_and_phrase_of_the_lexicon_is_read_as_there() {
    let signs = LEXICON.signs.iter().map(|(sign, reading)| (sign.to_string(), reading));
    let phrases = LEXICON.phrases.iter().map(|(phrase, reading)| (phrase.clone(), reading));
    let mut seen = 0;
    let otherwise: Vec<String> = signs
        .chain(phrases)
        .inspect(|_| seen += 1)
        .filter(|(text, reading)| read(text) != **reading)
        .map(|(text, reading)| format!("{text}: {} instead of {reading}", read(&text)))
        .collect();
    assert!(seen > 400_000, "{seen} signs and phrases");
    assert!(otherwise.is_empty(), "{} of {seen}: {otherwise:#?}", otherwise.len());
}

/// Random pairs of phrases: where one ends, another may seem to begin.
#[test]
fn phrases_side_by_side_are_hardly_ever_read_otherwise() {
    let phrases: Vec<&String> = LEXICON.phrases.keys().filter(|phrase| phrase.chars().count() == 2).collect();
    let mut dice = 1_u64;
    let mut any = || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        phrases[usize::try_from(dice >> 33).unwrap() % phrases.len()].as_str()
    };
    let pairs: Vec<String> = (0..20_000).map(|_| any().to_owned() + any()).collect();
    let otherwise: Vec<&String> = pairs.iter().filter(|pair| read(pair) != reading(pair)).collect();
    assert!(otherwise.len() < pairs.len() / 1_000, "{} of {}: {otherwise:?}", otherwise.len(), pairs.len());
}

#[test]
fn what_is_no_chinese_sign_is_read_as_the_lexicon_reads_it() {
    for name in [
        "The Daily Sample",
        " Süddeutsche Zeitung ",
        "ÉCLAIR éclair ǖber nǐhǎo",
        "21世纪经济报道 21财经APP",
        "《样报》，“周刊”·【网】…！？～",
        "Ｗｅｂ样报（上）：１、２。３",
        "ひらがな 日経 한국경제 ㄅㄧㄤˋ π日",
        "a\u{301}\u{304} \u{3000}x\u{200b}y\u{feff}😀日",
        "㈱样报 ﷺ ﬁ ⺁⼀",
    ] {
        let folded: String = unicode_normalization::UnicodeNormalization::nfkc(name).collect();
        assert_eq!(read(name), reading(&folded), "{name}");
    }
}

#[test]
fn every_real_name_is_read_as_the_lexicon_reads_it() {
    let Some(corpus) = common::corpus() else { return };
    let table = fs::read_to_string(corpus.join("slugs.tsv")).unwrap();
    let names: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    assert!(names.len() > 50, "{} names", names.len());
    for name in names {
        let folded: String = unicode_normalization::UnicodeNormalization::nfkc(name).collect();
        assert_eq!(read(name), reading(&folded), "{name}");
    }
}

#[test]
fn the_few_names_that_are_read_otherwise_are_known() {
    for (name, here, there) in OTHERWISE {
        assert_eq!((read(name).as_str(), reading(name).as_str()), (here, there), "{name}");
        let letters: String = here.split(' ').filter_map(|word| word.chars().next()).collect();
        assert_eq!(
            (Slug::from_name(name).as_str(), initials(name)),
            (here.replace(' ', "").as_str(), letters)
        );
    }
}
