//! Bar charts of the status page, 480 by 112 units.

use crate::render::html::{Bar, Chart};

const WIDTH: usize = 480;
/// Height of the highest bar.
const HEIGHT: usize = 110;

/// Returns a chart of counts. Each count has a label, a mark below its bar, and its value.
pub(super) fn chart(key: &'static str, counts: &[(String, Option<String>, usize)]) -> Chart {
    let most = counts.iter().map(|(.., count)| *count).max().unwrap_or_default().max(1);
    let step = (WIDTH / counts.len().max(1)).max(2);
    let bars = counts.iter().enumerate().map(|(number, (label, mark, count))| {
        // A count above zero is visible, however small.
        let height = (count * HEIGHT / most).max(usize::from(*count > 0));
        Bar {
            x: number * step,
            y: HEIGHT + 2 - height,
            width: step - (step / 5).max(1),
            height,
            label: label.clone(),
            value: *count,
            mark: mark.clone(),
        }
    });
    let spoken =
        counts.iter().filter(|(.., count)| *count > 0).map(|(label, _, count)| format!("{label}: {count}"));
    Chart { key, spoken: spoken.collect::<Vec<_>>().join(", "), bars: bars.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_scaled_to_the_chart() {
        let counts = [
            ("a".to_owned(), None, 10),
            ("b".to_owned(), Some("b".to_owned()), 0),
            ("c".to_owned(), None, 1),
        ];
        let chart = chart("status_hours", &counts);
        let shape: Vec<_> = chart.bars.iter().map(|bar| (bar.x, bar.y, bar.height)).collect();
        assert_eq!(shape, [(0, 2, 110), (160, 112, 0), (320, 101, 11)]);
        assert_eq!(chart.spoken, "a: 10, c: 1");
    }
}
