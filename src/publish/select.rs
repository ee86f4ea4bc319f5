//! Selects the items of a feed (RULES 3.1); pure.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::{Article, Item, SourceId};
use crate::store::Window;

/// The sizes of feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowOptions {
    /// The least number of items of a category.
    pub items: usize,
    /// The age up to which further items are included, measured from the category's newest.
    pub age: Duration,
    /// The most items of a category, whatever their age.
    pub most: usize,
    /// The most bytes of text.
    pub max_bytes: u64,
    /// The bytes of text beyond which older entries have only summaries.
    pub full_bytes: u64,
    /// The number of items of the whole site's feeds.
    pub site_items: usize,
    /// The most items of one source in feeds of several sources, as long as others have some; 0 for no limit.
    pub per_source: usize,
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self {
            items: 50,
            age: Duration::from_hours(48),
            most: 500,
            max_bytes: 5 << 20,
            full_bytes: 1 << 20,
            site_items: 100,
            per_source: 0,
        }
    }
}

impl WindowOptions {
    /// Returns the window of a category.
    #[must_use]
    pub fn category(&self) -> Window {
        let age = i64::try_from(self.age.as_secs()).unwrap_or(i64::MAX);
        Window { items: self.items, age, most: self.most.max(self.items), archived: false }
    }

    /// Returns the window of the whole site, which is limited by count alone.
    #[must_use]
    pub fn site(&self) -> Window {
        Window { items: self.site_items, age: -1, most: self.site_items, archived: false }
    }
    /// Returns a wider window to choose from if the share of each source is limited; else `window` by count.
    #[must_use]
    pub fn wide(&self, window: Window) -> Window {
        let most = if self.per_source == 0 { window.most } else { window.most.saturating_mul(WIDE) };
        Window { items: most, most, ..window }
    }
}

/// The factor by which a window is widened to find articles of quieter sources.
const WIDE: usize = 4;

/// Returns the newest `most` items, of which at most `per_source` are of one source (0: no limit) unless
/// places would be left over. Keeps the order.
#[must_use]
pub fn fair(items: Vec<Item>, most: usize, per_source: usize) -> Vec<Item> {
    if per_source == 0 {
        return items.into_iter().take(most).collect();
    }
    let mut taken: HashMap<SourceId, usize> = HashMap::new();
    let within: Vec<bool> = items
        .iter()
        .map(|item| {
            let count = taken.entry(item.lead.clone()).or_default();
            *count += 1;
            *count <= per_source
        })
        .collect();
    let mut over = most.saturating_sub(within.iter().filter(|within| **within).count());
    let mut chosen = Vec::with_capacity(most);
    for (item, within) in items.into_iter().zip(within) {
        if chosen.len() < most && (within || over > 0) {
            over -= usize::from(!within);
            chosen.push(item);
        }
    }
    chosen
}

/// An item that may be included in a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The article.
    pub article: Article,
    /// Whether it is in the window.
    pub in_window: bool,
    /// Whether it is in no sealed hundred yet, so that the current document must contain it (RULES 3.2).
    pub unsealed: bool,
}

/// An item of a feed, with its text if there is room for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The item.
    pub article: Article,
    /// Whether its text is included.
    pub full: bool,
    /// Whether it is in the window, within the limits of size.
    pub in_window: bool,
}

/// Chooses articles, newest first, until the window is full, and all that are not sealed yet.
///
/// # Errors
/// The first error of `candidates`.
pub fn fit<E>(
    candidates: impl Iterator<Item = Result<Candidate, E>>,
    options: &WindowOptions,
) -> Result<Vec<Chosen>, E> {
    let mut chosen = Vec::new();
    let (mut full_bytes, mut bytes, mut closed) = (0, 0, false);
    for candidate in candidates {
        let Candidate { article, mut in_window, unsealed } = candidate?;
        let size = article.body.html.len() as u64;
        let full = full_bytes + size <= options.full_bytes || chosen.is_empty();
        let cost = if full { size } else { article.item.excerpt.len() as u64 } + 1_000;
        closed |= bytes + cost > options.max_bytes && !chosen.is_empty();
        in_window &= !closed;
        if !in_window && !unsealed {
            continue;
        }
        bytes += cost;
        full_bytes += if full { size } else { options.full_bytes };
        chosen.push(Chosen { article, full, in_window });
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, CodeSpace, InfoCode};

    fn item(source: &str, number: usize) -> Item {
        let code = InfoCode::new(CodeSpace::new("s").unwrap(), &format!("{source}-{number}"));
        Item { lead: SourceId::new(source).unwrap(), ..Item::sample(code) }
    }

    #[test]
    fn no_source_floods_while_others_have_some() {
        let items = |order: &str| -> Vec<Item> {
            order.chars().enumerate().map(|(number, c)| item(&c.to_string(), number)).collect()
        };
        for (order, most, per_source, want) in [
            ("aaaabcb", 4, 0, "aaaa"),
            ("aaaabcb", 4, 2, "aabc"),
            ("aaaabcb", 5, 1, "aaabc"),
            ("aaaaaa", 4, 1, "aaaa"),
            ("abcabc", 3, 1, "abc"),
            ("", 3, 1, ""),
        ] {
            let chosen = fair(items(order), most, per_source);
            let shown: String = chosen.iter().map(|item| item.lead.as_str()).collect();
            assert_eq!(shown, want, "{order}, {most} of which {per_source} from one");
        }
    }

    #[test]
    fn what_is_not_sealed_stays_whatever_its_size() {
        let candidate = |number: usize, unsealed| {
            let body = Body { html: "x".repeat(1_000), ..Body::default() };
            let article = Article { item: item("a", number), body };
            Ok::<_, ()>(Candidate { article, in_window: true, unsealed })
        };
        let options = WindowOptions { max_bytes: 5_000, full_bytes: 2_000, ..WindowOptions::default() };
        let all = (0..9).map(|number| candidate(number, number % 2 == 1));
        let chosen = fit(all, &options).unwrap();
        let numbers: Vec<(&str, bool, bool)> =
            chosen.iter().map(|c| (c.article.item.code.code(), c.full, c.in_window)).collect();
        assert_eq!(
            numbers,
            [
                ("a-0", true, true),
                ("a-1", true, true),
                ("a-2", false, true),
                ("a-3", false, false),
                ("a-5", false, false),
                ("a-7", false, false)
            ]
        );
    }
}
