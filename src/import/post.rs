//! Posts of an old Jekyll site: the first site's own, and those of any other blog.
//!
//! The first site wrote one file per article: front matter, then a digest (as a quote before the HTML, or
//! alone), the link between angle brackets and a footer with links back to the category. Such a post is
//! split into these parts; the text of any other post is kept unchanged.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::front_matter::{self, FrontMatter};
use body::{Footer, cut_footer, cut_link, cut_quote, has_tag};
use date::{read_date, read_day};

mod body;
mod date;
mod error;
mod paths;
#[cfg(test)]
mod tests;

pub use date::OldDate;
pub use error::PostError;
pub use paths::old_paths;

/// The slug of the rolling news, whose category is named by its whole tag.
const ROLLING_SLUG: &str = "emnews";

/// A post of the old site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldPost {
    /// The day in the file name.
    pub file_date: Option<NaiveDate>,
    /// The file name without day and extension; on the first site the infoCode.
    pub slug: String,
    /// The `slug` of the front matter, which Jekyll used in the address in place of the file's.
    pub front_slug: Option<String>,
    /// The title; if a general post has none, derived from the slug, as Jekyll did; empty if the site wrote `""`.
    pub title: String,
    /// The date of the front matter.
    pub date: OldDate,
    /// The categories, in the order of the address.
    pub categories: Vec<String>,
    /// The tags.
    pub tags: Vec<String>,
    /// The `permalink` of the front matter, with its placeholders.
    pub permalink: Option<String>,
    /// `false` for a draft (`published: false`), which was never served.
    pub published: bool,
    /// First site: the leading quote, or the whole text of a post without HTML.
    pub digest: Option<String>,
    /// The HTML, on the first site without digest, link and footer.
    pub body_html: Option<String>,
    /// The Markdown of another blog's post, not rendered.
    pub markdown: Option<String>,
    /// First site: the address between angle brackets; `None` for `<>`.
    pub link: Option<String>,
    /// First site: the category's name, from the footer, or else from the tag.
    pub category_name: Option<String>,
    /// First site: the category's slug from the link of the footer, with its spaces, or else from the front
    /// matter.
    pub category_slug: Option<String>,
}

/// Parses a post; `file_name` may be a path, of which the last part counts.
///
/// # Errors
/// A [`PostError`] if the bytes are not a post, the name has no slug or the date is unreadable.
pub fn parse_post(file_name: &str, bytes: &[u8]) -> Result<OldPost, PostError> {
    let name = FileName::read(file_name)?;
    let text = std::str::from_utf8(bytes).map_err(|error| PostError::NotUtf8 { at: error.valid_up_to() })?;
    let text = unify(text);
    let parts = front_matter::split(&text)?;
    let front = front_matter::read(parts.front, parts.line)?;
    let mut post = empty_post(&name, &front)?;
    post.title = title_of(&name, parts.front, front.title.as_deref());
    let (rest, footer) = cut_footer(parts.body);
    if footer.is_some() || is_info_code(name.slug) {
        post.name_category(footer.as_ref());
        post.take_apart(rest);
    } else if name.is_html {
        post.body_html = kept(parts.body);
    } else {
        // Spaces at the beginning of the first line make a code block.
        let text = parts.body.trim_start_matches('\n').trim_end();
        post.markdown = (!text.is_empty()).then(|| text.to_owned());
    }
    Ok(post)
}

/// Removes byte order mark and carriage returns.
fn unify(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) }
}

fn title_of(name: &FileName<'_>, front: &str, title: Option<&str>) -> String {
    if is_info_code(name.slug) {
        // An infoCode cannot serve as the title of a post without one.
        let title = front_matter::unescaped_title(front).or(title);
        return title.unwrap_or_default().trim().to_owned();
    }
    // For a post without title, Jekyll showed the slug in words.
    title.map_or_else(|| titleized(name.slug), |title| title.trim().to_owned())
}

fn empty_post(name: &FileName<'_>, front: &FrontMatter) -> Result<OldPost, PostError> {
    Ok(OldPost {
        file_date: name.date,
        slug: name.slug.to_owned(),
        front_slug: front.slug.as_deref().and_then(kept),
        title: String::new(),
        date: read_date(front.date.as_deref().unwrap_or_default())?,
        categories: front.all_categories(),
        tags: front.all_tags(),
        permalink: front.permalink.as_deref().and_then(kept),
        published: !matches!(
            front.published.as_deref().map(str::trim),
            Some("false" | "False" | "FALSE" | "no" | "off")
        ),
        digest: None,
        body_html: None,
        markdown: None,
        link: None,
        category_name: None,
        category_slug: None,
    })
}

impl OldPost {
    /// Sets the category's name and slug. A newspaper's tag is its name followed by 新闻; the tag of the
    /// rolling news is the name itself.
    fn name_category(&mut self, footer: Option<&Footer<'_>>) {
        // Jekyll split tag and slug at their spaces, but a post of the first site has only one category.
        let joined = |words: &[String]| kept(&words.join(" "));
        let slug = footer.and_then(|footer| kept(footer.slug)).or_else(|| joined(&self.categories));
        let tag = footer.and_then(|footer| kept(footer.tag)).or_else(|| joined(&self.tags));
        self.category_name = tag.map(|tag| match tag.strip_suffix("新闻") {
            Some(name) if !name.is_empty() && slug.as_deref() != Some(ROLLING_SLUG) => name.to_owned(),
            _ => tag,
        });
        self.category_slug = slug;
    }

    /// Sets digest, HTML and link of a first-site post from its text without the footer.
    fn take_apart(&mut self, text: &str) {
        let (text, link) = cut_link(text);
        self.link = link.and_then(kept);
        let (digest, rest) = cut_quote(text);
        self.digest = digest.as_deref().and_then(kept);
        if self.digest.is_none() && !has_tag(rest) {
            self.digest = kept(rest);
        } else {
            self.body_html = kept(rest);
        }
    }
}

/// Returns a trimmed copy, unless nothing is left.
fn kept(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The parts of a file name.
struct FileName<'a> {
    date: Option<NaiveDate>,
    slug: &'a str,
    is_html: bool,
}

impl<'a> FileName<'a> {
    fn read(file_name: &'a str) -> Result<Self, PostError> {
        let name = file_name.rsplit('/').next().unwrap_or(file_name);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let (date, slug) = match dated(stem) {
            Some((date, slug)) => (Some(date), slug),
            // The first site once wrote a post without its day but with the hyphen.
            None => (None, stem.strip_prefix('-').unwrap_or(stem)),
        };
        let slug = slug.trim_end_matches('.');
        if slug.is_empty() {
            return Err(PostError::FileName { name: name.to_owned() });
        }
        let is_html = ["html", "htm"].iter().any(|known| extension.eq_ignore_ascii_case(known));
        Ok(Self { date, slug, is_html })
    }
}

fn dated(stem: &str) -> Option<(NaiveDate, &str)> {
    let (day_end, _) = stem.match_indices('-').nth(2)?;
    let (day, slug) = stem.split_at_checked(day_end)?;
    Some((read_day(day)?, slug.strip_prefix('-')?))
}

/// Returns whether a slug is the key of an article on the first site: `NW` or nothing, then 18 digits.
fn is_info_code(slug: &str) -> bool {
    let digits = slug.strip_prefix("NW").unwrap_or(slug);
    digits.len() == 18 && digits.bytes().all(|b| b.is_ascii_digit())
}

fn titleized(slug: &str) -> String {
    let capitalized = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect()
        })
    };
    slug.split('-').map(capitalized).collect::<Vec<_>>().join(" ").trim().to_owned()
}
