//! Signs by which an article is recognized under another guid, even after its text was erased (RULES 1.6).

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use super::{InfoCode, Item, Timestamp};

/// The letters of a run, the unit of a text's similarity hash.
const RUN: usize = 3;
/// The fewest letters of two different texts that may still agree.
const COMPARED_FROM: usize = 40;
/// Bits of 64 in which the hashes of such texts may differ: of ten runs about seven are shared.
const MAY_DIFFER: u32 = 16;

/// Hashes of an article's title and text with its code as the key. They show whether a record is that article,
/// and reveal nothing by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signs {
    /// The source's date, if it has one.
    date: Option<Timestamp>,
    /// Hash of the title's letters; `None` if it has none.
    title: Option<u64>,
    /// `SimHash` of the excerpt (Charikar 2002); 0 without one.
    text: u64,
    /// Whether the excerpt is long enough to be compared with a different one.
    long: bool,
}

/// Which signs of two records agree; `None` where one of the two has none to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    /// The titles are equal.
    pub title: Option<bool>,
    /// The texts mostly agree.
    pub text: Option<bool>,
    /// The dates are equal.
    pub date: Option<bool>,
}

impl Compared {
    /// Returns how many signs agree.
    #[must_use]
    pub fn count(&self) -> usize {
        [self.title, self.text, self.date].into_iter().filter(|sign| *sign == Some(true)).count()
    }

    /// Returns whether the two are other stories under one address: title and date are new, and no text says
    /// otherwise.
    #[must_use]
    pub fn is_new_story(&self) -> bool {
        self.title == Some(false) && self.date == Some(false) && self.text != Some(true)
    }
}

impl Signs {
    /// Returns the signs of a stored item.
    #[must_use]
    pub fn of(item: &Item) -> Self {
        Self::new(&item.code, &item.title, &item.excerpt, Some(item.published))
    }

    /// Returns the signs of a record that may be the item of this code.
    #[must_use]
    pub fn new(code: &InfoCode, title: &str, excerpt: &str, date: Option<Timestamp>) -> Self {
        let key = code.key();
        let text: Vec<char> = letters(excerpt).collect();
        let title: String = letters(title).collect();
        Self {
            date,
            title: (!title.is_empty()).then(|| hash(&key, "title", &title)),
            text: similarity_hash(&key, &text),
            long: text.len() >= COMPARED_FROM,
        }
    }

    /// Returns whether, beside a link that both have, a further sign says that they are one article: an equal title,
    /// texts that mostly agree, or the same date.
    #[must_use]
    pub fn agree(&self, other: &Self) -> bool {
        self.compared(other).count() > 0
    }

    /// Compares each sign.
    #[must_use]
    pub fn compared(&self, other: &Self) -> Compared {
        let may_differ = if self.long && other.long { MAY_DIFFER } else { 0 };
        let texts = (self.text ^ other.text).count_ones() <= may_differ;
        let both = |one: bool, two: bool, same: bool| (one && two).then_some(same);
        Compared {
            title: both(self.title.is_some(), other.title.is_some(), self.title == other.title),
            text: both(self.text != 0, other.text != 0, texts),
            date: both(self.date.is_some(), other.date.is_some(), self.date == other.date),
        }
    }

    /// Returns the date of the article.
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        self.date
    }

    /// Reads signs; `None` at the end of a record of an earlier version.
    ///
    /// # Errors
    /// None; the signature is serde's.
    pub fn if_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(Option::deserialize(deserializer).unwrap_or_default())
    }
}

/// Compares what two records say, letter by letter.
#[must_use]
pub fn compare(
    (title, text, date): (&str, &str, Option<Timestamp>),
    (other_title, other_text, other_date): (&str, &str, Option<Timestamp>),
) -> Compared {
    let title: Vec<char> = letters(title).collect();
    let other_title: Vec<char> = letters(other_title).collect();
    let titled = !title.is_empty() && !other_title.is_empty();
    Compared {
        title: titled.then(|| title == other_title),
        text: compare_texts(text, other_text),
        date: date.and_then(|date| other_date.map(|other| date == other)),
    }
}

/// Returns whether of every ten runs of two texts about seven are in both; short texts must be equal. `None` where one
/// has no letters.
fn compare_texts(one: &str, two: &str) -> Option<bool> {
    let (one, two): (Vec<char>, Vec<char>) = (letters(one).collect(), letters(two).collect());
    if one.is_empty() || two.is_empty() {
        return None;
    }
    if one == two || one.len() < COMPARED_FROM || two.len() < COMPARED_FROM {
        return Some(one == two);
    }
    let (one, two) = (runs(&one), runs(&two));
    // The cosine of the two sets, squared, so that whole numbers do.
    let shared = one.intersection(&two).count();
    Some(shared * shared * 100 >= one.len() * two.len() * 49)
}

fn runs(text: &[char]) -> BTreeSet<&[char]> {
    text.windows(RUN.min(text.len()).max(1)).collect()
}

/// Returns the characters of a text that are compared: letters, digits and ideographs, in lower case.
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase)
}

fn hash(key: &[u8], what: &str, text: &str) -> u64 {
    let digest = Sha256::new().chain_update(key).chain_update([0]).chain_update(what).chain_update(text);
    u64::from_be_bytes(digest.finalize()[..8].try_into().unwrap_or_default())
}

/// Returns a hash in which each bit is that of most runs of the text, each run counted once.
fn similarity_hash(key: &[u8], text: &[char]) -> u64 {
    let runs = runs(text);
    let mut votes = [0_i32; 64];
    for run in runs {
        let bits = hash(key, "run", &run.iter().collect::<String>());
        for (bit, votes) in votes.iter_mut().enumerate() {
            *votes += if bits >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    votes.iter().enumerate().fold(0, |sum, (bit, votes)| sum | u64::from(*votes > 0) << bit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CodeSpace;

    const TEXT: &str = "The town council decided on Monday evening to close the old bridge for the whole winter, \
        because two of its piers were damaged by the flood in October.";

    fn signs(title: &str, text: &str, date: i64) -> Signs {
        let code = InfoCode::new(CodeSpace::new("paper").unwrap(), "one");
        Signs::new(&code, title, text, Some(Timestamp::from_unix(date)))
    }

    #[test]
    fn one_further_sign_is_enough() {
        let edited = TEXT.replace("Monday", "Tuesday").replace("two of", "three of");
        let other = "A man from the next village has won the lottery for the second time, and says that he will \
            give all of the money to the school in which he learned to read.";
        let chinese = "市政府周一晚间决定关闭老桥整个冬季，因为十月的洪水损坏了两个桥墩，\
            修复工程预计明年春天开始，期间车辆须绕行新桥，公交线路也将相应调整。";
        let chinese_edited = chinese.replace("周一", "周二").replace("两个", "三个");
        let chinese_other = "邻村一名男子第二次中了彩票大奖，他表示将把全部奖金捐给他曾经学习识字的学校，\
            校长对此表示感谢，并称这笔钱会用于修建新的图书馆和操场。";
        for (a, b, same) in [
            (("Bridge closed", TEXT, 1), ("Bridge CLOSED!", other, 2), true),
            (("Bridge closed", TEXT, 1), ("No way over the river", &edited, 2), true),
            (("Bridge closed", TEXT, 1), ("Lottery", other, 1), true),
            (("Bridge closed", TEXT, 1), ("Lottery", other, 2), false),
            (("关闭", chinese, 1), ("老桥", &chinese_edited, 2), true),
            (("关闭", chinese, 1), ("彩票", chinese_other, 2), false),
            (("One", "short text", 1), ("Two", "short texts", 2), false),
            (("One", "short text", 1), ("Two", "Short text.", 2), true),
            (("One", "", 1), ("Two", "", 2), false),
        ] {
            let (first, second) = (signs(a.0, a.1, a.2), signs(b.0, b.1, b.2));
            let date = |at: i64| Some(Timestamp::from_unix(at));
            let compared = compare((a.0, a.1, date(a.2)), (b.0, b.1, date(b.2)));
            assert_eq!(compared.count() > 0, same, "{a:?} {b:?}");
            assert_eq!(
                first.agree(&second),
                same,
                "{a:?} {b:?}: {}",
                (first.text ^ second.text).count_ones()
            );
        }
    }

    #[test]
    fn signs_of_another_code_say_nothing() {
        let code = InfoCode::new(CodeSpace::new("paper").unwrap(), "two");
        let other = Signs::new(&code, "Bridge closed", TEXT, None);
        let own = signs("Bridge closed", TEXT, 1);
        assert!(own.title != other.title && own.text != other.text);
    }
}
