//! What changes at every poll and is no correction: signed queries of pictures, tracking pixels (RULES 1.5).
//! Pure.

use std::borrow::Cow;

/// File name extensions of pictures and recordings.
const MEDIA: [&str; 16] = [
    ".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".bmp", ".mp3", ".m4a", ".ogg", ".opus",
    ".mp4", ".webm", ".m3u8", ".jfif",
];
/// Parameters that sign an address, make it expire, or prevent caching.
const SIGNING: [&str; 22] = [
    "expires",
    "signature",
    "sig",
    "policy",
    "key-pair-id",
    "token",
    "hdnea",
    "hdnts",
    "hmac",
    "auth",
    "auth_key",
    "nonce",
    "rand",
    "rnd",
    "random",
    "cb",
    "cachebuster",
    "ts",
    "timestamp",
    "_",
    "nocache",
    "se",
];
/// Attributes of a picture whose values are addresses.
const ADDRESSES: [&str; 6] = ["src", "srcset", "data-src", "data-srcset", "data-original", "data-lazy-src"];

/// Returns an address without its signature: without the query where the path names a file, else without
/// signing parameters.
#[must_use]
pub(super) fn stable_address(url: &str) -> Cow<'_, str> {
    let Some((path, query)) = url.split_once('?') else { return Cow::Borrowed(url) };
    let lower = path.to_ascii_lowercase();
    if MEDIA.iter().any(|ending| lower.ends_with(ending)) {
        return Cow::Borrowed(path);
    }
    let signs = |pair: &str| {
        let name = pair.trim_start_matches("amp;").split('=').next().unwrap_or_default().to_ascii_lowercase();
        SIGNING.contains(&name.as_str()) || name.starts_with("x-amz-") || name.starts_with("x-goog-")
    };
    if !query.split('&').any(signs) {
        return Cow::Borrowed(url);
    }
    let kept: Vec<&str> = query.split('&').filter(|pair| !signs(pair)).collect();
    Cow::Owned(if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) })
}

/// Returns HTML without tracking pixels and without the signatures of other pictures' addresses.
#[must_use]
pub(super) fn stable_html(html: &str) -> Cow<'_, str> {
    if !has_picture(html) {
        return Cow::Borrowed(html);
    }
    // ASCII lower case keeps all byte offsets.
    let lower = html.to_ascii_lowercase();
    let mut out = String::with_capacity(html.len());
    let mut at = 0;
    while let Some(begin) = next_tag(&lower, at) {
        out.push_str(&html[at..begin]);
        let end = lower[begin..].find('>').map_or(html.len(), |length| begin + length + 1);
        let tag = &html[begin..end];
        if !is_dot(tag) {
            push_stable(&mut out, tag);
        }
        at = end;
    }
    out.push_str(&html[at..]);
    Cow::Owned(out)
}

/// Returns whether HTML has an `img` or `source` element, in any case.
fn has_picture(html: &str) -> bool {
    let begins =
        |rest: &str, name: &str| rest.get(..name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name));
    html.split('<').skip(1).any(|rest| begins(rest, "img") || begins(rest, "source"))
}

/// Returns HTML without tracking pixels, which count readers and show nothing.
#[must_use]
pub(super) fn without_dots(html: &str) -> Cow<'_, str> {
    if !has_picture(html) {
        return Cow::Borrowed(html);
    }
    let lower = html.to_ascii_lowercase();
    let mut out = String::new();
    let (mut at, mut kept) = (0, 0);
    while let Some(begin) = next_tag(&lower, at) {
        let end = lower[begin..].find('>').map_or(html.len(), |length| begin + length + 1);
        if is_dot(&html[begin..end]) {
            out.push_str(&html[kept..begin]);
            kept = end;
        }
        at = end;
    }
    if kept == 0 {
        return Cow::Borrowed(html);
    }
    out.push_str(&html[kept..]);
    Cow::Owned(out)
}

/// Returns HTML as [`stable_html`] does, with white space collapsed to one space, and none beside tags.
#[must_use]
pub(super) fn comparable_html(html: &str) -> String {
    let stable = stable_html(html);
    if stable.contains("<pre") {
        return stable.into_owned();
    }
    let words: Vec<&str> = stable.split_whitespace().collect();
    words.join(" ").replace("> ", ">").replace(" <", "<")
}

fn next_tag(lower: &str, from: usize) -> Option<usize> {
    let rest = lower.get(from..)?;
    let found = [rest.find("<img"), rest.find("<source")].into_iter().flatten().min()?;
    Some(from + found)
}

/// Returns whether a tag is a picture of at most one pixel, which counts readers.
#[must_use]
pub(super) fn is_dot(tag: &str) -> bool {
    let mut small = (false, false);
    for (name, value) in attributes(tag) {
        let tiny = matches!(value.trim().trim_end_matches("px"), "0" | "1");
        match name.to_ascii_lowercase().as_str() {
            "width" => small.0 = tiny,
            "height" => small.1 = tiny,
            _ => {}
        }
    }
    small == (true, true)
}

/// Adds a tag with stable addresses.
fn push_stable(out: &mut String, tag: &str) {
    let mut at = 0;
    for (name, value) in attributes(tag) {
        if !ADDRESSES.contains(&name.to_ascii_lowercase().as_str()) || !value.contains('?') {
            continue;
        }
        let begin = value.as_ptr() as usize - tag.as_ptr() as usize;
        out.push_str(&tag[at..begin]);
        for (number, part) in value.split(' ').enumerate() {
            if number > 0 {
                out.push(' ');
            }
            out.push_str(&stable_address(part));
        }
        at = begin + value.len();
    }
    out.push_str(&tag[at..]);
}

/// Returns the attributes of a tag with their values, as written.
fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag.split_once(|c: char| c.is_ascii_whitespace()).map_or("", |(_, rest)| rest);
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>'))?;
        let (name, tail) = rest.split_at(end);
        let tail = tail.trim_start();
        let Some(tail) = tail.strip_prefix('=').map(str::trim_start) else {
            rest = tail.trim_start_matches('>');
            return (!name.is_empty()).then_some((name, ""));
        };
        let quote = tail.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, tail) = match quote {
            Some(quote) => tail[1..].split_once(quote).unwrap_or((&tail[1..], "")),
            None => {
                tail.split_at(tail.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(tail.len()))
            }
        };
        rest = tail;
        Some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_at_every_poll_goes() {
        for (html, want) in [
            ("<p>x</p>", "<p>x</p>"),
            (
                "<img src=\"http://c.example/m.jpg?Expires=1&amp;Signature=a\">",
                "<img src=\"http://c.example/m.jpg\">",
            ),
            ("a<img src='/m.php?id=3&amp;token=9' alt='q?'>b", "a<img src='/m.php?id=3' alt='q?'>b"),
            (
                "<p>N</p><img src=\"http://c.example/p.gif?r=1\" width=\"1\" height=\"1\" alt=\"\">",
                "<p>N</p>",
            ),
            ("<IMG WIDTH=1 HEIGHT=1 SRC=/p?r=4>z", "z"),
            (
                "<img src=\"/b.png?w=100 1x\" width=100 height=1>",
                "<img src=\"/b.png 1x\" width=100 height=1>",
            ),
            ("<img srcset=\"/a.jpg?s=1 1x, /b.jpg?s=2 2x\">", "<img srcset=\"/a.jpg 1x, /b.jpg 2x\">"),
            ("<img src", "<img src"),
            ("<img", "<img"),
            ("é<img =\"\u{fc}?", "é<img =\"\u{fc}?"),
        ] {
            assert_eq!(stable_html(html), want, "{html}");
        }
        assert_eq!(without_dots("a<img src=/p width=1 height=1>b<img src=/q?x=1>"), "ab<img src=/q?x=1>");
        assert_eq!(stable_address("http://a.example/pic?id=4"), "http://a.example/pic?id=4");
    }

    #[test]
    fn white_space_that_nobody_sees_is_no_change() {
        let (one, two) = (
            "<p>The fair that\nopened.</p><p>It ends.</p>",
            "<p>The fair  that opened.</p>\n\n <p>It ends.</p>\n",
        );
        assert_eq!(comparable_html(one), comparable_html(two));
        assert_ne!(comparable_html("<pre>a  b</pre>"), comparable_html("<pre>a b</pre>"));
    }
}
