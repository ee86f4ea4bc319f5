//! The addresses of a sitemap, with their fields. Names are resolved by namespace and parent element, because
//! extensions reuse local names (`image:loc`, `video:title`).

use std::borrow::Cow;

use crate::model::text::decode_references;
use crate::parse::tolerant::tokens::{Tag, Token, Tokens};

/// Longest value, in bytes; a longer address is not valid (`link::absolute`).
const MAX_VALUE: usize = 4_097;
/// Elements that are open at once; deeper ones are skipped.
const MAX_DEPTH: usize = 32;
/// Namespace declarations in scope at once; a document with more of them is hostile.
const MAX_DECLARED: usize = 64;

/// The type of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// `urlset`: addresses of pages.
    Pages,
    /// `sitemapindex`: addresses of sitemaps.
    Index,
}

/// One `<url>` or `<sitemap>`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) loc: String,
    pub(super) lastmod: String,
    pub(super) title: String,
    pub(super) published: String,
    pub(super) name: String,
    pub(super) language: String,
}

/// The vocabularies that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ns {
    Sitemap,
    News,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Loc,
    Lastmod,
    Title,
    Published,
    Name,
    Language,
}

/// The role of an open element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Root,
    Place,
    News,
    Publication,
    Field(Field),
    Other,
}

/// Reads a document and passes each complete entry to `take`; `None` when it is not a sitemap.
pub(super) fn read(xml: &str, take: &mut dyn FnMut(Root, Place)) -> Option<Root> {
    let mut walk =
        Walk { stack: Vec::new(), declared: Vec::new(), root: None, place: Place::default(), take };
    let mut tokens = Tokens::new(xml);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(raw) => walk.text(&decode_references(raw)),
            Token::CData(raw) => walk.text(raw),
            Token::Start(tag) => walk.start(tag),
            Token::End(name) => walk.end(name),
            Token::Doctype(_) => {}
        }
    }
    walk.cut();
    walk.root
}

struct Walk<'a, 't> {
    stack: Vec<(&'a str, Kind)>,
    /// Prefixes with their namespaces, and the depth of the declaring element.
    declared: Vec<(&'a str, Ns, usize)>,
    root: Option<Root>,
    place: Place,
    take: &'t mut dyn FnMut(Root, Place),
}

impl<'a> Walk<'a, '_> {
    fn start(&mut self, tag: Tag<'a>) {
        // A value that was not closed ends where the next element begins.
        if let Some((_, Kind::Field(_))) = self.stack.last() {
            self.close_to(self.stack.len() - 1);
        }
        self.declare(tag);
        let (ns, local) = self.resolve(tag.name);
        if matches!(&*local, "url" | "sitemap")
            && ns == Ns::Sitemap
            && let Some(open) = self.stack.iter().position(|(_, kind)| *kind == Kind::Place)
        {
            self.close_to(open);
            self.declare(tag);
        }
        if self.stack.len() >= MAX_DEPTH {
            return;
        }
        let parent = self.stack.last().map(|(_, kind)| *kind);
        let kind = self.meaning(parent, ns, &local);
        self.stack.push((tag.name, kind));
        if tag.empty {
            self.close_to(self.stack.len() - 1);
        }
    }

    fn meaning(&mut self, parent: Option<Kind>, ns: Ns, local: &str) -> Kind {
        match (parent, ns, local) {
            (None | Some(Kind::Other), Ns::Sitemap, "urlset" | "sitemapindex") if self.root.is_none() => {
                self.root = Some(if local == "urlset" { Root::Pages } else { Root::Index });
                Kind::Root
            }
            (Some(Kind::Root), Ns::Sitemap, "url" | "sitemap") => {
                self.place = Place::default();
                Kind::Place
            }
            (Some(Kind::Place), Ns::Sitemap, "loc") => Kind::Field(Field::Loc),
            (Some(Kind::Place), Ns::Sitemap, "lastmod") => Kind::Field(Field::Lastmod),
            (Some(Kind::Place), Ns::News, "news") => Kind::News,
            (Some(Kind::Place | Kind::News), Ns::News, "title") => Kind::Field(Field::Title),
            (Some(Kind::Place | Kind::News), Ns::News, "publication_date") => Kind::Field(Field::Published),
            (Some(Kind::News), Ns::News, "publication") => Kind::Publication,
            (Some(Kind::Publication), Ns::News, "name") => Kind::Field(Field::Name),
            (Some(Kind::Publication), Ns::News, "language") => Kind::Field(Field::Language),
            _ => Kind::Other,
        }
    }

    fn text(&mut self, text: &str) {
        let Some((_, Kind::Field(field))) = self.stack.last() else { return };
        let value = field_of(&mut self.place, *field);
        let room = MAX_VALUE.saturating_sub(value.len());
        value.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or_default());
    }

    fn end(&mut self, name: &str) {
        if let Some(place) = self.stack.iter().rposition(|(open, _)| open.eq_ignore_ascii_case(name)) {
            self.close_to(place);
        }
    }

    /// Closes open elements from the innermost out to `depth`.
    fn close_to(&mut self, depth: usize) {
        while self.stack.len() > depth {
            if let Some((_, Kind::Place)) = self.stack.pop() {
                let place = std::mem::take(&mut self.place);
                if let Some(root) = self.root.filter(|_| !place.loc.trim().is_empty()) {
                    (self.take)(root, place);
                }
            }
        }
        self.declared.retain(|(.., at)| *at < depth);
    }

    /// Ends the document; a value that was cut off is dropped, for half an address is a wrong one.
    fn cut(&mut self) {
        if let Some((_, Kind::Field(field))) = self.stack.last() {
            field_of(&mut self.place, *field).clear();
        }
        self.close_to(0);
    }

    fn declare(&mut self, tag: Tag<'a>) {
        if !tag.attrs.0.contains("xmlns") {
            return;
        }
        for (name, uri) in tag.attrs.iter() {
            let prefix = name.strip_prefix("xmlns:").or_else(|| (name == "xmlns").then_some(""));
            if let Some(prefix) = prefix
                && self.declared.len() < MAX_DECLARED
            {
                self.declared.push((prefix, of_uri(uri, prefix), self.stack.len()));
            }
        }
    }

    /// Returns the namespace and the local name in lower case.
    fn resolve(&self, name: &'a str) -> (Ns, Cow<'a, str>) {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let declared = self.declared.iter().rev().find(|(known, ..)| *known == prefix).map(|(_, ns, _)| *ns);
        let local = if local.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(local.to_ascii_lowercase())
        } else {
            Cow::Borrowed(local)
        };
        (declared.unwrap_or_else(|| of_prefix(prefix)), local)
    }
}

fn field_of(place: &mut Place, field: Field) -> &mut String {
    match field {
        Field::Loc => &mut place.loc,
        Field::Lastmod => &mut place.lastmod,
        Field::Title => &mut place.title,
        Field::Published => &mut place.published,
        Field::Name => &mut place.name,
        Field::Language => &mut place.language,
    }
}

/// Returns the vocabulary of a namespace; for an unknown one, the usual one of the prefix.
fn of_uri(uri: &str, prefix: &str) -> Ns {
    let uri = uri.trim().to_ascii_lowercase();
    if uri.contains("sitemap-news") {
        Ns::News
    } else if uri.contains("sitemap-") || uri.contains("w3.org/") {
        Ns::Other
    } else if uri.contains("sitemaps.org/") || uri.contains("google.com/schemas/sitemap/") {
        Ns::Sitemap
    } else {
        of_prefix(prefix)
    }
}

fn of_prefix(prefix: &str) -> Ns {
    match prefix {
        "" | "sitemap" | "sm" => Ns::Sitemap,
        "news" => Ns::News,
        _ => Ns::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(xml: &str) -> (Option<Root>, Vec<Place>) {
        let mut places = Vec::new();
        let root = read(xml, &mut |_, place| places.push(place));
        (root, places)
    }

    #[test]
    fn names_count_with_their_namespaces_and_places() {
        let plain = "<loc>http://p.example/a</loc>";
        for (inner, what) in [
            (
                format!("{plain}<image:image><image:loc>http://p.example/i</image:loc></image:image>"),
                "a prefix",
            ),
            (
                format!("<image:image><image:loc>http://p.example/i</image:loc></image:image>{plain}"),
                "before it",
            ),
            (
                format!(
                    "{plain}<image xmlns='http://www.google.com/schemas/sitemap-image/1.1'><loc>http://p.example/i</loc></image>"
                ),
                "a namespace without a prefix",
            ),
            (
                format!(
                    "{plain}<video:video><video:title>F</video:title><video:publication_date>2019-01-01</video:publication_date></video:video>"
                ),
                "a film",
            ),
            (format!("{plain}<image:loc>http://p.example/i</image:loc>"), "a picture without its frame"),
            (
                format!("{plain}<image:image><loc>http://p.example/i</loc><title>P</title></image:image>"),
                "prefixes left out",
            ),
            (
                format!("{plain}<xhtml:link rel='alternate' hreflang='de' href='http://p.example/de'/>"),
                "a translation",
            ),
            (
                format!(
                    "{plain}<PageMap><DataObject><Attribute name='title'>T</Attribute></DataObject></PageMap>"
                ),
                "a page map",
            ),
        ] {
            for root in [
                "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:image='http://www.google.com/schemas/sitemap-image/1.1'>",
                "<urlset>",
                "<urlset xmlns='https://www.google.com/schemas/sitemap/0.84'>",
            ] {
                let (_, places) = all(&format!("{root}<url>{inner}</url></urlset>"));
                let want = Place { loc: "http://p.example/a".to_owned(), ..Place::default() };
                assert_eq!(places, [want], "{what}, {root}");
            }
        }
    }

    #[test]
    fn any_prefix_is_read() {
        let (root, places) = all("<s:urlset xmlns:s='http://www.sitemaps.org/schemas/sitemap/0.9' \
             xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'><s:url><s:loc>x</s:loc><n:news>\
             <n:publication><n:name>城报</n:name><n:language>zh-cn</n:language></n:publication>\
             <n:title>A</n:title></n:news></s:url></s:urlset>");
        let place = &places[0];
        assert_eq!(root, Some(Root::Pages));
        assert_eq!(
            [&place.loc, &place.name, &place.language, &place.title].map(String::as_str),
            ["x", "城报", "zh-cn", "A"]
        );
    }

    #[test]
    fn references_and_damage() {
        for (loc, want) in [
            ("http://p.example/?a=1&amp;b=2", "http://p.example/?a=1&b=2"),
            ("http://p.example/?a=1&#38;b=2", "http://p.example/?a=1&b=2"),
            ("http://p.example/?a=1&#x26;b=2", "http://p.example/?a=1&b=2"),
            ("http://p.example/?a=1&b=2", "http://p.example/?a=1&b=2"),
            ("http://p.example/&#228;&apos;&quot;", "http://p.example/ä'\""),
            ("<![CDATA[http://p.example/?a=1&b=2]]>", "http://p.example/?a=1&b=2"),
            ("http://p.example/<!-- x -->a", "http://p.example/a"),
        ] {
            let (_, places) = all(&format!("<urlset><url><loc>\n{loc} </loc></url></urlset>"));
            assert_eq!(places[0].loc.trim(), want, "{loc}");
        }
        for (xml, count) in [
            ("<urlset><url><loc>a</loc></url><url><loc>http://p.exam", 1),
            ("<urlset><url><loc>a</loc></url><url><loc>b</loc><lastmod>2026-0", 2),
            ("<urlset><url><loc>a</loc><url><loc>b</loc></url></urlset>", 2),
            ("<urlset><url><loc>a<lastmod>2026-01-01</lastmod></url></urlset>", 1),
            ("<urlset><url></url><url><loc> </loc></url></urlset>", 0),
        ] {
            assert_eq!(all(xml).1.len(), count, "{xml}");
        }
        assert_eq!(all("<rss><channel><url><loc>a</loc></url></channel></rss>"), (None, Vec::new()));
    }
}
