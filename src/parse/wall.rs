//! Recognizes challenges and log-in pages, which a site sends in place of a feed.

/// Bytes of a page that are searched.
const HEAD: usize = 16 * 1024;

/// A page that blocks access to a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wall {
    /// A test whether the visitor is a person.
    Challenge,
    /// A log-in form.
    Login,
}

/// Texts of known challenges, in lower case.
const CHALLENGES: [&str; 12] = [
    "cf-chl-",
    "challenge-platform",
    "cf_chl_opt",
    "_incapsula_resource",
    "ddos-guard",
    "px-captcha",
    "g-recaptcha",
    "h-captcha",
    "awswafintegration",
    "aliyun_waf",
    "<title>just a moment...</title>",
    "\u{5b89}\u{5168}\u{9a8c}\u{8bc1}",
];

/// Returns the wall that a page looks like, if any.
#[must_use]
pub fn wall(page: &[u8]) -> Option<Wall> {
    let head = String::from_utf8_lossy(&page[..page.len().min(HEAD)]).to_ascii_lowercase();
    if !head.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}').starts_with('<') {
        return None;
    }
    if CHALLENGES.iter().any(|mark| head.contains(mark)) {
        return Some(Wall::Challenge);
    }
    let asks = head.contains("type=\"password\"")
        || head.contains("type='password'")
        || head.contains("type=password");
    asks.then_some(Wall::Login)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walls_are_told_from_pages() {
        for (page, expected) in [
            ("<html><head><title>Just a moment...</title></head></html>", Some(Wall::Challenge)),
            (
                "<!doctype html><script src='/cdn-cgi/challenge-platform/x.js'></script>",
                Some(Wall::Challenge),
            ),
            ("<html><form><input type=\"password\" name=p></form></html>", Some(Wall::Login)),
            ("<html><body>Nothing here</body></html>", None),
            ("{\"error\": \"g-recaptcha\"}", None),
            ("", None),
        ] {
            assert_eq!(wall(page.as_bytes()), expected, "{page}");
        }
    }
}
