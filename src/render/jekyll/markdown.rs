//! Text and addresses within Markdown, as kramdown and its GFM parser read it.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// Characters that are encoded in an address in `<…>`: the end of the tag, a table's bar, Liquid's braces.
const IN_ADDRESS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'\'')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

const IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Escapes one line of plain text so that a line beginning with it shows exactly that text.
///
/// Characters with a meaning only in some positions are left alone elsewhere. Some become references, where a
/// backslash would not do: it leaves Liquid's `{%` intact, and `]:`, which kramdown takes for the end of a
/// link's definition; `\\` at a line's end is a break; before `~`, `^` and `%` a backslash is itself text.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let mut before = None;
    for (at, c) in text.char_indices() {
        let beside = || before == Some(c) || text[at + c.len_utf8()..].starts_with(c);
        match c {
            '{' | '}' | '[' | ']' | '\\' => push_reference(&mut out, c),
            '~' if at == 0 || beside() => push_reference(&mut out, c),
            '^' | '%' if at == 0 => push_reference(&mut out, c),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '`' | '*' | '_' | '|' | '"' | '\'' => push_escaped(&mut out, c),
            '#' | '+' | ':' | '=' if at == 0 => push_escaped(&mut out, c),
            // `--` and `...` become typographic signs, `$$` is mathematics.
            '-' if at == 0 || beside() => push_escaped(&mut out, c),
            '.' | '$' if beside() => push_escaped(&mut out, c),
            '.' | ')' if at > 0 && at == digits => push_escaped(&mut out, c),
            _ => out.push(c),
        }
        before = Some(c);
    }
    out
}

fn push_escaped(out: &mut String, c: char) {
    out.push('\\');
    out.push(c);
}

fn push_reference(out: &mut String, c: char) {
    out.push_str("&#");
    out.push_str(&u32::from(c).to_string());
    out.push(';');
}

/// Returns `<link>`, or `None` if `link` is no absolute web address.
pub(super) fn address(link: &str) -> Option<String> {
    let url = Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(format!("<{}>", utf8_percent_encode(url.as_str(), IN_ADDRESS)))
}

/// Returns `text` as a segment of an address's path.
pub(super) fn path_segment(text: &str) -> String {
    utf8_percent_encode(text, IN_SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_its_looks() {
        for (text, want) in [
            ("HFO-1234yf(四氟丙烯)制冷剂，99.9%。（新闻）", "HFO-1234yf(四氟丙烯)制冷剂，99.9%。（新闻）"),
            ("{{ x }} {% y %}", "&#123;&#123; x &#125;&#125; &#123;% y %&#125;"),
            ("{: onclick='x'}", r"&#123;: onclick=\'x\'&#125;"),
            ("[x](javascript:y) ![z](//z)", "&#91;x&#93;(javascript:y) !&#91;z&#93;(//z)"),
            ("a*b_c`d|e", r"a\*b\_c\`d\|e"),
            ("<b>&copy;</b>", "&lt;b&gt;&amp;copy;&lt;/b&gt;"),
            ("# a", r"\# a"),
            ("C# 1+1=2 a:b", "C# 1+1=2 a:b"),
            ("- a", r"\- a"),
            ("1. 甲 2. 乙", r"1\. 甲 2. 乙"),
            ("2021) 甲", r"2021\) 甲"),
            ("1.5亿", r"1\.5亿"),
            ("a--b...c", r"a\-\-b\.\.\.c"),
            ("$$x$$ $5", r"\$\$x\$\$ $5"),
            ("~~a~~ 3~5", "&#126;&#126;a&#126;&#126; 3~5"),
            ("^", "&#94;"),
            ("% include", "&#37; include"),
            ("a\\", "a&#92;"),
        ] {
            assert_eq!(escape(text), want);
        }
    }

    #[test]
    fn addresses() {
        for (link, want) in [
            ("http://x.example/a,1.html?b=c&d=e#f", Some("<http://x.example/a,1.html?b=c&d=e#f>")),
            (
                "http://x.example/{{a}}|'b'?{%c%}>",
                Some("<http://x.example/%7B%7Ba%7D%7D%7C%27b%27?%7B%c%%7D%3E>"),
            ),
            ("https://x.example/报?a b", Some("<https://x.example/%E6%8A%A5?a%20b>")),
            ("https://报.example/", Some("<https://xn--4ru.example/>")),
            ("javascript:alert(1)", None),
            ("//x.example/", None),
            ("", None),
        ] {
            assert_eq!(address(link).as_deref(), want, "{link}");
        }
        assert_eq!(path_segment("a b(c)/{报"), "a%20b%28c%29%2F%7B%E6%8A%A5");
    }
}
