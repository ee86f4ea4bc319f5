//! Cleans upstream HTML into HTML that any reader may show. The rules of a source run first on the tree, then
//! `ammonia` sanitises by the list in `allowed`. `players` turns embedded players into links, `attribution`
//! finds the original newspaper, and `stable` checks whether another cleaning would change anything.

mod allowed;
mod attribution;
mod players;
mod stable;

use std::borrow::Cow;

use ammonia::Builder;
use dom_query::{Document, Matcher, NodeRef};
use url::Url;

use super::{link, pictures, text};
use crate::model::nesting;
use crate::model::text::strip_illegal;

pub use attribution::Attribution;
pub use players::VIDEO_HOSTS;

/// The rules of a source's config for its HTML.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CleanRules {
    /// CSS selectors of elements to drop with their contents.
    pub drop: Vec<String>,
    /// CSS selectors of elements to replace by their contents.
    pub unwrap: Vec<String>,
    /// Classes that stay on their elements.
    pub keep_classes: Vec<String>,
    /// Text to remove wherever it occurs, such as an indent of ideographic spaces.
    pub strip: Vec<String>,
    /// The pattern of the newspaper that the text names as its origin.
    pub attribution: Option<Attribution>,
    /// Hosts whose players become links; `None` = [`VIDEO_HOSTS`].
    pub video_hosts: Option<Vec<String>>,
    /// Whether links lose the parameters that only track readers (`utm_…`, `fbclid`).
    pub strip_tracking: bool,
}

/// An upstream text after cleaning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Safe HTML; every address in it is absolute.
    pub html: String,
    /// Its text on one line.
    pub text: String,
    /// The newspaper that it names as its origin.
    pub media_name: Option<String>,
    /// The address of the first picture, if it is an HTTP one.
    pub image: Option<String>,
}

/// The error for a rule that is not a CSS selector.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
#[error("`{selector}` is not a CSS selector")]
pub struct BadSelector {
    /// The rule as written.
    pub selector: String,
}

/// The most times that one text is cleaned before it is reduced to plain text.
const MAX_PASSES: usize = 8;
/// The most times longer that a text may get. Pictures get attributes and links addresses, but a link with a
/// long title that is never closed is opened anew in every block; such a text is reduced to plain text.
const MOST_GROWTH: usize = 40;

/// The rules of one source, compiled once.
pub struct Cleaner {
    /// The rules as given, for `Debug` and `PartialEq`.
    rules: CleanRules,
    drop: Vec<Matcher>,
    unwrap: Vec<Matcher>,
    strip: Vec<String>,
    attribution: Option<Attribution>,
    sanitiser: Builder<'static>,
    attributes: Matcher,
    hidden: Matcher,
    paragraphs: Matcher,
    breaks: Matcher,
    frames: Matcher,
    pictures: Matcher,
    video_hosts: Vec<String>,
    strip_tracking: bool,
}

impl std::fmt::Debug for Cleaner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cleaner").field(&self.rules).finish()
    }
}

impl PartialEq for Cleaner {
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules
    }
}

impl Default for Cleaner {
    fn default() -> Self {
        Self::with(Vec::new(), Vec::new(), &CleanRules::default())
    }
}

impl Cleaner {
    /// Compiles the rules.
    ///
    /// # Errors
    /// [`BadSelector`] for the first rule that is not CSS.
    pub fn new(rules: &CleanRules) -> Result<Self, BadSelector> {
        let all = |list: &[String]| list.iter().map(|s| matcher(s)).collect::<Result<Vec<_>, _>>();
        Ok(Self::with(all(&rules.drop)?, all(&rules.unwrap)?, rules))
    }

    fn with(drop: Vec<Matcher>, unwrap: Vec<Matcher>, rules: &CleanRules) -> Self {
        Self {
            rules: rules.clone(),
            drop,
            unwrap,
            strip: rules.strip.clone(),
            attribution: rules.attribution.clone(),
            sanitiser: allowed::sanitiser(&rules.keep_classes),
            attributes: constant("[href], [src], [srcset], [poster], [cite]"),
            hidden: constant("[hidden], [style*='display:none'], [style*='display: none']"),
            paragraphs: constant("p"),
            breaks: constant("p:has(> br)"),
            frames: constant("iframe"),
            pictures: constant("img"),
            video_hosts: rules
                .video_hosts
                .clone()
                .unwrap_or_else(|| VIDEO_HOSTS.iter().map(|&host| host.to_owned()).collect()),
            strip_tracking: rules.strip_tracking,
        }
    }

    /// Returns an item's own link, without tracking parameters if the rules strip them.
    #[must_use]
    pub fn link(&self, link: &str) -> String {
        if self.strip_tracking { link::without_tracking(link).into_owned() } else { link.to_owned() }
    }

    /// Cleans one text; `base` resolves its relative addresses.
    #[must_use]
    pub fn clean(&self, html: &str, base: Option<&Url>) -> Cleaned {
        let mut source = Cow::Borrowed(html.trim());
        for unwanted in &self.strip {
            source = Cow::Owned(source.replace(unwanted.as_str(), ""));
        }
        let mut cleaned = self.clean_once(&source, base);
        if !stable::is_stable(&cleaned.html) {
            cleaned.html = self.until_stable(&cleaned.html, base);
            cleaned.text = text::html_to_text(&cleaned.html);
        }
        if cleaned.html.len() > MOST_GROWTH * source.len() + 1_024 {
            cleaned.html = self.plain(&cleaned.html, base);
            cleaned.text = text::html_to_text(&cleaned.html);
        }
        cleaned
    }

    /// Returns the newspaper that a text names as its origin.
    fn media_name(&self, text: &str) -> Option<String> {
        self.attribution.as_ref()?.name(text)
    }

    /// Cleans until nothing changes any more.
    ///
    /// Odd nesting may come apart only when the result is parsed again, which leaves more to tidy. A text
    /// that never becomes stable is reduced to plain text.
    fn until_stable(&self, html: &str, base: Option<&Url>) -> String {
        let mut last = Cow::Borrowed(html);
        for _ in 1..MAX_PASSES {
            let again = self.clean_once(&last, base).html;
            if again == *last {
                return again;
            }
            last = Cow::Owned(again);
        }
        self.plain(&last, base)
    }

    /// Returns the plain text of `html` as one paragraph.
    fn plain(&self, html: &str, base: Option<&Url>) -> String {
        let plain = ammonia::clean_text(&text::html_to_text(html));
        self.clean_once(&format!("<p>{plain}</p>"), base).html
    }

    fn clean_once(&self, source: &str, base: Option<&Url>) -> Cleaned {
        // Only after the stripping, which may join pieces into a tag.
        let source = nesting::bounded(source);
        let document = Document::fragment(source.as_ref());
        self.apply_rules(&document);
        players::to_links(&document, &self.frames, &self.video_hosts, base);
        pictures::resolve(&document, base);
        allowed::reduce(&document);
        self.tidy(&document);
        for node in document.select_matcher(&self.attributes).nodes() {
            make_absolute(node, base);
            if self.strip_tracking
                && let Some(href) = node.attr("href")
            {
                node.set_attr("href", &link::without_tracking(&href));
            }
        }
        let pictures = document.select_matcher(&self.pictures);
        for picture in pictures.nodes() {
            // Set here and not by the sanitiser, whose order of attributes differs from process to process.
            picture.remove_attrs(&["loading", "referrerpolicy"]);
            picture.set_attr("loading", "lazy");
            picture.set_attr("referrerpolicy", "no-referrer");
        }
        let html = self.sanitiser.clean(&document.html()).to_string();
        let html = strip_illegal(&html).trim().to_owned();
        let text = text::html_to_text(&html);
        let media_name = self.media_name(&text);
        let image = pictures.nodes().iter().find_map(|picture| picture.attr("src"));
        let image = image.map(|src| src.to_string()).filter(|src| src.starts_with("http"));
        Cleaned { html, text, media_name, image }
    }

    fn apply_rules(&self, document: &Document) {
        for rule in &self.drop {
            document.select_matcher(rule).remove();
        }
        document.select_matcher(&self.hidden).remove();
        for rule in &self.unwrap {
            // The allow-list has no `span`, so each is replaced by its contents.
            document.select_matcher(rule).rename("span");
        }
    }

    /// Removes empty paragraphs, and line breaks at the end of paragraphs.
    fn tidy(&self, document: &Document) {
        for paragraph in document.select_matcher(&self.breaks).nodes() {
            drop_last_breaks(paragraph);
        }
        // Inner paragraphs come first: removing one may leave its parent empty.
        for node in document.select_matcher(&self.paragraphs).nodes().iter().rev() {
            if node.element_children().is_empty() && node.text().trim().is_empty() {
                node.remove_from_parent();
            }
        }
    }
}

/// Removes the line breaks at the end of a paragraph, which show nothing.
fn drop_last_breaks(paragraph: &NodeRef<'_>) {
    let mut last = paragraph.last_child();
    while let Some(node) = last {
        last = node.prev_sibling();
        if node.node_name().as_deref() == Some("br") {
            node.remove_from_parent();
        } else if !node.is_text() || !node.text().trim().is_empty() {
            return;
        }
    }
}

fn constant(selector: &'static str) -> Matcher {
    Matcher::new(selector).expect("a constant that the tests run")
}

fn matcher(selector: &str) -> Result<Matcher, BadSelector> {
    Matcher::new(selector).map_err(|_| BadSelector { selector: selector.to_owned() })
}

/// Makes the address in each attribute of `node` absolute; removes an attribute whose address cannot be.
fn make_absolute(node: &NodeRef<'_>, base: Option<&Url>) {
    for name in ["href", "src", "poster", "cite"] {
        if let Some(value) = node.attr(name) {
            if name == "href" && value.trim_start().to_ascii_lowercase().starts_with("mailto:") {
                continue;
            }
            match link::absolute(&value, base) {
                Some(url) => node.set_attr(name, &url),
                None => node.remove_attr(name),
            }
        }
    }
    if let Some(value) = node.attr("srcset") {
        let candidates: Vec<String> = pictures::sizes(&value)
            .into_iter()
            .filter_map(|(url, size)| {
                Some(format!("{} {size}", link::absolute(url, base)?).trim_end().to_owned())
            })
            .collect();
        if candidates.is_empty() {
            node.remove_attr("srcset");
        } else {
            node.set_attr("srcset", &candidates.join(", "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cleaner(rules: &CleanRules) -> Cleaner {
        Cleaner::new(rules).unwrap()
    }

    fn clean(html: &str) -> String {
        let base = Url::parse("https://a.example/x/y.html").unwrap();
        cleaner(&CleanRules::default()).clean(html, Some(&base)).html
    }

    #[test]
    fn what_is_kept_and_what_goes() {
        for (html, want) in [
            ("<p>一</p>\n <p>二</p>", "<p>一</p>\n <p>二</p>"),
            ("<p onclick=x style='a' class=c id=i>一</p>", "<p>一</p>"),
            ("<script>x</script><iframe src=x></iframe><p>一</p>", "<p>一</p>"),
            (
                "<iframe src='//player.vimeo.com/video/7' onload=x>no frames</iframe><p>一</p>",
                "<a href=\"https://vimeo.com/7\" rel=\"noopener noreferrer\">https://vimeo.com/7</a><p>一</p>",
            ),
            ("<p style=\"display:none;height:1px\"><br /></p><p>一</p>", "<p>一</p>"),
            ("<!-- c --><p>一<br /></p>", "<p>一</p>"),
            ("<p>一<br> <br></p><p><br><br></p><p><span></span></p>", "<p>一 </p>"),
            ("<p>《&lt;议定书&gt;》</p>", "<p>《&lt;议定书&gt;》</p>"),
            ("<a href='javascript:x'>一</a>", "<a rel=\"noopener noreferrer\">一</a>"),
            ("<a href='../z'>一</a>", "<a href=\"https://a.example/z\" rel=\"noopener noreferrer\">一</a>"),
            ("<p>a&#1;b\u{b}c</p>", "<p>abc</p>"),
        ] {
            assert_eq!(clean(html), want, "{html}");
        }
        assert!(clean("<img data-src=/p.jpg>").contains("src=\"https://a.example/p.jpg\""));
        assert!(
            clean("<img src=x srcset='/a.jpg 1x, /b.jpg 2x'>")
                .contains("srcset=\"https://a.example/a.jpg 1x, https://a.example/b.jpg 2x\"")
        );
    }

    #[test]
    fn rules_of_a_source() {
        let rules = CleanRules {
            drop: vec!["p:has(a.chart)".to_owned()],
            unwrap: vec!["a.tip".to_owned()],
            keep_classes: vec!["em".to_owned()],
            strip: vec!["　　".to_owned()],
            attribution: Some(Attribution::Own(regex::Regex::new("（来源：(.+?)）").unwrap().into())),
            ..CleanRules::default()
        };
        let html = "<p>　　一<span id=s><a class=tip href=http://x.example>二</a></span><span></span></p>\
                    <p><a class=chart href=http://x.example><img src=http://x.example/k></a></p>\
                    <p class='em other'>（来源：上海<a class=tip>证券</a>报）</p>";
        let cleaned = cleaner(&rules).clean(html, None);
        assert_eq!(cleaned.html, "<p>一二</p><p class=\"em\">（来源：上海证券报）</p>");
        assert_eq!(cleaned.media_name.as_deref(), Some("上海证券报"));
        assert_eq!(cleaned.image, None);
        assert!(Cleaner::new(&CleanRules { drop: vec!["p[".to_owned()], ..CleanRules::default() }).is_err());
    }

    #[test]
    fn players_and_tracking_by_rule() {
        let rules = CleanRules {
            video_hosts: Some(vec!["films.example".to_owned()]),
            strip_tracking: true,
            ..CleanRules::default()
        };
        let cleaner = cleaner(&rules);
        let html = "<iframe data-src=https://a.films.example/p?id=1></iframe>\
                    <iframe src=https://player.vimeo.com/video/7></iframe>\
                    <a href='https://x.example/?utm_source=a&amp;id=2'>二</a>";
        assert_eq!(
            cleaner.clean(html, None).html,
            "<a href=\"https://a.films.example/p?id=1\" rel=\"noopener noreferrer\">https://a.films.example/p?id=1</a>\
             <a href=\"https://x.example/?id=2\" rel=\"noopener noreferrer\">二</a>"
        );
        assert_eq!(cleaner.link("https://x.example/n?utm_medium=rss"), "https://x.example/n");
    }

    proptest! {
        #[test]
        fn cleaning_articles_is_idempotent(
            html in "(<p>TEXT{0,4}</p>|<p class=\"c\" style=\"x\">TEXT{0,3}</p>|<p title=\"t\">TEXT{0,3}</p>|\n|二|<ul><li>TEXT{0,2}</li> </ul>|<pre>\n?四</pre>|<h2>TEXT?</h2>|<table><tbody><tr><td align=\"left\">TEXT?</td></tr></tbody></table>|<div>|</div>|<span>|</span>|<blockquote>|</blockquote>|<hr>|<i>|</i>){0,12}"
                .replace("TEXT", "(一|b |&amp;|&nbsp;| |&mdash;|\u{A0}|>|<br>|<br />|<br >|<b >一</b>|<b>一</b>|<b> </b>|<a>w</a>|<a href=\"x\">y</a>|<a href=\"http://x.example/a?utm_source=b\" title=\"t\" rel=\"x\">y</a>|<a title=\"a\"> </a>|<img src=\"/y\" alt=\"\">|<img src=\"http://x.example/a\" alt=\"一\" width=\"6\" class=\"d\" />|<img src=\"data:,x\">|<img alt=\"&quot;\">|<span class=\"c\">z</span>|<span> </span>|<span><b></b></span>|<span style=\"display:none\">h</span>)")
                .as_str(),
            strip_tracking: bool,
            classes: bool,
        ) {
            let keep_classes = if classes { vec!["c".to_owned()] } else { Vec::new() };
            let cleaner = cleaner(&CleanRules { keep_classes, strip_tracking, ..CleanRules::default() });
            let base = Url::parse("https://a.example/x/y.html").unwrap();
            let once = cleaner.clean(&html, Some(&base)).html;
            prop_assert_eq!(cleaner.clean(&once, Some(&base)).html, once);
        }

        #[test]
        fn cleaning_odd_spellings_is_idempotent(html in "<p>(</?(p|b|a|br|img|span|td|hr)( {0,2}(title|href|src|class|style|alt)(=\"(x|http://x.example/y| |>|<|&|'|\u{A0}|:){0,3}\")?){0,2} ?/?>|<br>|<b>一</b>|二|[<>/ =\"'&;]|&amp;){0,6}</p>") {
            let once = clean(&html);
            prop_assert_eq!(clean(&once), once);
        }

        #[test]
        fn cleaning_is_idempotent(html in "(<(p|b|div|a href='x'|img src='/y'|ul|li|table|td|br)>|</(p|b|div|ul|li|table)>|[a-z &;<>\"']|&lt;|一){0,40}") {
            let once = clean(&html);
            prop_assert_eq!(clean(&once), once);
        }
    }
}
