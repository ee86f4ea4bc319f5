//! The theme: templates, texts and style sheets, and the engine that fills them.
//!
//! Owns: the built-in files, escaping, what went wrong in which template and line. Does not
//! own: what a page shows (`html`).
//!
//! Adding a page: 1 its template in `theme/` and in `TEMPLATES`; 2 its type in `html`; 3 a
//! method of [`Theme`] here; 4 its row in the tests of `html`.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::html::{
    ArticlePage, BotPage, CategoryPage, Frame, HomePage, IndexPage, MessagePage, SubscribePage,
};

/// Every built-in template under the name by which others refer to it.
pub(super) const TEMPLATES: [(&str, &str); 11] = [
    ("article.html", include_str!("theme/article.html")),
    ("base.html", include_str!("theme/base.html")),
    ("bot.html", include_str!("theme/bot.html")),
    ("category.html", include_str!("theme/category.html")),
    ("footer.html", include_str!("theme/footer.html")),
    ("header.html", include_str!("theme/header.html")),
    ("home.html", include_str!("theme/home.html")),
    ("index.html", include_str!("theme/index.html")),
    ("item.html", include_str!("theme/item.html")),
    ("message.html", include_str!("theme/message.html")),
    ("subscribe.html", include_str!("theme/subscribe.html")),
];
const STYLE_CSS: &str = include_str!("theme/style.css");
const FEED_CSS: &str = include_str!("theme/feed.css");

/// The languages the built-in texts are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Chinese,
    English,
}

impl Language {
    /// Chinese for every tag of that language, English for all others.
    pub(super) fn of(tag: &str) -> Self {
        match tag.get(..2) {
            Some(start) if start.eq_ignore_ascii_case("zh") => Self::Chinese,
            _ => Self::English,
        }
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Chinese => ("zh-CN.json", include_str!("theme/texts/zh-CN.json")),
            Self::English => ("en.json", include_str!("theme/texts/en.json")),
        }
    }
}

/// Why a theme cannot be used, or a page not be made.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// A template does not parse, or asks for something that the page does not have.
    #[error("template {name}, line {line}: the page cannot be made")]
    Template {
        /// The template at fault.
        name: String,
        /// Counted from 1; 0 where the engine does not say.
        line: usize,
        /// What the engine says.
        source: minijinja::Error,
    },
    /// A file of texts is not an object of strings.
    #[error("texts {name}: not a JSON object of strings")]
    Texts {
        /// The file at fault.
        name: String,
        /// What is wrong with it, and where.
        source: serde_json::Error,
    },
}

impl ThemeError {
    fn of_template(asked: &str, source: minijinja::Error) -> Self {
        let name = source.name().unwrap_or(asked).to_owned();
        Self::Template { name, line: source.line().unwrap_or(0), source }
    }
}

/// A set of templates with their texts in one language, ready to make pages.
#[derive(Debug)]
pub struct Theme {
    environment: Environment<'static>,
    texts: BTreeMap<String, String>,
    fingerprint: String,
}

impl Theme {
    /// The built-in theme: Chinese for tags that begin with `zh`, else English.
    ///
    /// # Errors
    /// When a template or the file of texts does not parse.
    pub fn built_in(language: &str) -> Result<Self, ThemeError> {
        let (name, texts) = Language::of(language).texts();
        Self::from_parts(&TEMPLATES, name, texts)
    }

    pub(super) fn from_parts(
        templates: &[(&'static str, &'static str)],
        texts_name: &str,
        texts_json: &str,
    ) -> Result<Self, ThemeError> {
        let texts: BTreeMap<String, String> = serde_json::from_str(texts_json)
            .map_err(|source| ThemeError::Texts { name: texts_name.to_owned(), source })?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_formatter(write_value);
        environment.add_global("t", Value::from(texts.clone()));
        for &(name, source) in templates {
            environment.add_template(name, source).map_err(|source| ThemeError::of_template(name, source))?;
        }
        let files = templates.iter().copied();
        let others = [(texts_name, texts_json), ("style.css", STYLE_CSS), ("feed.css", FEED_CSS)];
        Ok(Self { environment, texts, fingerprint: fingerprint(files.chain(others)) })
    }

    /// The style sheet of the pages.
    #[must_use]
    pub fn style_css(&self) -> &'static [u8] {
        STYLE_CSS.as_bytes()
    }

    /// The style sheet of a feed opened in a browser.
    #[must_use]
    pub fn feed_css(&self) -> &'static [u8] {
        FEED_CSS.as_bytes()
    }

    /// 16 hexadecimal digits over templates, texts and style sheets: part of the render
    /// fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// A text of the theme; empty where it has none under `key`.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.texts.get(key).map_or("", String::as_str)
    }

    /// The heading of a message page, for its title.
    #[must_use]
    pub fn message_heading(&self, status: u16) -> &str {
        self.text(&self.message_key(status, "heading"))
    }

    /// The home page.
    ///
    /// # Errors
    /// When the template asks for something that the page does not have.
    pub fn home(&self, frame: &Frame, page: &HomePage) -> Result<String, ThemeError> {
        self.render("home.html", frame, page)
    }

    /// The list of all categories.
    ///
    /// # Errors
    /// When the template asks for something that the page does not have.
    pub fn index(&self, frame: &Frame, page: &IndexPage) -> Result<String, ThemeError> {
        self.render("index.html", frame, page)
    }

    /// One page of a category's articles.
    ///
    /// # Errors
    /// When the template asks for something that the page does not have.
    pub fn category(&self, frame: &Frame, page: &CategoryPage) -> Result<String, ThemeError> {
        self.render("category.html", frame, page)
    }

    /// One article.
    ///
    /// # Errors
    /// When the template asks for something that the page does not have.
    pub fn article(&self, frame: &Frame, page: &ArticlePage) -> Result<String, ThemeError> {
        self.render("article.html", frame, page)
    }

    /// The page that explains feeds and lists them.
    ///
    /// # Errors
    /// When the template asks for something that the page does not have.
    pub fn subscribe(&self, frame: &Frame, page: &SubscribePage) -> Result<String, ThemeError> {
        self.render("subscribe.html", frame, page)
    }

    /// The page about the crawler.
    ///
    /// # Errors
    /// When the template asks for something that the page does not have.
    pub fn bot(&self, frame: &Frame, page: &BotPage) -> Result<String, ThemeError> {
        self.render("bot.html", frame, page)
    }

    /// An error, or another answer without a page of its own.
    ///
    /// # Errors
    /// When the template asks for something that the page does not have.
    pub fn message(&self, frame: &Frame, page: &MessagePage) -> Result<String, ThemeError> {
        let keyed = KeyedMessage {
            page,
            heading_key: self.message_key(page.status, "heading"),
            text_key: self.message_key(page.status, "text"),
        };
        self.render("message.html", frame, &keyed)
    }

    fn message_key(&self, status: u16, part: &str) -> String {
        let own = format!("message_{status}_{part}");
        if self.texts.contains_key(&own) { own } else { format!("message_error_{part}") }
    }

    fn render(&self, name: &str, frame: &Frame, page: &impl Serialize) -> Result<String, ThemeError> {
        let context = Value::from(Serde(Context { frame, page }));
        let template =
            self.environment.get_template(name).map_err(|source| ThemeError::of_template(name, source))?;
        let mut html = template.render(context).map_err(|source| ThemeError::of_template(name, source))?;
        html.push('\n');
        Ok(html)
    }
}

/// All that a template sees besides the texts.
#[derive(Serialize)]
struct Context<'a, P> {
    #[serde(flatten)]
    frame: &'a Frame,
    #[serde(flatten)]
    page: &'a P,
}

/// A message with the names of its texts, which depend on what the theme has.
#[derive(Serialize)]
struct KeyedMessage<'a> {
    #[serde(flatten)]
    page: &'a MessagePage,
    heading_key: String,
    text_key: String,
}

/// Every file counts with its name and length, so that text moved from one to another shows.
fn fingerprint<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut hash = Sha256::new();
    for part in files.flat_map(|(name, content)| [name, content]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    HEXLOWER.encode(&hash.finalize()[..8])
}

/// Replaces the engine's own formatter, which would write every `/` of an address as `&#x2f;`
/// and a missing value as `none`.
fn write_value(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if value.is_safe() => out.write_str(text)?,
        Some(text) => write_escaped(out, text)?,
        None if value.is_none() || value.is_undefined() => {}
        None => write_escaped(out, &value.to_string())?,
    }
    Ok(())
}

/// Escapes what has a meaning in HTML, and leaves out control characters, which it forbids.
fn write_escaped(out: &mut Output<'_>, text: &str) -> std::fmt::Result {
    let mut written = 0;
    for (at, found) in text.char_indices() {
        let instead = match found {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            '\t' | '\n' => continue,
            control if control.is_control() => "",
            _ => continue,
        };
        out.write_str(&text[written..at])?;
        out.write_str(instead)?;
        written = at + found.len_utf8();
    }
    out.write_str(&text[written..])
}
