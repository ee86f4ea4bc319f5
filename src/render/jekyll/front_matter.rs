//! YAML scalars that Ruby's Psych (YAML 1.1 with extras) and a YAML 1.2 reader both read the same.

/// Returns `text`, one line without control characters, in double quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns `text` unquoted if every YAML reads it as a plain string, else in double quotes.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Returns `text` as the only category or tag: Jekyll splits a string at spaces, but not a list.
pub(super) fn one_label(text: &str) -> String {
    if text.contains(' ') { format!("[ {} ]", quoted(text)) } else { scalar(text) }
}

/// Returns whether `text` is safe without quotes; stricter than YAML, since superfluous quotes do no harm.
fn is_plain(text: &str) -> bool {
    let good = |c: char| {
        if c.is_ascii() { c.is_ascii_alphanumeric() || "-_.".contains(c) } else { !c.is_whitespace() }
    };
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || !c.is_ascii());
    starts && text.chars().all(good) && !(text.is_ascii() && has_other_type(text))
}

/// Returns whether some YAML reads `text`, of ASCII letters, digits and `-_.`, as another type than a string.
fn has_other_type(text: &str) -> bool {
    const WORDS: [&str; 11] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"];
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        // Numbers in any base, exponents, dates and times have no other letters.
        return text
            .bytes()
            .all(|b| !b.is_ascii_alphabetic() || b"abcdefotxz".contains(&b.to_ascii_lowercase()));
    }
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_strings() {
        for plain in "post 西海都市报新闻 21shijijingjibaodao 36kr c-0a1b2c3d 21世纪新闻 （新闻）".split(' ')
        {
            assert_eq!(scalar(plain), plain);
        }
    }

    #[test]
    fn what_needs_quotes() {
        let words = "123 0x1F 0o7 1e3 1_000 1,000 1.5 2021-12-21 true Yes n ~ null -a #a :a a,b [a] {a} *a &a !a \
                     %a @a `a | > 'a' ? = << ... .5 .inf a\u{3000}b";
        for text in words.split(' ').chain(["", "- a", "a: b", "a #b", "a b"]) {
            assert_eq!(scalar(text), format!("\"{text}\""));
        }
        assert_eq!(scalar(r#"a"\b"#), r#""a\"\\b""#);
        assert_eq!(one_label("a b"), "[ \"a b\" ]");
        assert_eq!(one_label("甲:乙"), "\"甲:乙\"");
    }
}
