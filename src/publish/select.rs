//! Which items a feed holds (RULES 3.1): pure.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::{Article, Item, SourceId};
use crate::store::Window;

/// How much a feed holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowOptions {
    /// At least this many items of a category.
    pub items: usize,
    /// And all that are at most this much older than the category's newest.
    pub age: Duration,
    /// But never more items than this.
    pub most: usize,
    /// Nor more bytes of text than this.
    pub max_bytes: u64,
    /// Beyond this many bytes of text the older entries become summaries.
    pub full_bytes: u64,
    /// Items of the whole site's feeds.
    pub site_items: usize,
    /// In feeds of several sources, at most so many items of one while others have some; 0 for
    /// no bound.
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
    /// The window of a category.
    #[must_use]
    pub fn category(&self) -> Window {
        let age = i64::try_from(self.age.as_secs()).unwrap_or(i64::MAX);
        Window { items: self.items, age, most: self.most.max(self.items), archived: false }
    }

    /// The window of the whole site: a count alone.
    #[must_use]
    pub fn site(&self) -> Window {
        Window { items: self.site_items, age: -1, most: self.site_items, archived: false }
    }
    /// More than `window` holds, to choose from where no source may take more than its share.
    #[must_use]
    pub fn wide(&self, window: Window) -> Window {
        let most = if self.per_source == 0 { window.most } else { window.most.saturating_mul(WIDE) };
        Window { items: most, most, ..window }
    }
}

/// How many times its size a window is looked through for the articles of quieter sources.
const WIDE: usize = 4;

/// The newest `most` items, of which at most `per_source` come from one source (0: no bound) as
/// long as others have some: what is left over fills the rest. In the order given.
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

/// An item that may go into a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// It.
    pub article: Article,
    /// It stands in the window.
    pub in_window: bool,
    /// It is in no sealed hundred yet: the current document must hold it (RULES 3.2).
    pub unsealed: bool,
}

/// An item of a feed, with its text where there is room for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The item.
    pub article: Article,
    /// Whether its text goes into the feed.
    pub full: bool,
    /// Whether it stands in the window, within the bounds of size.
    pub in_window: bool,
}

/// Takes articles, newest first, until the window is full; those that are not sealed yet all.
///
/// # Errors
/// The first that `candidates` gives.
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
