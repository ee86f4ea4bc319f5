//! The words that accompany times, folded.

use super::signs::Part;

/// Words after the number of an hour.
const HOURS: &str = "h hs hrs hr hod u uhr uur ч час часа часов год gio बज बजे টা টায น นาฬิกา oclock val";
/// Words after the number of a minute.
const MINUTES: &str = "min mn m мин хв phut минут mins";
/// Words before a time.
const BEFORE: &str = "at a um kl klo klokken klokka ora ore as las alle om o u v ve в о об у godz kell plkst val saat \
    pukul jam เวลา luc hora ωρα στις στισ t הבשעה";

/// Returns whether a folded word follows the number of an hour.
pub(super) fn is_hour(folded: &str) -> bool {
    HOURS.split(' ').any(|word| word == folded)
}

/// Returns whether a folded word follows the number of a minute.
pub(super) fn is_minute(folded: &str) -> bool {
    MINUTES.split(' ').any(|word| word == folded)
}

/// Returns whether a folded word precedes times.
pub(super) fn is_before(folded: &str) -> bool {
    BEFORE.split(' ').any(|word| word == folded)
}

/// Returns the part of the day that a folded word names.
pub(super) fn part_of(folded: &str) -> Option<Part> {
    Some(match folded {
        "am"
        | "πμ"
        | "fm"
        | "pg"
        | "ص"
        | "صباحا"
        | "صباحاً"
        | "oo"
        | "पूर्वाह्न"
        | "सुबह"
        | "delelott"
        | "vormittags"
        | "сутра"
        | "утра"
        | "rano"
        | "dop"
        | "sang" => Part::Morning,
        "pm"
        | "μμ"
        | "em"
        | "ch"
        | "ptg"
        | "م"
        | "مساء"
        | "مساءً"
        | "os"
        | "अपराह्न"
        | "शाम"
        | "delutan"
        | "nachmittags"
        | "вечера"
        | "дня"
        | "odp"
        | "chieu" => Part::Afternoon,
        "दोपहर" | "noon" => Part::Noon,
        "abends" | "toi" | "रात" => Part::Evening,
        _ => return None,
    })
}
