//! Repairs JSON that is not quite valid: half a surrogate pair, raw line breaks in strings, `NaN`, a BOM
//! before it. A fault is repaired where it occurs, so that it costs a field and not the document.

use std::str::Chars;

use crate::model::Repair;

/// Repairs that are reported one by one, at most.
const MOST: usize = 50;
/// Nesting depth, at most; `serde_json` reads 127 and refuses a deeper document.
const MAX_DEPTH: usize = 100;

/// Repairs a text and returns it with the list of repairs; `None` if there was nothing to repair.
#[must_use]
pub fn mended(text: &str) -> Option<(String, Vec<Repair>)> {
    let mut mender = Mender {
        rest: text.chars(),
        out: String::with_capacity(text.len() + 16),
        line: 1,
        repairs: Vec::new(),
        depth: 0,
        dropped: None,
    };
    mender.run();
    (!mender.repairs.is_empty()).then_some((mender.out, mender.repairs))
}

/// Returns the JSON without what some servers put around it: a BOM, a prefix against scripts, a callback.
#[must_use]
pub fn bare(text: &str) -> &str {
    let mut text = text.trim_matches(blank);
    for prefix in [")]}',", ")]}'", "while(1);", "for(;;);", "/**/"] {
        text = text.strip_prefix(prefix).unwrap_or(text).trim_matches(blank);
    }
    let call = text.trim_end_matches(';').trim_end();
    match call.split_once('(') {
        Some((name, rest)) if is_name(name.trim_end()) => {
            rest.strip_suffix(')').unwrap_or(call).trim_matches(blank)
        }
        _ => call,
    }
}

fn blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{FEFF}'
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$'))
}

struct Mender<'t> {
    rest: Chars<'t>,
    out: String,
    line: usize,
    repairs: Vec<Repair>,
    depth: usize,
    /// Length of the output where the value that is nested too deeply begins.
    dropped: Option<usize>,
}

impl Mender<'_> {
    fn note(&mut self, what: &'static str) {
        if self.repairs.len() < MOST {
            self.repairs.push(Repair { line: self.line, what });
        }
    }

    fn run(&mut self) {
        while let Some(c) = self.rest.next() {
            match c {
                '\n' => {
                    self.line += 1;
                    self.out.push(c);
                }
                '"' => self.string('"'),
                '\'' => {
                    self.note("a string in single quotes");
                    self.string('\'');
                }
                '{' | '[' => self.open(c),
                '}' | ']' => self.close(c),
                ',' => self.comma(),
                '/' if self.rest.as_str().starts_with(['/', '*']) => self.comment(),
                '\u{FEFF}' | '\u{0}' => self.note("a mark or a zero between the parts"),
                c if c.is_alphanumeric() || matches!(c, '+' | '-' | '.' | '_' | '$') => self.word(c),
                c => self.out.push(c),
            }
        }
    }

    fn open(&mut self, c: char) {
        self.depth += 1;
        if self.depth > MAX_DEPTH && self.dropped.is_none() {
            self.note("lists and objects nested too deeply; left out");
            self.dropped = Some(self.out.len());
        }
        self.out.push(c);
    }

    fn close(&mut self, c: char) {
        self.depth = self.depth.saturating_sub(1);
        self.out.push(c);
        if self.depth <= MAX_DEPTH
            && let Some(from) = self.dropped.filter(|_| self.depth == MAX_DEPTH)
        {
            self.dropped = None;
            self.out.truncate(from);
            self.out.push_str("null");
        }
    }

    /// Copies a comma, unless nothing follows it.
    fn comma(&mut self) {
        if self.rest.as_str().trim_start_matches(blank).starts_with(['}', ']', ',']) {
            self.note("a comma with nothing behind it");
        } else {
            self.out.push(',');
        }
    }

    fn comment(&mut self) {
        self.note("a comment");
        let rest = self.rest.as_str();
        let end = match rest.strip_prefix('*') {
            Some(inner) => inner.find("*/").map_or(rest.len(), |at| at + 3),
            None => rest.find('\n').unwrap_or(rest.len()),
        };
        let (passed, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        self.line += passed.matches('\n').count();
        self.rest = behind.chars();
    }

    /// Reads a bare word: a number, a literal, or a name without quotes.
    fn word(&mut self, first: char) {
        let rest = self.rest.as_str();
        let inner = |c: char| c.is_alphanumeric() || matches!(c, '+' | '-' | '.' | '_' | '$');
        let (more, behind) =
            rest.split_at_checked(rest.find(|c| !inner(c)).unwrap_or(rest.len())).unwrap_or((rest, ""));
        let word = format!("{first}{more}");
        self.rest = behind.chars();
        if matches!(word.as_str(), "true" | "false" | "null") {
            self.out.push_str(&word);
        } else if behind.trim_start_matches(blank).starts_with(':') {
            self.note("a name without quotes");
            self.out.push_str(&serde_json::Value::String(word).to_string());
        } else {
            self.value(&word);
        }
    }

    fn value(&mut self, word: &str) {
        if serde_json::from_str::<serde_json::Number>(word).is_ok() {
            self.out.push_str(word);
            return;
        }
        let number = word.strip_prefix('+').unwrap_or(word);
        let is_number = number.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'));
        let read = number.parse::<f64>().ok().filter(|value| value.is_finite() && is_number);
        let text = match (word, read.and_then(serde_json::Number::from_f64)) {
            ("True", _) => "true".to_owned(),
            ("False", _) => "false".to_owned(),
            (_, Some(_)) if number.bytes().all(|b| b.is_ascii_digit()) => {
                let digits = number.trim_start_matches('0');
                if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
            }
            (_, Some(number)) => number.to_string(),
            (_, None) => "null".to_owned(),
        };
        self.note("a value that JSON does not have");
        self.out.push_str(&text);
    }

    fn string(&mut self, quote: char) {
        self.out.push('"');
        while let Some(c) = self.rest.next() {
            match c {
                c if c == quote && ends(self.rest.as_str()) => {
                    self.out.push('"');
                    return;
                }
                '"' if quote == '"' => {
                    self.note("a quote within a string");
                    self.out.push_str("\\\"");
                }
                '\\' => self.escape(),
                '"' => self.out.push_str("\\\""),
                c if c < ' ' => {
                    self.note("a line break or control within a string");
                    self.line += usize::from(c == '\n');
                    self.control(c);
                }
                c => self.out.push(c),
            }
        }
    }

    fn control(&mut self, c: char) {
        match c {
            '\n' => self.out.push_str("\\n"),
            '\r' => self.out.push_str("\\r"),
            '\t' => self.out.push_str("\\t"),
            _ => self.out.push(' '),
        }
    }

    fn escape(&mut self) {
        match self.rest.clone().next() {
            Some('u') => self.unicode(),
            Some(c @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => {
                self.rest.next();
                self.out.push('\\');
                self.out.push(c);
            }
            Some('\'') => {
                self.note("an escape that JSON does not have");
                self.rest.next();
                self.out.push('\'');
            }
            // Any other backslash is kept as a character.
            _ => {
                self.note("an escape that JSON does not have");
                self.out.push_str("\\\\");
            }
        }
    }

    /// Reads a `\u` escape or a surrogate pair (`\ud83d\ude00`); half a pair becomes U+FFFD.
    fn unicode(&mut self) {
        let rest = self.rest.as_str();
        let Some(first) = unit(rest) else {
            self.note("an escape that JSON does not have");
            self.out.push_str("\\\\");
            return;
        };
        let second = rest.get(5..).and_then(|rest| rest.strip_prefix('\\')).and_then(unit);
        let (keep, length) = match (first, second) {
            (0xD800..=0xDBFF, Some(0xDC00..=0xDFFF)) => (true, 11),
            (0xD800..=0xDFFF, _) => (false, 5),
            _ => (true, 5),
        };
        if keep {
            self.out.push('\\');
            self.out.push_str(rest.get(..length).unwrap_or_default());
        } else {
            self.note("half a sign of two halves");
            self.out.push(char::REPLACEMENT_CHARACTER);
        }
        self.rest = rest.get(length..).unwrap_or_default().chars();
    }
}

/// Returns whether a quote before `rest` can end a string.
fn ends(rest: &str) -> bool {
    let mut rest = rest.trim_start_matches(blank).chars();
    match rest.next() {
        None | Some('}' | ']' | ':' | '/') => true,
        Some(',') => {
            let next = rest.as_str().trim_start_matches(blank);
            let begins =
                |c: char| c.is_ascii_digit() || matches!(c, '"' | '\'' | '{' | '[' | '-' | '}' | ']' | '/');
            next.starts_with(begins)
                || ["true", "false", "null", "NaN", "undefined"].iter().any(|word| next.starts_with(word))
                || next.split_once(':').is_some_and(|(name, _)| is_name(name.trim_end()))
        }
        _ => false,
    }
}

/// Returns the UTF-16 unit that `uXXXX` names.
fn unit(text: &str) -> Option<u32> {
    let digits =
        text.strip_prefix('u')?.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_wrong_costs_a_field() {
        for (text, want) in [
            (r#"{"a":"Cut \ud83d","b":1}"#, json!({"a": "Cut \u{FFFD}", "b": 1})),
            (r#"{"a":"\ude00 \ud83d\ud83d\ude00"}"#, json!({"a": "\u{FFFD} \u{FFFD}😀"})),
            ("{\"a\":\"one\ntwo\tthree\"}", json!({"a": "one\ntwo\tthree"})),
            (
                "{\"a\":NaN,\"b\":-Infinity,\"c\":undefined,\"d\":1e999}",
                json!({"a":null,"b":null,"c":null,"d":null}),
            ),
            ("{\"a\":[1,2,],\"b\":{\"c\":1,},}", json!({"a": [1, 2], "b": {"c": 1}})),
            (r#"{"a":"it\'s \x41 C:\dir"}"#, json!({"a": "it's \\x41 C:\\dir"})),
            (
                "{'a':'b \"c\"', d: True, /* x */ e: +1, f: .5, g: 007}",
                json!({"a":"b \"c\"","d":true,"e":1,"f":0.5,"g":7}),
            ),
            ("[1,\u{FEFF}2]", json!([1, 2])),
            (r#"{"a":"\u12"}"#, json!({"a": "\\u12"})),
            (
                r#"{"a":"He said "no", and "yes".","b":["c","d"]}"#,
                json!({"a":"He said \"no\", and \"yes\".","b":["c","d"]}),
            ),
        ] {
            let (mended, repairs) = mended(text).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&mended).unwrap(), want, "{text}: {mended}");
            assert!(!repairs.is_empty());
        }
        assert_eq!(mended(r#"{"a":["b\u00e9\ud83d\ude00",1.5e3,null]}"#), None);
        let deep = format!("{{\"a\":{}1{},\"b\":2}}", "[".repeat(300), "]".repeat(300));
        let read: Value = serde_json::from_str(&mended(&deep).unwrap().0).unwrap();
        assert_eq!(read.get("b"), Some(&json!(2)));
    }

    #[test]
    fn what_stands_around_is_taken_off() {
        for text in ["cb({});", "\u{FEFF}{}", ")]}'\n{}", "/**/ a.b({})", " {} ", "while(1);{}", "{};"] {
            assert_eq!(bare(text), "{}", "{text}");
        }
        assert_eq!(bare(r#"{"a":"(b)"}"#), r#"{"a":"(b)"}"#);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_mended_in_bounds(text in "[\\[\\]{}\",:'\\\\udU80a1-9Na\n/*\u{FEFF}]{0,200}") {
            let length = mended(&text).map_or(0, |(mended, _)| mended.len());
            proptest::prop_assert!(length <= 8 * text.len() + 16);
        }
    }
}
