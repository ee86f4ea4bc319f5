//! `InfoCode`: the identity of an article (RULES 1.1 to 1.3, 5.1).

use std::cmp::Ordering;
use std::fmt;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The longest code kept as it is, in bytes; longer ones are replaced by a hash.
const MAX_CODE: usize = 120;

/// A name space of codes: a source's own id, or a name that several sources share. 1 to 32 of `[a-z0-9_-]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeSpace(String);

impl CodeSpace {
    /// Creates a code space; `None` unless `text` is 1 to 32 of `[a-z0-9_-]`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let good = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        good.then(|| Self(text.to_owned()))
    }

    /// Returns the space of imported posts to which no rule applies.
    #[must_use]
    pub fn jekyll() -> Self {
        Self("jekyll".to_owned())
    }

    /// Returns a source's own space: its id, or the beginning of it and a hash if the id is too long or has
    /// characters that a space must not have.
    #[must_use]
    pub fn of_source(id: &super::SourceId) -> Self {
        Self::new(id.as_str()).unwrap_or_else(|| {
            let head: String = id.as_str().replace('.', "_").chars().take(23).collect();
            let hash = HEXLOWER.encode(&Sha256::digest(id.as_str().as_bytes()));
            Self(format!("{head}-{}", &hash[..8]))
        })
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A code space and a code: the key under which an article is stored exactly once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct InfoCode {
    space: CodeSpace,
    code: String,
}

impl InfoCode {
    /// Creates a code as a source's rule returned it. Codes that are empty, have control characters or exceed
    /// 120 bytes are replaced by a hash, so that every code can be shown and stored.
    #[must_use]
    pub fn new(space: CodeSpace, code: &str) -> Self {
        let code = code.trim();
        let plain = !code.is_empty() && code.len() <= MAX_CODE && !code.chars().any(char::is_control);
        let code = if plain { code.to_owned() } else { digest(&[code]) };
        Self { space, code }
    }

    /// Derives a code from stable fields of a source: 20 base32 characters of the SHA-256 over `parts` (RULES
    /// 1.1). The first part names the kind of fields.
    #[must_use]
    pub fn derived(space: CodeSpace, parts: &[&str]) -> Self {
        Self { space, code: digest(parts) }
    }

    /// Returns the code space.
    #[must_use]
    pub fn space(&self) -> &CodeSpace {
        &self.space
    }

    /// Returns the code without its space.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the code as text: `space~code`, or the bare code if `bare` is its space (RULES 1.2).
    #[must_use]
    pub fn text(&self, bare: Option<&CodeSpace>) -> String {
        if bare == Some(&self.space) { self.code.clone() } else { format!("{}~{}", self.space.0, self.code) }
    }

    /// Reads the text of [`InfoCode::text`]; `None` if it has no space and there is no `bare` one.
    #[must_use]
    pub fn parse(text: &str, bare: Option<&CodeSpace>) -> Option<Self> {
        if let Some((space, code)) = text.split_once('~')
            && let Some(space) = CodeSpace::new(space)
            && !code.is_empty()
        {
            return Some(Self::new(space, code));
        }
        bare.filter(|_| !text.trim().is_empty()).map(|space| Self::new(space.clone(), text))
    }

    /// Returns the store's key, which is never a prefix of another: the space, a zero byte, then either `1`
    /// and the number of an `NW` + 18 digits code (8 bytes, big-endian), or `2`, a length byte and the code.
    /// It is the same on every host, and orders items with equal times.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.space.0.len() + 11);
        key.extend_from_slice(self.space.0.as_bytes());
        key.push(0);
        if let Some(number) = nw_number(&self.code) {
            key.push(1);
            key.extend_from_slice(&number.to_be_bytes());
        } else {
            key.push(2);
            // `new` keeps codes within 120 bytes.
            key.push(u8::try_from(self.code.len()).unwrap_or(u8::MAX));
            key.extend_from_slice(self.code.as_bytes());
        }
        key
    }

    /// Reads a key made by [`InfoCode::key`] from the start of `bytes`; returns it with its length in bytes, or
    /// `None` if the bytes are no such key.
    #[must_use]
    pub fn from_key(bytes: &[u8]) -> Option<(Self, usize)> {
        let zero = bytes.iter().position(|&b| b == 0)?;
        let space = CodeSpace::new(std::str::from_utf8(&bytes[..zero]).ok()?)?;
        let rest = &bytes[zero + 1..];
        let (code, taken) = match rest.first()? {
            1 => {
                let number = u64::from_be_bytes(rest.get(1..9)?.try_into().ok()?);
                (format!("NW{number:018}"), 9)
            }
            2 => {
                let length = usize::from(*rest.get(1)?);
                let code = std::str::from_utf8(rest.get(2..2 + length)?).ok()?;
                (code.to_owned(), 2 + length)
            }
            _ => return None,
        };
        Some((Self { space, code }, zero + 1 + taken))
    }

    /// Returns the name of the article's files (RULES 5.1): the text form if it is safe on every file system,
    /// else `x_` and 32 hex digits of its SHA-256.
    #[must_use]
    pub fn file_name(&self, bare: Option<&CodeSpace>) -> String {
        let text = self.text(bare);
        let safe = (1..=80).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'~' | b'-'))
            && !is_device_name(&text)
            && !text.starts_with("x_")
            && !text.starts_with("nw")
            && (nw_number(&self.code).is_some() || !text.bytes().any(|b| b.is_ascii_uppercase()));
        if safe { text } else { format!("x_{}", &HEXLOWER.encode(&Sha256::digest(text.as_bytes()))[..32]) }
    }
}

impl Ord for InfoCode {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for InfoCode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for InfoCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(None))
    }
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut text = BASE32_NOPAD.encode(&hash.finalize()).to_ascii_lowercase();
    text.truncate(20);
    text
}

fn nw_number(code: &str) -> Option<u64> {
    let digits = code.strip_prefix("NW")?;
    (digits.len() == 18 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

/// Returns whether Windows shares and archives refuse a name, whatever its extension (`con`, `com1`, …).
fn is_device_name(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    matches!(lower.as_str(), "con" | "prn" | "aux" | "nul")
        || (lower.len() == 4
            && (lower.starts_with("com") || lower.starts_with("lpt"))
            && lower.ends_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn space(text: &str) -> CodeSpace {
        CodeSpace::new(text).unwrap()
    }

    #[test]
    fn text_and_back() {
        let east = space("eastmoney");
        let code = InfoCode::new(east.clone(), "NW202112212221043837");
        assert_eq!(code.text(Some(&east)), "NW202112212221043837");
        assert_eq!(code.text(None), "eastmoney~NW202112212221043837");
        assert_eq!(InfoCode::parse("NW202112212221043837", Some(&east)), Some(code.clone()));
        assert_eq!(InfoCode::parse("eastmoney~NW202112212221043837", None), Some(code));
        assert_eq!(InfoCode::parse("NW202112212221043837", None), None);
        assert_eq!(CodeSpace::new("Bad Space"), None);
    }

    #[test]
    fn derived_codes_do_not_run_together() {
        let s = space("a");
        assert_ne!(InfoCode::derived(s.clone(), &["ab", "c"]), InfoCode::derived(s.clone(), &["a", "bc"]));
        assert_eq!(InfoCode::derived(s, &["x"]).code().len(), 20);
    }

    #[test]
    fn file_names_are_safe() {
        let s = space("s");
        for (code, safe) in [
            ("202112082206672930", true),
            ("NW202112082206672930", true),
            ("../etc", false),
            ("a/b", false),
            ("UPPER", false),
            ("点", false),
        ] {
            let name = InfoCode::new(s.clone(), code).file_name(Some(&s));
            assert_eq!(name == code, safe, "{code} became {name}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_~-".contains(&b)));
        }
        assert!(InfoCode::new(s.clone(), "con").file_name(Some(&s)).starts_with("x_"));
    }

    proptest! {
        #[test]
        fn keys_are_free_of_prefixes_and_read_back(
            a in "[a-z0-9]{1,6}", b in "(NW[0-9]{18}|.{1,40})",
            c in "[a-z0-9]{1,6}", d in "(NW[0-9]{18}|.{1,40})",
        ) {
            let one = InfoCode::new(space(&a), &b);
            let two = InfoCode::new(space(&c), &d);
            let (back, taken) = InfoCode::from_key(&one.key()).unwrap();
            prop_assert_eq!(&back, &one);
            prop_assert_eq!(taken, one.key().len());
            if one != two {
                prop_assert!(!one.key().starts_with(&two.key()));
            }
        }
    }
}
