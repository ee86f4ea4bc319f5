//! Scans a text by TOML's rules for strings and comments, reports the full-width signs outside them, and
//! replaces them with the plain signs.

use std::path::Path;
use std::sync::Arc;

use super::super::faults::{Fault, Faults, Place};

/// Full-width signs, their names, and the signs that TOML has for them.
const SIGNS: [(char, &str, char); 14] = [
    ('＝', "equals sign", '='),
    ('［', "bracket", '['),
    ('］', "bracket", ']'),
    ('【', "bracket", '['),
    ('】', "bracket", ']'),
    ('｛', "brace", '{'),
    ('｝', "brace", '}'),
    ('，', "comma", ','),
    ('、', "comma", ','),
    ('：', "colon", ':'),
    ('．', "dot", '.'),
    ('＃', "hash sign", '#'),
    ('\u{3000}', "space", ' '),
    ('\u{A0}', "no-break space", ' '),
];

/// Returns the text with plain signs for full-width ones; every byte keeps its position.
pub(super) fn scan(file: &Arc<Path>, text: &str, faults: &mut Faults) -> String {
    let mut scanner = Scanner {
        file,
        text,
        faults,
        out: String::with_capacity(text.len()),
        open: Vec::new(),
        key: true,
        header: false,
        before: '\n',
        named: Vec::new(),
    };
    while let Some(c) = scanner.rest().chars().next() {
        scanner.step(c);
    }
    scanner.unclosed(text.len());
    scanner.out
}

struct Scanner<'a> {
    file: &'a Arc<Path>,
    text: &'a str,
    faults: &'a mut Faults,
    /// The output so far; always as many bytes as were read.
    out: String,
    /// The open lists and inline tables, with their positions.
    open: Vec<(char, usize)>,
    /// Whether a key comes next, rather than a value.
    key: bool,
    /// Whether this line is a `[section]` line.
    header: bool,
    /// The sign before the current one.
    before: char,
    /// The signs reported on this line; each is reported once.
    named: Vec<char>,
}

impl<'a> Scanner<'a> {
    fn at(&self) -> usize {
        self.out.len()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at()..).unwrap_or_default()
    }

    fn rest_of_line(&self) -> &'a str {
        self.rest().split('\n').next().unwrap_or_default()
    }

    fn step(&mut self, c: char) {
        let sign = SIGNS.iter().find(|(wide, _, _)| *wide == c);
        let separates = self.key && !self.header;
        match (c, sign) {
            ('\n', _) => self.newline(),
            ('#', _) => self.copy(self.rest_of_line().len()),
            ('"' | '\'', _) => self.text_in_quotes(c),
            (':' | '：', _) if separates => self.colon(c),
            (_, Some((_, name, plain))) => self.full_width(c, name, *plain),
            _ if plain_quote(c).is_some() => self.text_in_wide_quotes(c),
            ('=' | '[' | ']' | '{' | '}' | ',', _) => self.plain(c),
            _ if !self.key && !c.is_whitespace() => self.word(),
            _ => self.copy(c.len_utf8()),
        }
        self.before = c;
    }

    fn copy(&mut self, bytes: usize) {
        self.out.push_str(self.rest().get(..bytes).unwrap_or(self.rest()));
    }

    fn newline(&mut self) {
        self.out.push('\n');
        self.named.clear();
        if !self.open.is_empty() && is_header(self.rest_of_line()) {
            self.unclosed(self.at());
        }
        if self.open.is_empty() {
            self.key = true;
            self.header = false;
        }
    }

    /// Reports `:` or `：` in the place of `=`, and writes `=`.
    fn colon(&mut self, c: char) {
        let message = format!("`{c}` after a key: TOML wants `=`");
        self.fault(self.at(), c.len_utf8(), message, None);
        self.write('=', c.len_utf8());
        self.key = false;
    }

    fn full_width(&mut self, c: char, name: &str, plain: char) {
        if !self.named.contains(&c) {
            self.named.push(c);
            let message = match c {
                '\u{3000}' => "full-width space (U+3000): TOML wants a plain space".to_owned(),
                '\u{A0}' => "no-break space (U+00A0): TOML wants a plain space".to_owned(),
                _ => format!("full-width {name} `{c}`: TOML wants `{plain}`"),
            };
            self.fault(self.at(), c.len_utf8(), message, None);
        }
        self.track(plain);
        self.write(plain, c.len_utf8());
        if plain == '#' {
            self.copy(self.rest_of_line().len());
        }
    }

    fn plain(&mut self, c: char) {
        self.track(c);
        self.write(c, 1);
    }

    /// Writes a sign padded to `width` bytes. `[[` and `]]` must stay together, so the padding goes before the
    /// first and behind the last.
    fn write(&mut self, plain: char, width: usize) {
        let padding = " ".repeat(width.saturating_sub(1));
        let together = matches!(self.before, '］' | '】') && plain == ']';
        if plain == '[' {
            let at = self.out.trim_end_matches('[').len();
            self.out.insert_str(at, &padding);
            self.out.push('[');
        } else if together {
            let at = self.out.trim_end_matches(' ').len();
            self.out.insert(at, ']');
            self.out.push_str(&padding);
        } else {
            self.out.push(plain);
            self.out.push_str(&padding);
        }
    }

    /// Updates the open lists and tables, and whether a key comes next.
    fn track(&mut self, c: char) {
        let at = self.at();
        let inside = self.open.last().map(|(open, _)| *open);
        match c {
            '=' => {
                let line = self.out.rfind('\n').map_or(0, |newline| newline + 1);
                if inside == Some('[') && self.open.first().is_some_and(|(_, open)| *open < line) {
                    self.unclosed(line);
                }
                self.key = false;
            }
            '[' if self.key && inside.is_none() => self.header = true,
            '[' => self.open.push((c, at)),
            '{' => {
                self.open.push((c, at));
                self.key = true;
            }
            ']' if inside == Some('[') => drop(self.open.pop()),
            '}' if inside == Some('{') => {
                self.open.pop();
                self.key = false;
            }
            ',' => self.key = inside == Some('{'),
            _ => {}
        }
    }

    /// Reports the list or inline table that is still open at `end` and blanks it, since it would swallow all
    /// lines behind it.
    fn unclosed(&mut self, end: usize) {
        let Some((open, at)) = self.open.first().copied() else {
            return;
        };
        let (what, close) = if open == '[' { ("list", ']') } else { ("inline table", '}') };
        let message = format!("this {what} has no closing `{close}`");
        self.fault(at, 1, message, Some(format!("write `{close}` at its end")));
        self.take_out(at, end);
        self.open.clear();
    }

    /// Writes `?` and spaces over a value that cannot be read. The parser then rejects this one line, and no
    /// second fault is reported on it.
    fn take_out(&mut self, from: usize, to: usize) {
        let old = self.out.get(from..to).unwrap_or_default().bytes().enumerate();
        let new: String = old
            .map(|(at, byte)| match (at, byte) {
                (0, _) => '?',
                (_, b'\n') => '\n',
                _ => ' ',
            })
            .collect();
        if new.len() == to.saturating_sub(from) {
            self.out.replace_range(from..to, &new);
        }
    }

    fn text_in_quotes(&mut self, quote: char) {
        let rest = self.rest();
        let triple = String::from(quote).repeat(3);
        if let Some(inside) = rest.strip_prefix(&triple) {
            return self.long_text(&triple, inside);
        }
        let inside = self.rest_of_line().get(1..).unwrap_or_default();
        if let Some(end) = find_end(inside, quote.encode_utf8(&mut [0; 4])) {
            return self.copy(end + 2);
        }
        let closers = inside.char_indices().find(|(at, c)| {
            let after = inside.get(at + c.len_utf8()..).unwrap_or_default().trim_start();
            plain_quote(*c) == Some(quote) && (after.is_empty() || after.starts_with([',', ']', '}', '#']))
        });
        if let Some((at, wide)) = closers {
            self.copy(1 + at);
            let message = format!("full-width quote `{wide}`: TOML wants `{quote}`");
            self.fault(self.at(), wide.len_utf8(), message, None);
            self.write(quote, wide.len_utf8());
        } else {
            self.copy(1 + inside.len());
        }
    }

    fn long_text(&mut self, triple: &str, inside: &str) {
        let at = self.at();
        if let Some(end) = find_end(inside, triple) {
            self.copy(end + 6);
            let quote = triple.chars().next().unwrap_or('"');
            let more = self.rest().chars().take(2).take_while(|c| *c == quote).count();
            self.copy(more);
        } else {
            let message = format!("this text has no closing `{triple}`");
            self.fault(at, 3, message, Some(format!("write `{triple}` at its end")));
            self.copy(3 + inside.len());
            self.take_out(at, self.at());
        }
    }

    fn text_in_wide_quotes(&mut self, opener: char) {
        let quote = plain_quote(opener).unwrap_or('"');
        let width = opener.len_utf8();
        let inside = self.rest_of_line().get(width..).unwrap_or_default();
        let start = self.at();
        self.out.push_str(&" ".repeat(width - 1));
        self.out.push(quote);
        let Some((end, closer)) = find_wide_end(inside, opener) else {
            let message = format!("full-width quote `{opener}`: TOML wants `{quote}`");
            self.fault(start, width, message, None);
            return self.copy(inside.len());
        };
        self.copy(end);
        self.write(quote, closer.len_utf8());
        let message = if closer == quote {
            format!("full-width quote `{opener}`: TOML wants `{quote}`")
        } else {
            format!("full-width quotes `{opener}` `{closer}`: TOML wants `{quote}`")
        };
        let text = inside.get(..end).unwrap_or_default();
        let help = (!text.contains([quote, '\\'])).then(|| format!("write `{quote}{text}{quote}`"));
        self.fault(start, width + end + closer.len_utf8(), message, help);
    }

    /// Copies a value without quotes. Unquoted text is reported by the parser, and the signs in it are part of
    /// that text.
    fn word(&mut self) {
        let line = self.rest_of_line();
        let ends = |c: char| c.is_whitespace() || ",]}#".contains(c) || SIGNS.iter().any(|s| s.0 == c);
        let word = line.split(ends).next().unwrap_or_default();
        let known = ["true", "false", "inf", "nan"].iter().any(|k| k.eq_ignore_ascii_case(word));
        let number = word.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-');
        let whole_line = self.open.is_empty() && !known && !number;
        self.copy(if whole_line { line.len() } else { word.len().max(1) });
    }

    fn fault(&mut self, at: usize, width: usize, message: String, help: Option<String>) {
        let mut fault = Fault::error(&Place::new(self.file, at..at + width), message);
        fault.help = help;
        self.faults.push(fault);
    }
}

/// Returns the plain quote that a full-width one stands for.
fn plain_quote(c: char) -> Option<char> {
    match c {
        '“' | '”' | '„' | '‟' | '＂' | '「' | '」' | '『' | '』' => Some('"'),
        '‘' | '’' | '＇' => Some('\''),
        _ => None,
    }
}

/// Returns the offset at which a text ends that began with `quote`; `\"` does not end it.
fn find_end(inside: &str, quote: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote.starts_with('"') {
            escaped = true;
        } else if inside.get(at..).is_some_and(|rest| rest.starts_with(quote)) {
            return Some(at);
        }
    }
    None
}

/// Returns the offset and the quote at which a text ends that began with a full-width quote: the closing
/// one, counting nested quotes, or else the last one.
fn find_wide_end(inside: &str, opener: char) -> Option<(usize, char)> {
    let quote = plain_quote(opener)?;
    let mut depth = 1;
    let mut last = None;
    for (at, c) in inside.char_indices() {
        if plain_quote(c) != Some(quote) && c != quote {
            continue;
        }
        last = Some((at, c));
        let nests = matches!(c, '“' | '「' | '『' | '‘') && plain_quote(opener).is_some();
        depth += if nests { 1 } else { -1 };
        if depth == 0 {
            return last;
        }
    }
    last
}

/// Returns whether a line inside an open list can only be a `[section]`.
fn is_header(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim();
    let name = line.trim_start_matches('[').trim_end_matches(']').trim();
    let known = matches!(name, "true" | "false" | "inf" | "nan");
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    line.starts_with('[')
        && line.ends_with(']')
        && !known
        && letters
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
}
