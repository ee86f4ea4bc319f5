//! Which number is the day and which the month, and in which language a month is named: what one date
//! shows, and what the dates of a document have shown together.

/// Languages that can be told apart.
pub(super) const LANGUAGES: usize = 128;

/// The order of day, month and year in numbers, by what stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Day,
    Month,
    /// Where it has two digits.
    Year,
}

/// What one date shows of how its writer writes dates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// The order that alone gives a date.
    pub order: Option<Order>,
    /// The order that was taken where several give one.
    pub guessed: Option<Order>,
    /// The languages that have all its words, as bits; none where there are no words.
    pub languages: u128,
    /// Its month is another one in another language.
    pub unsure: bool,
}

/// What the dates of a document have shown.
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
    /// Adds what one date shows.
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

    /// The order that most proofs are for.
    pub(super) fn order(&self) -> Option<Order> {
        let most = *self.orders.iter().max()?;
        let mut best = ORDERS.iter().zip(&self.orders).filter(|(_, votes)| **votes == most && most > 0);
        let first = best.next().map(|(order, _)| *order);
        // As many for one as for the other prove nothing.
        if best.next().is_some() { None } else { first }
    }

    /// How many dates are in one of the languages, by the language that has most.
    pub(super) fn votes(&self, languages: u128) -> u32 {
        let of = |(bit, votes): (usize, &u32)| if (languages >> bit) & 1 == 1 { *votes } else { 0 };
        self.languages.iter().enumerate().map(of).max().unwrap_or_default()
    }

    /// Whether a date would be read differently by one who knew all this from the beginning.
    pub(super) fn matter(&self) -> bool {
        let wrong = self.order().is_some_and(|order| {
            ORDERS.iter().zip(&self.guessed).any(|(known, guessed)| *guessed && *known != order)
        });
        wrong || self.unsure && self.languages.iter().any(|votes| *votes > 0)
    }
}

const ORDERS: [Order; 3] = [Order::Day, Order::Month, Order::Year];
