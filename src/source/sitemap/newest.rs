//! Which addresses of a long sitemap are read: the newest by date, else those at the end of the document where
//! the newest appear to be.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;

use crate::model::Timestamp;

/// Digits of a number that counts as an article's.
const ARTICLE: usize = 4;

/// The direction in which dates or numbers of neighbours change through a document.
#[derive(Debug, Default, Clone, Copy)]
struct Trend {
    up: usize,
    down: usize,
}

impl Trend {
    fn note(&mut self, ordering: Ordering) {
        match ordering {
            Ordering::Less => self.up += 1,
            Ordering::Greater => self.down += 1,
            Ordering::Equal => {}
        }
    }

    /// Returns whether the newest are last; `None` where there is no clear direction.
    fn newest_last(self) -> Option<bool> {
        if self.up > 2 * self.down {
            Some(true)
        } else if self.down > 2 * self.up {
            Some(false)
        } else {
            None
        }
    }
}

#[derive(Debug)]
struct Ranked<T> {
    place: usize,
    date: Option<Timestamp>,
    value: T,
}

/// Collects the newest of many addresses with bounded memory.
#[derive(Debug)]
pub(super) struct Newest<T> {
    most: usize,
    kept: Vec<Ranked<T>>,
    seen: usize,
    dates: Trend,
    numbers: Trend,
    before: Option<(String, Option<Timestamp>)>,
    /// The last date seen; an address without one is assumed to be about as old as its neighbour.
    date: Option<Timestamp>,
}

impl<T> Newest<T> {
    /// Creates a collection of at most `most` addresses.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            kept: Vec::new(),
            seen: 0,
            dates: Trend::default(),
            numbers: Trend::default(),
            before: None,
            date: None,
        }
    }

    /// Adds the next address of the document.
    pub(super) fn push(&mut self, address: &str, date: Option<Timestamp>, value: T) {
        if let Some((known, at)) = &self.before {
            if let (Some(before), Some(here)) = (at, &date) {
                self.dates.note(before.cmp(here));
            }
            if let Some(ordering) = by_number(known, address).or_else(|| by_last_number(known, address)) {
                self.numbers.note(ordering);
            }
        }
        self.before = Some((address.to_owned(), date));
        if self.date.is_none() && date.is_some() {
            self.kept.iter_mut().for_each(|earlier| earlier.date = date);
        }
        self.date = date.or(self.date);
        self.kept.push(Ranked { place: self.seen, date: self.date, value });
        self.seen += 1;
        if self.kept.len() >= self.most.saturating_mul(8).max(16) {
            self.prune();
        }
    }

    /// Removes what cannot be among the newest in either order.
    fn prune(&mut self) {
        let (first, last) = (self.kept.get(self.most.saturating_sub(1)), self.kept.len() - self.most);
        let first = first.map_or(0, |kept| kept.place);
        let last = self.kept.get(last).map_or(usize::MAX, |kept| kept.place);
        let mut dates: Vec<Option<Timestamp>> = self.kept.iter().map(|kept| kept.date).collect();
        dates.sort_unstable_by(|a, b| b.cmp(a));
        let least = dates.get(self.most.saturating_sub(1)).copied().flatten();
        // Too many of one date may be left: keep those at either end of them.
        let (equal, mut met) = (self.kept.iter().filter(|kept| kept.date == least).count(), 0);
        let most = self.most;
        self.kept.retain(|kept| {
            let at_end = kept.place <= first || kept.place >= last;
            met += usize::from(kept.date == least);
            let tied = kept.date == least && (met <= most || met + most > equal);
            at_end || kept.date > least || tied
        });
    }

    /// Returns the newest, in order where one is known, and how many were left out.
    pub(super) fn finish(mut self) -> (Vec<T>, usize) {
        let newest_last = self.dates.newest_last().or_else(|| self.numbers.newest_last());
        if newest_last == Some(true) {
            self.kept.reverse();
        }
        // The sort is stable: of one date, the one at the newest end comes first.
        self.kept.sort_by_key(|kept| Reverse(kept.date));
        if self.kept.len() > self.most {
            if self.date.is_none() && newest_last.is_none() {
                // No order is known: the new ones are at one of the ends.
                let (head, tail) = (self.most.div_ceil(2), self.most / 2);
                let last = self.kept.len() - tail;
                self.kept.drain(head..last);
            }
            self.kept.truncate(self.most);
        }
        let left_out = self.seen - self.kept.len();
        (self.kept.into_iter().map(|kept| kept.value).collect(), left_out)
    }
}

/// Compares two addresses by the numbers at which they first differ; `None` where they differ in something
/// else.
fn by_number(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let begin = a[..same].iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
    let run = |bytes: &'_ [u8]| -> Option<Vec<u8>> {
        let digits: Vec<u8> = bytes.get(begin..)?.iter().copied().take_while(u8::is_ascii_digit).collect();
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        (!digits.is_empty()).then(|| digits.get(zeros..).unwrap_or_default().to_vec())
    };
    let (a, b) = (run(a)?, run(b)?);
    Some(a.len().cmp(&b.len()).then_with(|| a.cmp(&b)))
}

/// Compares two addresses by the last number in each, if it is long enough to be an article's.
fn by_last_number(a: &str, b: &str) -> Option<Ordering> {
    let last = |address: &str| {
        let run = address.rsplit(|c: char| !c.is_ascii_digit()).find(|run| !run.is_empty())?;
        (run.len() >= ARTICLE).then(|| run.parse::<u64>().ok()).flatten()
    };
    Some(last(a)?.cmp(&last(b)?))
}

/// Returns the sitemaps of an index in the order of requests: newest first by `lastmod`; those without one by
/// the numbers in their names, alternating between kinds of names.
pub(super) fn of_index(sitemaps: Vec<(String, Option<Timestamp>)>) -> Vec<String> {
    let (mut dated, undated): (Vec<_>, Vec<_>) = sitemaps.into_iter().partition(|(_, date)| date.is_some());
    dated.sort_by_key(|(_, date)| Reverse(*date));
    let mut kinds = vec![dated.into_iter().map(|(address, _)| address).collect::<Vec<_>>()];
    let mut place_of: HashMap<String, usize> = HashMap::new();
    for (address, _) in undated {
        let kind = address.chars().filter(|c| !c.is_ascii_digit()).collect();
        let place = *place_of.entry(kind).or_insert_with(|| {
            kinds.push(Vec::new());
            kinds.len() - 1
        });
        if let Some(kind) = kinds.get_mut(place) {
            kind.push(address);
        }
    }
    let kinds = kinds.into_iter().enumerate();
    in_turn(kinds.map(|(at, kind)| if at == 0 { kind } else { numbered(kind) }).collect())
}

/// Orders addresses of one kind of name, newest first, by the dates in them; plain numbers may count up or
/// down, so the newest is at one of the ends.
fn numbered(addresses: Vec<String>) -> Vec<String> {
    let mut all: Vec<(Vec<u64>, String)> =
        addresses.into_iter().map(|address| (numbers(&address), address)).collect();
    all.sort_by(|a, b| b.0.cmp(&a.0));
    let dates = all.iter().any(|(numbers, _)| numbers.iter().any(|number| is_date(*number)));
    let mut sorted: Vec<String> = all.into_iter().map(|(_, address)| address).collect();
    if dates {
        return sorted;
    }
    let low = sorted.split_off(sorted.len().div_ceil(2));
    in_turn(vec![sorted, low.into_iter().rev().collect()])
}

fn numbers(address: &str) -> Vec<u64> {
    let runs = address.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
    runs.map(|run| run.parse().unwrap_or(u64::MAX)).collect()
}

/// Returns whether a number is a year, or a month or day with its year.
fn is_date(number: u64) -> bool {
    matches!(number, 1990..=2100 | 199_001..=210_012 | 19_900_101..=21_001_231)
}

/// Returns the first of each list, then the second of each, and so on.
fn in_turn(lists: Vec<Vec<String>>) -> Vec<String> {
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(lists.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            return all;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is kept of addresses with the days of their dates, 0 for none.
    fn kept(most: usize, all: &[(String, i64)]) -> Vec<String> {
        let mut newest = Newest::new(most);
        for (address, day) in all {
            let date = (*day > 0).then(|| Timestamp::from_unix(day * 86_400));
            newest.push(address, date, address.clone());
        }
        let (kept, left_out) = newest.finish();
        assert_eq!(kept.len() + left_out, all.len());
        kept
    }

    fn numbered_addresses(numbers: impl Iterator<Item = i64>) -> Vec<(String, i64)> {
        numbers.map(|n| (format!("http://p.example/n/{n}.html"), 0)).collect()
    }

    #[test]
    fn the_newest_stay_wherever_they_stand() {
        let all = 10_000;
        let by_date = |day: &dyn Fn(i64) -> i64| -> Vec<(String, i64)> {
            (0..all).map(|n| (format!("http://p.example/x{}", n * 7_919 % all), day(n))).collect()
        };
        for (what, days) in [
            ("oldest first", by_date(&|n| n + 1)),
            ("newest first", by_date(&|n| all - n)),
            ("mixed", by_date(&|n| n * 6_007 % all + 1)),
        ] {
            let mut want = days.clone();
            want.sort_by_key(|(_, day)| Reverse(*day));
            let want: Vec<String> = want.into_iter().take(3).map(|(address, _)| address).collect();
            assert_eq!(kept(3, &days), want, "{what}");
        }
        let up = numbered_addresses(1..all);
        assert_eq!(kept(2, &up), ["http://p.example/n/9999.html", "http://p.example/n/9998.html"]);
        let down = numbered_addresses((1..all).rev());
        assert_eq!(kept(2, &down), ["http://p.example/n/9999.html", "http://p.example/n/9998.html"]);
        let slugs: Vec<_> = (1_000..all)
            .map(|n| (format!("http://p.example/{}-slug-{n}", if n % 2 == 0 { "b" } else { "c" }), 0))
            .collect();
        assert_eq!(kept(1, &slugs), ["http://p.example/c-slug-9999"]);
        // One date for all, as some programs write it, gives no order.
        let same: Vec<_> = up.iter().map(|(address, _)| (address.clone(), 9)).collect();
        assert_eq!(kept(1, &same), ["http://p.example/n/9999.html"]);
        // A last one without a date belongs to its neighbour.
        let mut last = by_date(&|n| n + 1);
        last.push(("http://p.example/last".to_owned(), 0));
        assert_eq!(kept(1, &last), ["http://p.example/last"]);
    }

    #[test]
    fn where_nothing_tells_both_ends_stay() {
        let all: Vec<_> =
            ["d", "b", "e", "a", "c"].map(|name| (format!("http://p.example/{name}"), 0)).into();
        assert_eq!(kept(2, &all), ["http://p.example/d", "http://p.example/c"]);
        assert_eq!(kept(9, &all).len(), 5);
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        for (a, b, want) in [
            ("/n/9", "/n/10", Some(Ordering::Less)),
            ("/n/10", "/n/100", Some(Ordering::Less)),
            ("/2026/12/01/b", "/2026/11/30/a", Some(Ordering::Greater)),
            ("/n/009", "/n/10", Some(Ordering::Less)),
            ("/a", "/b", None),
            ("/a.xml", "/a2.xml", None),
            ("", "", None),
        ] {
            assert_eq!(by_number(a, b), want, "{a} {b}");
        }
    }

    #[test]
    fn an_index_is_read_from_its_newest() {
        let index = |names: &[(&str, i64)]| {
            let date = |day: i64| (day > 0).then(|| Timestamp::from_unix(day * 86_400));
            of_index(names.iter().map(|(name, day)| ((*name).to_owned(), date(*day))).collect())
        };
        for (names, want) in [
            (&[("a", 1), ("b", 3), ("c", 2)][..], &["b", "c", "a"][..]),
            (&[("p1", 0), ("p2", 0), ("p10", 0)], &["p10", "p1", "p2"]),
            (&[("p", 0), ("p2", 0), ("q", 0)], &["p2", "q", "p"]),
            (
                &[("m-2026-01", 0), ("m-2026-12", 0), ("m-2025-12", 0)],
                &["m-2026-12", "m-2026-01", "m-2025-12"],
            ),
            (&[("old", 1), ("older", 2), ("live", 0)], &["older", "live", "old"]),
        ] {
            assert_eq!(index(names), want, "{names:?}");
        }
    }
}
