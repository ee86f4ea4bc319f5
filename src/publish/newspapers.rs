//! Pages about all newspapers: the index and its search, the page about subscribing, OPML.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use unicode_normalization::UnicodeNormalization;

use super::combined;
use super::keys::{file, key};
use super::pages::{Names, Pages};
use crate::model::slug::{initial, initials};
use crate::model::{Category, Slug};
use crate::render::html::{
    IndexPage, LetterGroup, ListedCategory, NamedLink, ShownFeed, Subscribable, SubscribePage, ThemeError,
    machine_day, shown_day,
};
use crate::render::opml::{self, Outline};
use crate::render::qr;
use crate::sink::{FeedFormat, File, OutputKey};

/// Feed readers that subscribe with one click: their names and the prefixes of their addresses, to which the
/// feed's address is added in percent-encoding. The nameless one is the reader of this device.
const READERS: [(&str, &str); 5] = [
    ("", "feed:"),
    ("Inoreader", "https://www.inoreader.com/?add_feed="),
    ("Feedly", "https://feedly.com/i/subscription/feed%2F"),
    ("NewsBlur", "https://www.newsblur.com/?url="),
    ("The Old Reader", "https://theoldreader.com/feeds/subscribe?url="),
];

impl Pages {
    /// Renders the index of all categories, or of those that `query` finds by name, pinyin or initials.
    ///
    /// # Errors
    /// [`ThemeError`].
    pub fn index(&self, names: &Names, query: &str) -> Result<String, ThemeError> {
        let query = query.trim();
        let wanted = folded(query);
        let mut sorted: Vec<&Category> =
            names.values().filter(|category| wanted.is_empty() || matches(category, &wanted)).collect();
        sorted.sort_by_key(|category| (initial(&category.slug) == '#', &category.slug));
        let found = (!query.is_empty()).then_some(sorted.len());
        let mut groups: Vec<LetterGroup> = Vec::new();
        for category in sorted {
            let letter = initial(&category.slug).to_string();
            if groups.last().is_none_or(|group| group.letter != letter) {
                groups.push(LetterGroup { letter, categories: Vec::new() });
            }
            if let Some(group) = groups.last_mut() {
                group.categories.push(self.listed(category));
            }
        }
        let mut head = self.head(self.theme.text("index_heading").to_owned(), &OutputKey::Index, None);
        if found.is_some() {
            head.robots = Some("noindex".to_owned());
        }
        let query = query.to_owned();
        let page = IndexPage { page: head, feeds: self.feed_links(None), groups, query, found };
        self.theme.index(&self.frame, &page)
    }

    /// Returns a category's line in the index. It has the day of the newest article and not the minute, so that
    /// not every article changes the whole index.
    pub(super) fn listed(&self, category: &Category) -> ListedCategory {
        let site = &self.options.site;
        ListedCategory {
            url: self.url(&OutputKey::Category(category.slug.clone())),
            name: category.name.clone(),
            newest_iso: category.newest.map(|at| machine_day(at, site.zone)),
            newest_text: category.newest.map(|at| shown_day(at, site.zone, &site.language)),
        }
    }

    /// Renders the page that explains feeds and lists them.
    pub(super) fn subscribe(&self, names: &Names) -> Result<String, ThemeError> {
        let site = FeedFormat::ALL.map(|format| self.shown_feed(&OutputKey::SiteFeed(format), format));
        let papers = sorted(names).map(|category| Subscribable {
            name: category.name.clone(),
            slug: category.slug.to_string(),
            url: self.url(&OutputKey::Category(category.slug.clone())),
            feeds: self.feeds_shown(category),
            code_url: Some(self.url(&OutputKey::Code(category.slug.clone()))),
        });
        let page = SubscribePage {
            page: self.head(self.theme.text("subscribe_heading").to_owned(), &OutputKey::Subscribe, None),
            feeds: self.feed_links(None),
            feeds_shown: site.into(),
            readers: self.readers_of(&OutputKey::SiteFeed(FeedFormat::Atom)),
            papers: papers.collect(),
        };
        self.theme.subscribe(&self.frame, &page)
    }

    /// Renders a list of feeds as OPML: of all categories, or of those with these slugs.
    #[must_use]
    pub fn opml(&self, names: &Names, chosen: Option<&[Slug]>) -> Vec<u8> {
        let wanted = |category: &&Category| chosen.is_none_or(|chosen| chosen.contains(&category.slug));
        let outlines = sorted(names).filter(wanted).map(|category| Outline {
            title: category.name.clone(),
            xml_url: self.url(&OutputKey::Feed(category.slug.clone(), FeedFormat::Atom)),
            html_url: Some(self.url(&OutputKey::Category(category.slug.clone()))),
        });
        let combined = combined::outlines(self).filter(|_| chosen.is_none());
        let outlines: Vec<Outline> = combined.chain(outlines).collect();
        let site = &self.options.site;
        opml::render(&site.title, &site.language, &outlines)
    }

    /// Renders the QR code of the address of a category's page.
    pub(super) fn code(&self, category: &Category) -> Option<File> {
        let address = self.url(&OutputKey::Category(category.slug.clone()));
        Some(file(&OutputKey::Code(category.slug.clone()), qr::svg(&address)?))
    }

    /// Returns a category's feeds as links.
    pub(super) fn feeds_shown(&self, category: &Category) -> Vec<ShownFeed> {
        FeedFormat::ALL.map(|format| self.shown_feed(&key(category, format), format)).into()
    }

    fn shown_feed(&self, key: &OutputKey, format: FeedFormat) -> ShownFeed {
        ShownFeed { href: self.url(key), label: format.label().to_owned() }
    }

    /// Returns the links by which feed readers subscribe to a category.
    pub(super) fn readers(&self, category: &Category) -> Vec<NamedLink> {
        self.readers_of(&key(category, FeedFormat::Atom))
    }

    fn readers_of(&self, feed: &OutputKey) -> Vec<NamedLink> {
        let feed = self.url(feed);
        let link = |(name, begin): (&str, &str)| {
            // `feed:` is followed by the address without encoding.
            let url = if begin == "feed:" {
                format!("{begin}{feed}")
            } else {
                format!("{begin}{}", utf8_percent_encode(&feed, NON_ALPHANUMERIC))
            };
            NamedLink { url, name: name.to_owned() }
        };
        READERS.map(link).into()
    }
}

fn sorted(names: &Names) -> impl Iterator<Item = &Category> {
    let mut sorted: Vec<&Category> = names.values().collect();
    sorted.sort_by(|a, b| a.slug.cmp(&b.slug));
    sorted.into_iter()
}

/// Normalizes a text for searching: full-width letters become plain, capitals small, spaces vanish.
fn folded(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace()).collect()
}

/// Returns whether a folded query matches a category: a part of its name or pinyin, or the beginning of its
/// initials.
fn matches(category: &Category, wanted: &str) -> bool {
    category.slug.as_str().contains(wanted)
        || folded(&category.name).contains(wanted)
        || initials(&category.name).starts_with(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CategoryId, Timestamp};

    #[test]
    fn names_pinyin_and_initials_find_a_newspaper() {
        let category = Category {
            id: CategoryId(1),
            slug: Slug::from_name("西海都市报"),
            name: "西海都市报".to_owned(),
            generation: 1,
            changed_at: Timestamp::EPOCH,
            newest: None,
            arrivals: 0,
        };
        for (query, found) in [
            ("西海", true),
            ("都市", true),
            ("XiHai", true),
            ("xi hai", true),
            ("ｘｈｄ", true),
            ("dushi", true),
            ("xhdsb", true),
            ("dsb", false),
            ("重庆", false),
        ] {
            assert_eq!(matches(&category, &folded(query)), found, "{query}");
        }
    }
}
