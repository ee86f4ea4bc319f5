//! The order of day and month, and the language of a month's name: the evidence of one date, and of all dates
//! of a document.

/// Number of languages that can be distinguished.
pub(super) const LANGUAGES: usize = 128;

/// The order of day, month and year in numbers, named by what comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Day,
    Month,
    /// The year, if it has two digits.
    Year,
}

/// The evidence of how a writer writes dates, from one date.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// The only order that gives a valid date.
    pub order: Option<Order>,
    /// The order that was chosen among several valid ones.
    pub guessed: Option<Order>,
    /// The languages that have all words of the date, as bits; none if it has no words.
    pub languages: u128,
    /// Whether its month is another one in another language.
    pub unsure: bool,
}

/// The evidence from all dates of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proofs {
    orders: [u32; 3],
    languages: [u32; LANGUAGES],
    guessed: [bool; 3],
    unsure: bool,
}

impl Default for Proofs {
    fn default() -> Self {
        Self { orders: [0; 3], languages: [0; LANGUAGES], guessed: [false; 3], unsure: false }
    }
}

impl Proofs {
    /// Adds the evidence of one date.
    pub(super) fn add(&mut self, shown: Shown) {
        if let Some(order) = shown.order {
            for (known, votes) in ORDERS.iter().zip(&mut self.orders) {
                *votes += u32::from(*known == order);
            }
        }
        if let Some(order) = shown.guessed {
            for (known, guessed) in ORDERS.iter().zip(&mut self.guessed) {
                *guessed |= *known == order;
            }
        }
        self.unsure |= shown.unsure;
        if !shown.unsure {
            for (bit, votes) in self.languages.iter_mut().enumerate() {
                *votes += u32::from((shown.languages >> bit) & 1 == 1);
            }
        }
    }

    /// Returns the order with the most proofs.
    pub(super) fn order(&self) -> Option<Order> {
        let most = *self.orders.iter().max()?;
        let mut best = ORDERS.iter().zip(&self.orders).filter(|(_, votes)| **votes == most && most > 0);
        let first = best.next().map(|(order, _)| *order);
        // A tie proves nothing.
        if best.next().is_some() { None } else { first }
    }

    /// Returns the number of dates in that of the languages which has most.
    pub(super) fn votes(&self, languages: u128) -> u32 {
        let of = |(bit, votes): (usize, &u32)| if (languages >> bit) & 1 == 1 { *votes } else { 0 };
        self.languages.iter().enumerate().map(of).max().unwrap_or_default()
    }

    /// Returns whether a second reading with this evidence would change a date.
    pub(super) fn matter(&self) -> bool {
        let wrong = self.order().is_some_and(|order| {
            ORDERS.iter().zip(&self.guessed).any(|(known, guessed)| *guessed && *known != order)
        });
        wrong || self.unsure && self.languages.iter().any(|votes| *votes > 0)
    }
}

const ORDERS: [Order; 3] = [Order::Day, Order::Month, Order::Year];
