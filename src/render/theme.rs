//! The theme: templates, texts and style sheets, and the engine that fills them.
//!
//! Owns: the built-in files, escaping, reporting a template's faults with their lines. Does not own: the data
//! of a page (`html`).
//!
//! Adding a page: 1 its template in `theme/` and in `TEMPLATES`; 2 its type in `html`, and a
//! sample of it in `html::samples`; 3 a method of [`Theme`] here, and its row in
//! `full_pages`; 4 its row in the tests of `html`.

mod error;

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::html::{
    ArticlePage, BotPage, CategoryPage, Frame, HomePage, IndexPage, MessagePage, StatusPage, SubscribePage,
    samples,
};

pub use error::ThemeError;

/// Every built-in template, under the name by which others refer to it.
pub(super) const TEMPLATES: [(&str, &str); 12] = [
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
    ("status.html", include_str!("theme/status.html")),
    ("subscribe.html", include_str!("theme/subscribe.html")),
];
const STYLE_CSS: &str = include_str!("theme/style.css");
const FEED_CSS: &str = include_str!("theme/feed.css");

/// The languages of the built-in texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Chinese,
    English,
}

impl Language {
    /// Returns Chinese for every tag of that language, English for all others.
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

/// The files of a theme by name; the built-in theme provides the rest.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ThemeParts {
    /// Name and bytes: templates (`*.html`), `texts.json`, `style.css`, `feed.css`, `colors.css` (added to
    /// the style sheet), and a logo.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl std::fmt::Debug for ThemeParts {
    /// Writes the number of files and their fingerprint: settings are compared by this output.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        f.debug_tuple("ThemeParts").field(&self.files.len()).field(&fingerprint(parts)).finish()
    }
}

/// A set of templates with their texts in one language, ready to make pages.
#[derive(Debug)]
pub struct Theme {
    environment: Environment<'static>,
    texts: BTreeMap<String, String>,
    style: Vec<u8>,
    feed_style: Vec<u8>,
    logo: Option<(String, Vec<u8>)>,
    fingerprint: String,
}

impl Theme {
    /// Creates the built-in theme: Chinese for tags that begin with `zh`, else English.
    ///
    /// # Errors
    /// When a template or the file of texts cannot be parsed.
    pub fn built_in(language: &str) -> Result<Self, ThemeError> {
        Self::with(&ThemeParts::default(), language)
    }

    /// Creates a theme of `parts`, with the built-in files for the rest, and tries it on every kind of page.
    ///
    /// # Errors
    /// When a part does not parse, a template asks for something that its page does not have, or a file has an
    /// unknown name.
    pub fn with(parts: &ThemeParts, language: &str) -> Result<Self, ThemeError> {
        parts.files.keys().try_for_each(|name| known_part(name))?;
        let text = |name: &str| parts.files.get(name).map(|bytes| utf8(name, bytes)).transpose();
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_formatter(write_value);
        let texts = texts(language, text("texts.json")?.as_deref())?;
        environment.add_global("t", Value::from(texts.clone()));
        let mut templates: BTreeMap<String, String> =
            TEMPLATES.iter().map(|(name, source)| ((*name).to_owned(), (*source).to_owned())).collect();
        for (name, bytes) in parts.files.iter().filter(|(name, _)| is_template(name)) {
            templates.insert(name.clone(), utf8(name, bytes)?);
        }
        for (name, source) in templates {
            let added = environment.add_template_owned(name.clone(), source);
            added.map_err(|source| ThemeError::of_template(&name, source))?;
        }
        let mut style = text("style.css")?.unwrap_or_else(|| STYLE_CSS.to_owned());
        style.push_str(&text("colors.css")?.unwrap_or_default());
        let logo = parts.files.iter().find(|(name, _)| name.starts_with("logo."));
        let built_in = TEMPLATES.iter().map(|(name, text)| (*name, text.as_bytes()));
        let own = parts.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let (name, json) = Language::of(language).texts();
        let others = [(name, json), ("style.css", STYLE_CSS), ("feed.css", FEED_CSS)];
        let theme = Self {
            fingerprint: fingerprint(
                built_in.chain(others.map(|(name, text)| (name, text.as_bytes()))).chain(own),
            ),
            environment,
            texts,
            style: style.into_bytes(),
            feed_style: text("feed.css")?.unwrap_or_else(|| FEED_CSS.to_owned()).into_bytes(),
            logo: logo.map(|(name, bytes)| (name.clone(), bytes.clone())),
        };
        if !parts.files.is_empty() {
            theme.try_out()?;
        }
        Ok(theme)
    }

    /// Renders every kind of page, once with all optional parts and once with none.
    fn try_out(&self) -> Result<(), ThemeError> {
        let frame = Frame::default();
        self.full_pages("")?;
        self.home(&frame, &HomePage::default())?;
        self.index(&frame, &IndexPage::default())?;
        self.category(&frame, &CategoryPage::default())?;
        self.article(&frame, &ArticlePage::default())?;
        self.subscribe(&frame, &SubscribePage::default())?;
        self.bot(&frame, &BotPage::default())?;
        self.status(&frame, &StatusPage::default())?;
        self.message(&frame, &MessagePage::default())?;
        Ok(())
    }

    /// Renders every kind of page with all optional parts, and `text` in all of them.
    pub(super) fn full_pages(&self, text: &str) -> Result<[(&'static str, String); 8], ThemeError> {
        let frame = samples::frame(text);
        Ok([
            ("home", self.home(&frame, &samples::home_page(text))?),
            ("index", self.index(&frame, &samples::index_page(text))?),
            ("category", self.category(&frame, &samples::category_page(text))?),
            ("article", self.article(&frame, &samples::article_page(text))?),
            ("subscribe", self.subscribe(&frame, &samples::subscribe_page(text))?),
            ("status", self.status(&frame, &samples::status_page(text))?),
            ("bot", self.bot(&frame, &samples::bot_page(text))?),
            ("message", self.message(&frame, &samples::message_page(404, text))?),
        ])
    }

    /// Returns the style sheet of the pages.
    #[must_use]
    pub fn style_css(&self) -> &[u8] {
        &self.style
    }

    /// Returns the style sheet of a feed opened in a browser.
    #[must_use]
    pub fn feed_css(&self) -> &[u8] {
        &self.feed_style
    }

    /// Returns the logo: the name of its file, and its bytes.
    #[must_use]
    pub fn logo(&self) -> Option<(&str, &[u8])> {
        self.logo.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// Returns 16 hexadecimal digits over templates, texts and style sheets, a part of the render fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns a text of the theme; empty if there is none under `key`.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.texts.get(key).map_or("", String::as_str)
    }

    /// Returns the heading of a message page, for its title.
    #[must_use]
    pub fn message_heading(&self, status: u16) -> &str {
        self.text(&self.message_key(status, "heading"))
    }

    /// Renders the home page.
    ///
    /// # Errors
    /// When the template refers to data that the page does not have.
    pub fn home(&self, frame: &Frame, page: &HomePage) -> Result<String, ThemeError> {
        self.render("home.html", frame, page)
    }

    /// Renders the list of all categories.
    ///
    /// # Errors
    /// When the template refers to data that the page does not have.
    pub fn index(&self, frame: &Frame, page: &IndexPage) -> Result<String, ThemeError> {
        self.render("index.html", frame, page)
    }

    /// Renders one page of a category's articles.
    ///
    /// # Errors
    /// When the template refers to data that the page does not have.
    pub fn category(&self, frame: &Frame, page: &CategoryPage) -> Result<String, ThemeError> {
        self.render("category.html", frame, page)
    }

    /// Renders the page of one article.
    ///
    /// # Errors
    /// When the template refers to data that the page does not have.
    pub fn article(&self, frame: &Frame, page: &ArticlePage) -> Result<String, ThemeError> {
        self.render("article.html", frame, page)
    }

    /// Renders the page that explains feeds and lists them.
    ///
    /// # Errors
    /// When the template refers to data that the page does not have.
    pub fn subscribe(&self, frame: &Frame, page: &SubscribePage) -> Result<String, ThemeError> {
        self.render("subscribe.html", frame, page)
    }

    /// Renders the page about the crawler.
    ///
    /// # Errors
    /// When the template refers to data that the page does not have.
    pub fn bot(&self, frame: &Frame, page: &BotPage) -> Result<String, ThemeError> {
        self.render("bot.html", frame, page)
    }

    /// Renders the status page.
    ///
    /// # Errors
    /// When the template refers to data that the page does not have.
    pub fn status(&self, frame: &Frame, page: &StatusPage) -> Result<String, ThemeError> {
        self.render("status.html", frame, page)
    }

    /// Renders an error page, or another answer without a page of its own.
    ///
    /// # Errors
    /// When the template refers to data that the page does not have.
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

/// The data that a template gets besides the texts.
#[derive(Serialize)]
struct Context<'a, P> {
    #[serde(flatten)]
    frame: &'a Frame,
    #[serde(flatten)]
    page: &'a P,
}

/// A message with the keys of its texts, which depend on the texts of the theme.
#[derive(Serialize)]
struct KeyedMessage<'a> {
    #[serde(flatten)]
    page: &'a MessagePage,
    heading_key: String,
    text_key: String,
}

/// The files that a theme may have besides templates.
const PARTS: [&str; 10] = [
    "texts.json",
    "style.css",
    "colors.css",
    "feed.css",
    "logo.svg",
    "logo.png",
    "logo.webp",
    "logo.jpg",
    "logo.gif",
    "logo.ico",
];

fn is_template(name: &str) -> bool {
    name.strip_suffix(".html").is_some_and(|stem| !stem.is_empty())
}

fn known_part(name: &str) -> Result<(), ThemeError> {
    if is_template(name) || PARTS.contains(&name) {
        return Ok(());
    }
    let what = "a theme has no such file; did you mean".to_owned();
    let nearest = nearest(name, PARTS.into_iter());
    Err(ThemeError::Unknown { name: name.to_owned(), what, nearest })
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let likeness = |other: &&str| (strsim::jaro_winkler(name, other) * 1_000_000.0).round();
    known
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)).then_with(|| b.cmp(a)))
        .unwrap_or_default()
        .to_owned()
}

fn utf8(name: &str, bytes: &[u8]) -> Result<String, ThemeError> {
    match std::str::from_utf8(bytes) {
        // A byte-order mark is not part of the text.
        Ok(text) => Ok(text.trim_start_matches('\u{feff}').to_owned()),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            Err(ThemeError::NoText { name: name.to_owned(), line })
        }
    }
}

/// Returns the texts of the built-in theme, by their keys.
#[must_use]
pub fn built_in_texts(language: &str) -> BTreeMap<String, String> {
    // They are compiled in, and a test parses them.
    texts(language, None).unwrap_or_default()
}

/// Returns the texts of a language, some of them replaced by `own`.
fn texts(language: &str, own: Option<&str>) -> Result<BTreeMap<String, String>, ThemeError> {
    let read = |name: &str, json: &str| -> Result<BTreeMap<String, String>, ThemeError> {
        serde_json::from_str(json).map_err(|source| ThemeError::Texts { name: name.to_owned(), source })
    };
    let (name, json) = Language::of(language).texts();
    let mut texts = read(name, json)?;
    for (key, text) in own.map(|own| read("texts.json", own)).transpose()?.into_iter().flatten() {
        if !texts.contains_key(&key) && !key.starts_with("message_") {
            let nearest = nearest(&key, texts.keys().map(String::as_str));
            let what = format!("there is no text `{key}`; did you mean");
            return Err(ThemeError::Unknown { name: "texts.json".to_owned(), what, nearest });
        }
        texts.insert(key, text);
    }
    Ok(texts)
}

/// Hashes every file with its name and length, so that text moved from one to another changes the result.
fn fingerprint<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hash = Sha256::new();
    for part in files.flat_map(|(name, content)| [name.as_bytes(), content]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    HEXLOWER.encode(&hash.finalize()[..8])
}

/// Writes a value in place of the engine's own formatter, which would write every `/` of an address as
/// `&#x2f;` and a missing value as `none`.
fn write_value(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if value.is_safe() => out.write_str(text)?,
        Some(text) => write_escaped(out, text)?,
        None if value.is_none() || value.is_undefined() => {}
        None => write_escaped(out, &value.to_string())?,
    }
    Ok(())
}

/// Writes text with the characters of HTML markup escaped, and without control characters, which it forbids.
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
