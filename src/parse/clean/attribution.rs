//! Finds the newspaper that a text names as its origin.

use std::sync::LazyLock;

use regex::Regex;

use super::text;
use crate::model::Pattern;

/// The usual pattern, compiled on first use since many commands clean no text.
static USUAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[（(]\s*文章来源[:：]\s*([^（）()]{1,64}?)\s*[)）]").ok());

/// The pattern by which texts of a source name the newspaper they were taken from.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribution {
    /// The usual form, such as （文章来源：西海都市报）.
    Usual,
    /// A pattern of the source's own; group 1 is the name.
    Own(Pattern),
}

impl Attribution {
    /// Returns the newspaper that a text names last.
    pub(super) fn name(&self, text: &str) -> Option<String> {
        let pattern = match self {
            Self::Usual => USUAL.as_ref()?,
            Self::Own(pattern) => pattern,
        };
        let found = pattern.captures_iter(text).last()?;
        Some(text::one_line(found.get(1)?.as_str())).filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_newspapers() {
        for (text, name) in [
            ("正文（文章来源：西海都市报）", Some("西海都市报")),
            ("正文( 文章来源: 西海 都市报 )", Some("西海 都市报")),
            ("（文章来源：甲报）正文（文章来源：乙报）", Some("乙报")),
            ("正文（来源：西海都市报）", None),
            ("（文章来源：　）", None),
            ("", None),
        ] {
            assert_eq!(Attribution::Usual.name(text).as_deref(), name, "{text}");
        }
        let own = |pattern: &str| Attribution::Own(Regex::new(pattern).unwrap().into());
        assert_eq!(own("（来源：(.+?)）").name("正文（来源：上海报）").as_deref(), Some("上海报"));
        assert_eq!(own("来源").name("来源"), None, "a pattern without a group names nothing");
        assert_eq!(own("a(b)"), own("a(b)"));
        assert_ne!(own("a(b)"), own("a(c)"));
        assert_ne!(own("a(b)"), Attribution::Usual);
    }
}
