//! The signs of dates and times in Chinese, Japanese and Korean.

/// The meaning of a sign for the number before it, or for the time beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    /// `3点半`: half past three.
    Half,
    /// An era, by the year before its first.
    Era(i32),
    Part(Part),
    /// Seconds east of Greenwich.
    Place(i32),
    /// A word that begins like one of the others and is none.
    Other,
}

/// A part of the day, for hours that are counted to twelve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Morning,
    Noon,
    Afternoon,
    Evening,
}

impl Part {
    /// Converts an hour of this part of the day to one of 24.
    pub(super) fn hour(self, hour: u32) -> u32 {
        match (self, hour) {
            (Self::Morning, 12) => 0,
            (Self::Noon, 1..=4) | (Self::Afternoon, 1..=11) | (Self::Evening, 5..=11) => hour + 12,
            (Self::Evening, 12) => 24,
            _ => hour,
        }
    }
}

/// All signs; longer ones precede those that they begin with.
const SIGNS: &[(&str, Sign)] = &[
    ("北京时间", Sign::Place(8 * 3_600)),
    ("北京時間", Sign::Place(8 * 3_600)),
    ("香港时间", Sign::Place(8 * 3_600)),
    ("香港時間", Sign::Place(8 * 3_600)),
    ("台北时间", Sign::Place(8 * 3_600)),
    ("台北時間", Sign::Place(8 * 3_600)),
    ("臺北時間", Sign::Place(8 * 3_600)),
    ("日本時間", Sign::Place(9 * 3_600)),
    ("日本时间", Sign::Place(9 * 3_600)),
    ("東京時間", Sign::Place(9 * 3_600)),
    ("한국시간", Sign::Place(9 * 3_600)),
    ("小时", Sign::Other),
    ("小時", Sign::Other),
    ("时间", Sign::Other),
    ("時間", Sign::Other),
    ("시간", Sign::Other),
    ("分钟", Sign::Other),
    ("分鐘", Sign::Other),
    ("日报", Sign::Other),
    ("日報", Sign::Other),
    ("日本", Sign::Other),
    ("点击", Sign::Other),
    ("點擊", Sign::Other),
    ("上午", Sign::Part(Part::Morning)),
    ("午前", Sign::Part(Part::Morning)),
    ("早上", Sign::Part(Part::Morning)),
    ("早晨", Sign::Part(Part::Morning)),
    ("清晨", Sign::Part(Part::Morning)),
    ("凌晨", Sign::Part(Part::Morning)),
    ("오전", Sign::Part(Part::Morning)),
    ("새벽", Sign::Part(Part::Morning)),
    ("中午", Sign::Part(Part::Noon)),
    ("正午", Sign::Part(Part::Noon)),
    ("下午", Sign::Part(Part::Afternoon)),
    ("午後", Sign::Part(Part::Afternoon)),
    ("午后", Sign::Part(Part::Afternoon)),
    ("傍晚", Sign::Part(Part::Afternoon)),
    ("오후", Sign::Part(Part::Afternoon)),
    ("저녁", Sign::Part(Part::Afternoon)),
    ("晚上", Sign::Part(Part::Evening)),
    ("夜晚", Sign::Part(Part::Evening)),
    ("晚间", Sign::Part(Part::Evening)),
    ("晚間", Sign::Part(Part::Evening)),
    ("夜间", Sign::Part(Part::Evening)),
    ("深夜", Sign::Part(Part::Evening)),
    ("令和", Sign::Era(2018)),
    ("平成", Sign::Era(1988)),
    ("昭和", Sign::Era(1925)),
    ("民國", Sign::Era(1911)),
    ("民国", Sign::Era(1911)),
    ("年", Sign::Year),
    ("月", Sign::Month),
    ("日", Sign::Day),
    ("号", Sign::Day),
    ("號", Sign::Day),
    ("时", Sign::Hour),
    ("時", Sign::Hour),
    ("点", Sign::Hour),
    ("點", Sign::Hour),
    ("分", Sign::Minute),
    ("秒", Sign::Second),
    ("半", Sign::Half),
    ("년", Sign::Year),
    ("월", Sign::Month),
    ("일", Sign::Day),
    ("시", Sign::Hour),
    ("분", Sign::Minute),
    ("초", Sign::Second),
];

/// Returns the sign that `rest` begins with, and its length in bytes.
pub(super) fn sign(rest: &str) -> Option<(Sign, usize)> {
    SIGNS.iter().find(|(text, _)| rest.starts_with(text)).map(|(text, sign)| (*sign, text.len()))
}

/// Returns whether a character belongs to a script without spaces between words.
pub(super) fn unspaced(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}')
}
