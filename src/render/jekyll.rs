//! Renders one article as a Jekyll post: front matter, digest, body, link, footer.
//!
//! Jekyll executes its input: Liquid first, then kramdown with its attribute lists (RULES 7). So nothing from
//! upstream may reach it as anything but text or inert HTML blocks. The theme must still apply Liquid's
//! `escape` to `page.title`, which is plain text.

mod blocks;
mod front_matter;
mod markdown;
mod markup;
#[cfg(test)]
mod tests;

use chrono::DateTime;
use chrono_tz::Tz;

use crate::model::Timestamp;
use crate::model::text;

/// The config's settings of Jekyll output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JekyllStyle {
    /// Time zone of `date:` and of the day in a file's name.
    pub zone: Tz,
    /// Text that follows a category's name in its tag, such as `新闻`.
    pub tag_suffix: String,
    /// Markdown under each post, with `{tag}`, `{name}` and `{slug}`; empty for none.
    pub footer: String,
    /// `layout:` of a post.
    pub layout: String,
}

/// One article to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JekyllPost<'a> {
    /// Plain text.
    pub title: &'a str,
    /// First publication.
    pub published: Timestamp,
    /// Slug of its category.
    pub slug: &'a str,
    /// Name of its category.
    pub name: &'a str,
    /// Its tag, if that is not the name and the suffix.
    pub tag: Option<&'a str>,
    /// Plain text.
    pub digest: Option<&'a str>,
    /// Sanitised HTML.
    pub html: &'a str,
    /// The original article, absolute.
    pub link: Option<&'a str>,
}

/// Returns the name of a post's file: the day of its publication in `zone`, and its code, which must be
/// valid in a file name already (RULES 5.1).
#[must_use]
pub fn file_name(published: Timestamp, zone: Tz, info_code_file_name: &str) -> String {
    format!("{}-{info_code_file_name}.md", local(published, zone).format("%Y-%m-%d"))
}

/// Renders a post, without a newline at its end.
#[must_use]
pub fn render(post: &JekyllPost<'_>, style: &JekyllStyle) -> String {
    let tag = tag_of(post.name, post.tag, style);
    let digest = line(post.digest.unwrap_or_default());
    let parts = [
        if digest.is_empty() { digest } else { format!("> {}", markdown::escape(&digest)) },
        blocks::inert(post.html),
        post.link.and_then(markdown::address).unwrap_or_default(),
        footer(&tag, post, style),
    ];
    let body: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!(
        "---\nlayout: {}\ntitle: {}\ndate: {}\ncategories: {}\ntags: {}\n---\n{}",
        front_matter::scalar(&line(&style.layout)),
        front_matter::quoted(&line(post.title)),
        local(post.published, style.zone).format("%Y-%m-%d %H:%M:%S %z"),
        front_matter::one_label(&line(post.slug)),
        front_matter::one_label(&tag),
        body.join("\n\n"),
    )
}

/// Renders the page of a category: front matter only, since its layout lists the posts.
#[must_use]
pub fn category_page(name: &str, slug: &str, tag: Option<&str>, style: &JekyllStyle) -> String {
    format!(
        "---\nlayout: category\ntitle: {}\ncategory: {}\n---\n",
        front_matter::scalar(&tag_of(name, tag, style)),
        front_matter::scalar(&line(slug)),
    )
}

fn tag_of(name: &str, tag: Option<&str>, style: &JekyllStyle) -> String {
    line(&tag.map_or_else(|| format!("{name}{}", style.tag_suffix), str::to_owned))
}

/// Fills the footer's template. The values never contain a `{`, so no value can be taken for the next
/// placeholder.
fn footer(tag: &str, post: &JekyllPost<'_>, style: &JekyllStyle) -> String {
    style
        .footer
        .trim_end()
        .replace("{tag}", &markdown::escape(tag))
        .replace("{name}", &markdown::escape(&line(post.name)))
        .replace("{slug}", &markdown::path_segment(&line(post.slug)))
}

fn local(at: Timestamp, zone: Tz) -> DateTime<Tz> {
    at.to_utc().with_timezone(&zone)
}

/// Returns the text on one line, without characters that YAML forbids; libyaml also refuses U+FEFF.
fn line(raw: &str) -> String {
    let legal: String = raw.chars().filter(|c| text::is_xml_char(*c) && *c != '\u{FEFF}').collect();
    text::one_line(&legal)
}
