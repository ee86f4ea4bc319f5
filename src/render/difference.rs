//! The changes between two versions of an article, as readable HTML.

use similar::{Algorithm, ChangeTag, DiffOp, TextDiff, capture_diff_slices};

use crate::model::text::{escape, html_to_text};

/// The most paragraphs of one version that are compared; the rest is ignored.
const PARAGRAPHS: usize = 400;
/// The most characters of a pair of paragraphs, in sum, that are compared one by one; longer ones are shown
/// as a whole.
const CHARACTERS: usize = 4_000;

/// Returns the difference of title and text, each version given as (title, HTML); `None` if they are the
/// same.
#[must_use]
pub fn difference(before: (&str, &str), after: (&str, &str)) -> Option<String> {
    let mut html = String::new();
    if before.0 != after.0 {
        html.push_str("<p><strong>");
        words(before.0, after.0, &mut html);
        html.push_str("</strong></p>\n");
    }
    let (old, new) = (paragraphs(before.1), paragraphs(after.1));
    for op in capture_diff_slices(Algorithm::Patience, &old, &new) {
        changed(op, &old, &new, &mut html);
    }
    (!html.is_empty()).then_some(html)
}

fn changed(op: DiffOp, old: &[String], new: &[String], html: &mut String) {
    match op {
        DiffOp::Equal { .. } => {}
        DiffOp::Delete { old_index, old_len, .. } => whole("del", &old[old_index..old_index + old_len], html),
        DiffOp::Insert { new_index, new_len, .. } => whole("ins", &new[new_index..new_index + new_len], html),
        DiffOp::Replace { old_index, old_len, new_index, new_len } => {
            let both = old_len.min(new_len);
            for at in 0..both {
                html.push_str("<p>");
                words(&old[old_index + at], &new[new_index + at], html);
                html.push_str("</p>\n");
            }
            whole("del", &old[old_index + both..old_index + old_len], html);
            whole("ins", &new[new_index + both..new_index + new_len], html);
        }
    }
}

fn whole(tag: &str, paragraphs: &[String], html: &mut String) {
    for paragraph in paragraphs {
        html.push_str("<p>");
        marked(tag, paragraph, html);
        html.push_str("</p>\n");
    }
}

fn marked(tag: &str, text: &str, html: &mut String) {
    if tag.is_empty() {
        html.push_str(&escape(text));
    } else if !text.is_empty() {
        html.extend(["<", tag, ">", &escape(text), "</", tag, ">"]);
    }
}

/// Compares character by character, since Chinese has no spaces between words.
fn words(old: &str, new: &str, html: &mut String) {
    if old.chars().count() + new.chars().count() > CHARACTERS {
        marked("del", old, html);
        marked("ins", new, html);
        return;
    }
    let diff = TextDiff::from_chars(old, new);
    let mut run = (ChangeTag::Equal, String::new());
    for change in diff.iter_all_changes() {
        if change.tag() != run.0 {
            flush(&run, html);
            run = (change.tag(), String::new());
        }
        run.1.push_str(change.value());
    }
    flush(&run, html);
}

fn flush((tag, text): &(ChangeTag, String), html: &mut String) {
    let tag = match tag {
        ChangeTag::Equal => "",
        ChangeTag::Delete => "del",
        ChangeTag::Insert => "ins",
    };
    marked(tag, text, html);
}

/// Returns the text of each paragraph of clean HTML, without empty ones.
fn paragraphs(html: &str) -> Vec<String> {
    let blocks = html.split("</p>").flat_map(|part| part.split("<br")).flat_map(|part| part.split("</li>"));
    let text = |block: &str| html_to_text(block.trim_start().trim_start_matches(['/', '>']));
    blocks.map(text).filter(|text| !text.is_empty()).take(PARAGRAPHS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_can_be_read() {
        for (before, after, want) in [
            (("甲", "<p>一</p>"), ("甲", "<p>一</p>\n"), None),
            (("甲", "<p>一</p>"), ("甲", "<div><p> 一 </p></div>"), None),
            (
                ("大桥明年合龙", ""),
                ("大桥今年合龙", ""),
                Some("<p><strong>大桥<del>明</del><ins>今</ins>年合龙</strong></p>\n"),
            ),
            (
                ("甲", "<p>一</p><p>三人受伤</p><p>四</p>"),
                ("甲", "<p>一</p><p>两人受伤</p><p>四</p><p>五 &lt;b&gt;</p>"),
                Some("<p><del>三</del><ins>两</ins>人受伤</p>\n<p><ins>五 &lt;b&gt;</ins></p>\n"),
            ),
            (("甲", "一<br>二<br />三"), ("甲", "一<br>三"), Some("<p><del>二</del></p>\n")),
        ] {
            assert_eq!(difference(before, after).as_deref(), want, "{before:?} {after:?}");
        }
    }

    #[test]
    fn long_paragraphs_are_shown_whole() {
        let (old, new) =
            (format!("<p>{}</p>", "甲乙".repeat(2_000)), format!("<p>{}</p>", "乙甲".repeat(2_000)));
        let html = difference(("t", &old), ("t", &new)).unwrap();
        assert_eq!(html.matches("<del>").count(), 1);
    }
}
