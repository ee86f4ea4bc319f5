//! Pictures that a page loads late: their address is in another attribute, among several sizes, in a
//! `<source>` of a `<picture>` or in `<noscript>`. The best one becomes `src`.

use std::sync::LazyLock;

use dom_query::{Document, Matcher, NodeId, NodeRef};
use url::Url;

use super::link;
use crate::model::nesting;

/// Attributes that hold the address until a script copies it to `src`; the first valid one is used.
pub(crate) const LATE: [&str; 9] = [
    "data-src",
    "data-lazy-src",
    "data-original",
    "data-original-src",
    "data-actualsrc",
    "data-lazy",
    "data-lazyload",
    "data-echo",
    "data-cfsrc",
];
/// Attributes that hold a `srcset` until a script copies it.
pub(crate) const LATE_SETS: [&str; 3] = ["data-srcset", "data-lazy-srcset", "data-original-set"];
/// Sizes of one picture, and nodes in one `<picture>`, that are read at most.
const MOST_SIZES: usize = 32;
/// The preferred largest width, in pixels.
const WIDE: f64 = 2_048.0;
/// Parts of the names of placeholder pictures.
const PLACEHOLDERS: [&str; 10] = [
    "blank",
    "placeholder",
    "spacer",
    "transparent",
    "pixel",
    "1x1",
    "lazyload",
    "lazy-load",
    "loading",
    "empty",
];

/// All elements of a text that are read here.
static PARTS: LazyLock<Option<Matcher>> =
    LazyLock::new(|| Matcher::new("noscript, img, picture > source").ok());

/// Returns whether the value of such an attribute is an address, and not a switch or a template.
pub(crate) fn is_address(value: &str) -> bool {
    let value = value.trim();
    value.contains(['/', '.']) && !value.contains(|c: char| c.is_whitespace() || matches!(c, '{' | '<'))
}

/// Returns the addresses of a `srcset` with their sizes (HTML, 4.8.4.2.2 "parsing a srcset attribute").
pub(crate) fn sizes(set: &str) -> Vec<(&str, &str)> {
    let mut all = Vec::new();
    let mut rest = set;
    while all.len() < MOST_SIZES {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            break;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (address, after) = rest.split_at(end);
        if address.ends_with(',') {
            all.push((address.trim_end_matches(','), ""));
            rest = after;
            continue;
        }
        let (size, after) = after.split_once(',').unwrap_or((after, ""));
        all.push((address, size.trim()));
        rest = after;
    }
    all
}

/// Returns the largest size up to [`WIDE`], or else the smallest.
fn largest(set: &str, base: Option<&Url>) -> Option<String> {
    let mut best: Option<(f64, String)> = None;
    for (address, size) in sizes(set) {
        let Some(address) = link::absolute(address, base).filter(|_| is_address(address)) else { continue };
        let wide = size.strip_suffix('w').and_then(|w| w.parse::<f64>().ok());
        let dense = size.strip_suffix('x').and_then(|x| x.parse::<f64>().ok());
        let width = wide.or(dense).unwrap_or(1.0);
        let better = best.as_ref().is_none_or(|(known, _)| {
            if *known > WIDE { width < *known } else { width > *known && width <= WIDE }
        });
        if better {
            best = Some((width, address));
        }
    }
    best.map(|(_, address)| address)
}

/// Returns whether an address is that of a placeholder.
fn keeps_place(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let kind = [".gif", ".png", ".svg"].iter().any(|end| name.ends_with(end));
    kind && PLACEHOLDERS.iter().any(|part| name.contains(part))
}

/// Returns the address in an attribute of a picture, as an absolute one.
fn stated(picture: &NodeRef<'_>, name: &str, base: Option<&Url>) -> Option<String> {
    link::absolute(&picture.attr(name)?, base)
}

/// Returns the address that a script would copy to `src`.
fn late(picture: &NodeRef<'_>, base: Option<&Url>) -> Option<String> {
    let single = LATE.iter().find_map(|name| {
        let value = picture.attr(name).filter(|value| is_address(value))?;
        link::absolute(&value, base)
    });
    single.or_else(|| LATE_SETS.iter().find_map(|name| largest(&picture.attr(name)?, base)))
}

/// Returns the best address among the sources of a `<picture>`; formats that all programs show come first.
fn framed(picture: &NodeRef<'_>, base: Option<&Url>) -> Option<String> {
    let frame = picture.parent().filter(|parent| is(parent, "picture"))?;
    let of = |usual: bool| {
        children(&frame).filter(|source| is(source, "source")).find_map(|source| {
            let kind = source.attr("type").unwrap_or_default();
            let new = kind.contains("webp") || kind.contains("avif") || kind.contains("jxl");
            (new != usual).then(|| of_source(&source, base)).flatten()
        })
    };
    of(true).or_else(|| of(false))
}

/// Returns the first nodes in a `<picture>`: they are read again for each picture in it, so their number is
/// bounded.
fn children<'a>(frame: &NodeRef<'a>) -> impl Iterator<Item = NodeRef<'a>> + use<'a> {
    std::iter::successors(frame.first_child(), NodeRef::next_sibling).take(MOST_SIZES)
}

fn of_source(source: &NodeRef<'_>, base: Option<&Url>) -> Option<String> {
    late(source, base).or_else(|| largest(&source.attr("srcset")?, base))
}

/// Returns the best address of a picture; `None` if it has none.
#[must_use]
pub fn address(picture: &NodeRef<'_>, base: Option<&Url>) -> Option<String> {
    let src = stated(picture, "src", base);
    late(picture, base)
        .or_else(|| src.clone().filter(|src| !keeps_place(src)))
        .or_else(|| largest(&picture.attr("srcset")?, base))
        .or_else(|| framed(picture, base))
        .or(src)
}

/// Sets `src` of each picture of a text to its best address; removes pictures without any.
pub(super) fn resolve(document: &Document, base: Option<&Url>) {
    let Some(parts) = PARTS.as_ref() else { return };
    let parts = document.select_matcher(parts);
    let all = |name: &'static str| parts.nodes().iter().filter(move |node| is(node, name));
    for hidden in all("noscript") {
        reveal(hidden, base);
    }
    for source in all("source") {
        let frame = source.parent();
        let alone = frame.is_some_and(|frame| children(&frame).all(|node| !is(&node, "img")));
        if alone && let Some(best) = of_source(source, base) {
            // A script would create the picture itself.
            source.rename("img");
            source.set_attr("src", &best);
        }
    }
    for picture in all("img") {
        let Some(best) = address(picture, base) else {
            picture.remove_from_parent();
            continue;
        };
        picture.set_attr("src", &best);
        if let Some(set) = LATE_SETS.iter().find_map(|name| picture.attr(name)) {
            picture.set_attr("srcset", &set);
        }
    }
    all("source").for_each(NodeRef::remove_from_parent);
}

/// Uses the picture in a `<noscript>`: it gives its address to a neighbouring picture that has none, or
/// replaces the `<noscript>` if a script would create the picture.
fn reveal(hidden: &NodeRef<'_>, base: Option<&Url>) {
    let pictures = dom_query::Selection::from(*hidden).select("img");
    if let Some(inner) = pictures.nodes().first() {
        return reveal_one(hidden, inner, base);
    }
    // Some programs escape the content of `<noscript>`.
    let text = hidden.text();
    if text.contains("<img") {
        let written = Document::fragment(nesting::bounded(&text).as_ref());
        if let Some(inner) = written.select("img").nodes().first() {
            reveal_one(hidden, inner, base);
        }
    }
}

fn reveal_one(hidden: &NodeRef<'_>, inner: &NodeRef<'_>, base: Option<&Url>) {
    let Some(known) = address(inner, base).filter(|address| !keeps_place(address)) else { return };
    let neighbour = beside(hidden.prev_element_sibling()).or_else(|| beside(hidden.next_element_sibling()));
    if let Some(picture) = neighbour.and_then(|id| hidden.tree.get(&id)) {
        if address(&picture, base).is_none_or(|address| keeps_place(&address)) {
            picture.set_attr("src", &known);
            return;
        }
        if stated(&picture, "src", base).as_ref() == Some(&known) || late(&picture, base).is_some() {
            return;
        }
    }
    if is_article_picture(inner, &known) {
        hidden.set_text("");
        hidden.remove_all_attrs();
        hidden.rename("img");
        hidden.set_attr("src", &known);
        if let Some(alt) = inner.attr("alt") {
            hidden.set_attr("alt", &alt);
        }
    }
}

/// Returns the picture that an element is, or the first that it contains.
fn beside(node: Option<NodeRef<'_>>) -> Option<NodeId> {
    let node = node?;
    if is(&node, "img") {
        return Some(node.id);
    }
    dom_query::Selection::from(node).select("img").nodes().first().map(|picture| picture.id)
}

/// Returns whether a picture in `<noscript>` belongs to the article, and is not a tracking pixel.
fn is_article_picture(picture: &NodeRef<'_>, address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let named = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"].iter().any(|end| path.ends_with(end));
    let tiny = |name| picture.attr(name).is_some_and(|size| matches!(&*size, "0" | "1" | "2"));
    named && !tiny("width") && !tiny("height")
}

fn is(node: &NodeRef<'_>, name: &str) -> bool {
    node.node_name().as_deref() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://p.example/n/").unwrap()
    }

    #[test]
    fn the_best_address_becomes_the_source() {
        let jpg = "https://p.example/7.jpg";
        for (html, want) in [
            ("<img src=/7.jpg>", &[jpg][..]),
            ("<img data-src=/7.jpg>", &[jpg]),
            ("<img src='data:image/gif;base64,R0' data-lazy-src=/7.jpg>", &[jpg]),
            ("<img src=/blank.gif data-original=/7.jpg>", &[jpg]),
            ("<img src=/a.jpg data-src='{{url}}'>", &["https://p.example/a.jpg"]),
            ("<img src=/7.jpg data-lazy=true>", &[jpg]),
            ("<img src=/blank.gif data-srcset='/3.jpg 320w, /7.jpg 960w'>", &[jpg]),
            ("<img data-srcset='/3.jpg 1x,/7.jpg 2x'>", &[jpg]),
            ("<img srcset='/7.jpg 960w, /9.jpg 4000w, /3.jpg 320w'>", &[jpg]),
            ("<img src=/spacer.gif srcset='/7.jpg 2x'>", &[jpg]),
            ("<img src=/spacer.gif>", &["https://p.example/spacer.gif"]),
            (
                "<picture><source type=image/webp srcset=/7.webp><source srcset='/7.jpg 1x'><img></picture>",
                &[jpg],
            ),
            (
                "<picture><source type=image/webp data-srcset=/7.webp><img></picture>",
                &["https://p.example/7.webp"],
            ),
            ("<picture><source srcset='/9.jpg 2x'><img src=/7.jpg></picture>", &[jpg]),
            ("<picture><source srcset='/7.jpg 2x'></picture>", &[jpg]),
            ("<img class=lazy><noscript><img src=/7.jpg></noscript>", &[jpg]),
            ("<noscript><img src=/7.jpg></noscript><img src='data:,x'>", &[jpg]),
            ("<img data-src=/7.jpg><noscript><img src=/7.jpg></noscript>", &[jpg]),
            ("<img data-src=/7.jpg><noscript><img src=/7-300.jpg></noscript>", &[jpg]),
            ("<div class=late></div><noscript><img src=/7.jpg></noscript>", &[jpg]),
            ("<noscript>&lt;img src=/7.jpg></noscript>", &[jpg]),
            ("<img class=lazy><noscript>&lt;img src=\"/7.jpg\"></noscript>", &[jpg]),
            ("<noscript><img src='https://count.example/p?x=1' width=1 height=1></noscript>", &[]),
            ("<noscript><img src='https://count.example/p.gif' width=1></noscript>", &[]),
            ("<img><img alt=a><img src='data:,x'><img src='javascript:x'>", &[]),
        ] {
            let document = Document::fragment(html);
            resolve(&document, Some(&base()));
            document.select("noscript").remove();
            let found: Vec<String> = document
                .select("img")
                .nodes()
                .iter()
                .map(|picture| picture.attr("src").unwrap_or_default().to_string())
                .collect();
            assert_eq!(found, want, "{html}");
            assert_eq!(document.select("source").length(), 0, "{html}");
        }
        let film = Document::fragment("<video><source src=/f.mp4></video>");
        resolve(&film, Some(&base()));
        assert_eq!(film.select("source").length(), 1);
    }

    #[test]
    fn sizes_as_people_write_them() {
        for (set, want) in [
            ("a.jpg 1x, b.jpg 2x", &[("a.jpg", "1x"), ("b.jpg", "2x")][..]),
            ("a.jpg 1x,b.jpg 2x", &[("a.jpg", "1x"), ("b.jpg", "2x")]),
            (" a.jpg,\n b,c.jpg 300w ,", &[("a.jpg", ""), ("b,c.jpg", "300w")]),
            ("data:image/gif;base64,R0lG 1x", &[("data:image/gif;base64,R0lG", "1x")]),
            ("", &[]),
        ] {
            assert_eq!(sizes(set), want, "{set}");
        }
    }
}
