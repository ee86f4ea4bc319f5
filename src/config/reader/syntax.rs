//! Explains the TOML parser's faults in plain words.

use std::ops::Range;

/// A fault of the parser in words for people who do not know TOML's terms.
pub(super) struct Explained {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Explains the parser's `message` about the bytes `span` of `text`.
///
/// The parser has no error codes, so faults are recognized by their wording; an unknown one keeps the
/// parser's message.
pub(super) fn explain(text: &str, message: &str, span: Range<usize>) -> Explained {
    let context = Context::new(text, &span);
    let (what, _) = message.split_once(", expected").unwrap_or((message, ""));
    let said = context
        .about_keys(what)
        .or_else(|| context.about_values(what))
        .or_else(|| context.about_text(what))
        .or_else(|| about_lists(what));
    let (message, help) = said.unwrap_or_else(|| (message.to_owned(), String::new()));
    let span = if what == "key with no value" { context.key_span(&span) } else { span };
    Explained { span, message, help: Some(help).filter(|help| !help.is_empty()) }
}

type Said = Option<(String, String)>;

struct Context<'a> {
    /// The line up to the fault, trimmed.
    before: &'a str,
    /// How many bytes of blanks were trimmed from the end of `before`.
    gap: usize,
    /// The text at fault, trimmed.
    found: &'a str,
    /// The line behind the fault, trimmed.
    after: &'a str,
}

impl<'a> Context<'a> {
    fn new(text: &'a str, span: &Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let before = before.rsplit('\n').next().unwrap_or_default();
        let after = text.get(span.end..).unwrap_or_default();
        Self {
            before: before.trim(),
            gap: before.len() - before.trim_end().len(),
            found: text.get(span.clone()).unwrap_or_default().trim(),
            after: after.split('\n').next().unwrap_or_default().trim(),
        }
    }

    fn key_span(&self, span: &Range<usize>) -> Range<usize> {
        let end = span.start.saturating_sub(self.gap);
        end.saturating_sub(self.before.len())..end
    }

    fn about_keys(&self, what: &str) -> Said {
        let Self { before, found, after, .. } = self;
        Some(match what {
            "key with no value" if after.is_empty() => (
                format!("`{before}` has no value"),
                format!("write `{before} = …`, or put `#` before a comment"),
            ),
            "key with no value" => (
                format!("`=` is missing after `{before}`"),
                format!("write `{before} = …`; a key has no spaces in it"),
            ),
            "duplicate key" => (
                format!("`{found}` is there a second time"),
                "keep one of the two; a list of sections is written with two brackets, \
                 as in `[[source]]`"
                    .to_owned(),
            ),
            "invalid unquoted key" => {
                (format!("the key `{found}` must stand in quotes"), format!("write `\"{found}\"`"))
            }
            "unquoted keys cannot be empty" if before.ends_with('[') => {
                ("the section has no name".to_owned(), String::new())
            }
            "unquoted keys cannot be empty" => {
                ("there is no key before `=`".to_owned(), "write `key = …`".to_owned())
            }
            "unclosed table" => header_unclosed("]"),
            "unclosed array table" => header_unclosed("]]"),
            _ => return None,
        })
    }

    fn about_text(&self, what: &str) -> Said {
        Some(match what {
            "invalid basic string" | "invalid literal string" if self.found.is_empty() => {
                let quote = if what == "invalid basic string" { '"' } else { '\'' };
                let message = format!("this text has no closing `{quote}`");
                (message, format!("write `{quote}` at its end"))
            }
            "missing escaped value" | "too few unicode value digits" => (
                "this backslash has no meaning".to_owned(),
                "write `\\\\` for a backslash, or put the text in single quotes: `'…'`".to_owned(),
            ),
            _ => return None,
        })
    }

    fn about_values(&self, what: &str) -> Said {
        let Self { before, found, .. } = self;
        Some(match what {
            "string values must be quoted" if found.is_empty() => (
                "there is no value after `=`".to_owned(),
                "write one, or put `#` before the line to leave it out".to_owned(),
            ),
            "string values must be quoted" => {
                let plain = !found.contains(['"', '\\']);
                let help = if plain { format!("write `\"{found}\"`") } else { String::new() };
                ("text must stand in quotes".to_owned(), help)
            }
            "invalid boolean" => {
                let small = found.to_lowercase();
                (format!("`{found}` is not known here"), format!("write `{small}` in small letters"))
            }
            "unexpected leading zero" => (
                "a number cannot begin with `0`".to_owned(),
                "leave the zero out, or put the digits in quotes".to_owned(),
            ),
            "unexpected key or value" if before.starts_with('[') => (
                "nothing may stand behind the name of a section".to_owned(),
                "put it on a line of its own".to_owned(),
            ),
            "unexpected key or value" => (
                "nothing may stand behind the value".to_owned(),
                "put it on a line of its own or `#` before it; `\"` inside text is written `\\\"`".to_owned(),
            ),
            "extra `=`" => ("this `=` is one too many".to_owned(), "take it out".to_owned()),
            _ => return None,
        })
    }
}

fn about_lists(what: &str) -> Said {
    let comma = "write `,` between the two".to_owned();
    Some(match what {
        "missing comma between array elements" | "missing comma between key-value pairs" => {
            ("a comma is missing here".to_owned(), comma)
        }
        "extra assignment between key-value pairs" => {
            ("a comma is missing before this key".to_owned(), comma)
        }
        "extra comma in array" | "extra comma in inline table" => {
            ("this comma is one too many".to_owned(), "take it out".to_owned())
        }
        "unexpected `=` in array" => (
            "a list holds values, not `key = value`".to_owned(),
            "end the list with `]` before this".to_owned(),
        ),
        _ => return None,
    })
}

fn header_unclosed(brackets: &str) -> (String, String) {
    let message = format!("the name of the section has no closing `{brackets}`");
    (message, format!("write `{brackets}` behind the name"))
}
