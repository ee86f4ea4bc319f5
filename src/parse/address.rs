//! Addresses for identity (RULES 1.6): whether scheme, `www.`, session and origin parameters, and fragments
//! tell articles apart.

use std::borrow::Cow;

use url::Url;

use super::link;

/// Names of parameters that hold a session id, whatever their value.
const SESSIONS: [&str; 10] = [
    "jsessionid",
    "phpsessid",
    "sessionid",
    "session_id",
    "sessid",
    "oscsid",
    "zenid",
    "cfid",
    "cftoken",
    "asp.net_sessionid",
];
/// Names of parameters that hold a session id if the value looks random: `sid=17` is the number of an
/// article.
const MAYBE_SESSIONS: [&str; 5] = ["sid", "s", "sess", "session", "psid"];
/// Parameters that name where a visit came from, in addition to those that [`link::without_tracking`]
/// removes.
const ORIGINS: [&str; 17] = [
    "xtor",
    "gclsrc",
    "dclid",
    "msclkid",
    "twclid",
    "ttclid",
    "wbraid",
    "gbraid",
    "mkt_tok",
    "_hsenc",
    "_hsmi",
    "ref_src",
    "cmpid",
    "wt.mc_id",
    "at_medium",
    "ref",
    "referrer",
];

/// An address, without the parts that do not tell articles apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `http://`, host without `www.`, path and query; with the fragment if that is a route.
    base: String,
    /// The fragment, if it may name a part of a page.
    fragment: Option<String>,
    /// The canonical form, which was the stored one before schemes were made equal.
    canonical: String,
    /// Whether the host begins with `www.`.
    www: bool,
}

impl Address {
    /// Parses an absolute address; returns `None` unless it is http or https.
    #[must_use]
    pub fn of(link: &str) -> Option<Self> {
        let canonical = link::canonical(link)?;
        let mut url = Url::parse(&canonical).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let raw = link.split_once('#').map(|(_, fragment)| fragment).unwrap_or_default();
        let path = without_session_in_path(url.path()).into_owned();
        url.set_path(&path);
        if let Some(query) = url.query() {
            let kept: Vec<&str> = query.split('&').filter(|pair| !is_mark(pair)).collect();
            let kept = kept.join("&");
            url.set_query(Some(kept.as_str()).filter(|kept| !kept.is_empty()));
        }
        let text = url.to_string();
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let (www, rest) = rest.strip_prefix("www.").map_or((false, rest), |rest| (true, rest));
        let is_route = raw.starts_with('/') || raw.starts_with('!');
        let base = if is_route { format!("http://{rest}#{raw}") } else { format!("http://{rest}") };
        let fragment = (!is_route && names_a_part(raw)).then(|| raw.to_owned());
        Some(Self { base, fragment, canonical, www })
    }

    /// Returns the address of the page.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Returns the address with its fragment, if that names a part of the page.
    #[must_use]
    pub fn whole(&self) -> Cow<'_, str> {
        match &self.fragment {
            Some(fragment) => Cow::Owned(format!("{}#{fragment}", self.base)),
            None => Cow::Borrowed(&self.base),
        }
    }

    /// Returns the fragment, if it may name a part of the page.
    #[must_use]
    pub fn fragment(&self) -> Option<&str> {
        self.fragment.as_deref()
    }

    /// Returns whether both hosts begin with `www.`, or neither does.
    #[must_use]
    pub fn has_same_host_name(&self, other: &Self) -> bool {
        self.www == other.www
    }

    /// Returns the canonical forms under which the page may have been stored before schemes were made equal.
    #[must_use]
    pub fn earlier_forms(&self) -> Vec<String> {
        let rest = self.base.strip_prefix("http://").unwrap_or(&self.base);
        if rest.contains('#') {
            // Routes had no canonical form of their own.
            return Vec::new();
        }
        let mut forms =
            vec![format!("https://{rest}"), format!("http://www.{rest}"), format!("https://www.{rest}")];
        if self.canonical != self.base && !forms.contains(&self.canonical) {
            forms.push(self.canonical.clone());
        }
        forms
    }

    /// Returns the form from which a code is derived: scheme and `www.` as in the canonical form, without
    /// session and origin parameters, with the fragment that names a part of the page.
    #[must_use]
    pub fn code_form(&self) -> String {
        let rest = self.whole();
        let rest = rest.strip_prefix("http://").unwrap_or(&rest);
        let scheme = self.canonical.split("://").next().unwrap_or("http");
        format!("{scheme}://{}{rest}", if self.www { "www." } else { "" })
    }
}

/// Returns the spellings of a guid with the other scheme, and with or without `www.`; none if the guid is no
/// http or https address.
#[must_use]
pub fn other_spellings(guid: &str) -> Vec<String> {
    let Some((scheme, rest)) = guid.split_once("://") else { return Vec::new() };
    if !matches!(scheme, "http" | "https") {
        return Vec::new();
    }
    let bare = rest.strip_prefix("www.").unwrap_or(rest);
    let mut all: Vec<String> = ["http", "https"]
        .into_iter()
        .flat_map(|scheme| [format!("{scheme}://{bare}"), format!("{scheme}://www.{bare}")])
        .collect();
    all.retain(|spelling| spelling != guid);
    let same_host = |spelling: &String| spelling.ends_with(&format!("://{rest}"));
    // The spelling that differs in the scheme alone comes first.
    all.sort_by_key(|spelling| !same_host(spelling));
    all
}

/// Returns an address without session parameters; all else keeps its spelling.
#[must_use]
pub fn without_session(link: &str) -> Cow<'_, str> {
    let (head, fragment) = link.split_at(link.find('#').unwrap_or(link.len()));
    let (path, query) = head.split_once('?').map_or((head, None), |(path, query)| (path, Some(query)));
    let short = without_session_in_path(path);
    let marked = query.is_some_and(|query| query.split('&').any(is_session));
    if matches!(short, Cow::Borrowed(_)) && !marked {
        return Cow::Borrowed(link);
    }
    let kept =
        query.map(|query| query.split('&').filter(|pair| !is_session(pair)).collect::<Vec<_>>().join("&"));
    match kept.filter(|kept| !kept.is_empty()) {
        Some(kept) => Cow::Owned(format!("{short}?{kept}{fragment}")),
        None => Cow::Owned(format!("{short}{fragment}")),
    }
}

/// Returns a path without `;jsessionid=…` and the like, and without the segment `(S(…))` of ASP.NET.
fn without_session_in_path(path: &str) -> Cow<'_, str> {
    if !path.contains([';', '(']) {
        return Cow::Borrowed(path);
    }
    let clean = |segment: &str| {
        let (name, parameters) = segment.split_once(';')?;
        let kept: Vec<&str> = parameters.split(';').filter(|pair| !is_session(pair)).collect();
        (kept.len() < parameters.split(';').count()).then(|| {
            let tail: String = kept.iter().flat_map(|pair| [";", pair]).collect();
            format!("{name}{tail}")
        })
    };
    let is_visit = |segment: &str| segment.starts_with("(S(") && segment.ends_with("))");
    let mut changed = false;
    let mut kept: Vec<Cow<'_, str>> = Vec::new();
    for segment in path.split('/') {
        if is_visit(segment) {
            changed = true;
            continue;
        }
        match clean(segment) {
            Some(clean) => {
                changed = true;
                kept.push(Cow::Owned(clean));
            }
            None => kept.push(Cow::Borrowed(segment)),
        }
    }
    if changed { Cow::Owned(kept.join("/")) } else { Cow::Borrowed(path) }
}

/// Returns whether a parameter only identifies a session or the origin of a visit.
fn is_mark(pair: &&str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    ORIGINS.contains(&name.as_str()) || is_session(pair)
}

fn is_session(pair: &str) -> bool {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let name = name.to_ascii_lowercase();
    SESSIONS.contains(&name.as_str())
        || name.starts_with("aspsessionid")
        || (MAYBE_SESSIONS.contains(&name.as_str()) && looks_made_up(value))
}

/// Returns whether a value mixes letters and digits, as no number and no word does.
fn looks_made_up(value: &str) -> bool {
    value.len() >= 6
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b','))
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Returns whether a fragment may name a part of a page, and is neither an origin (`xtor=RSS-1`) nor a text
/// fragment (`:~:text=`).
fn names_a_part(fragment: &str) -> bool {
    !fragment.is_empty()
        && !fragment.starts_with(":~:")
        && (!fragment.contains('=') || fragment.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_articles_apart_stays() {
        for (link, whole) in [
            ("https://www.a.example/n?id=1&utm_source=x", "http://a.example/n?id=1"),
            ("http://a.example/n?id=1", "http://a.example/n?id=1"),
            ("http://north.a.example/n", "http://north.a.example/n"),
            ("http://a.example/n#p1", "http://a.example/n#p1"),
            ("http://a.example/n#xtor=RSS-3208", "http://a.example/n"),
            ("http://a.example/n#:~:text=x", "http://a.example/n"),
            ("http://a.example/#/news/1", "http://a.example/#/news/1"),
            ("https://a.example/#!/news/1?a=b", "http://a.example/#!/news/1?a=b"),
            ("http://a.example/a/1.html;jsessionid=0A1F3.node2", "http://a.example/a/1.html"),
            ("http://a.example/a/1.html;JSESSIONID=0A1F3?x=1", "http://a.example/a/1.html?x=1"),
            ("http://a.example/(S(lit3py55t21z5v55vlm25s55))/n.aspx", "http://a.example/n.aspx"),
            ("http://a.example/n?PHPSESSID=7f3a&x=1", "http://a.example/n?x=1"),
            ("http://a.example/n?sid=0a1b2c3d", "http://a.example/n"),
            ("http://a.example/n?sid=1234567", "http://a.example/n?sid=1234567"),
            ("http://a.example/n;v=2", "http://a.example/n;v=2"),
        ] {
            assert_eq!(Address::of(link).unwrap().whole(), whole, "{link}");
        }
        assert_eq!(Address::of("tag:a.example,2020:1"), None);
    }

    #[test]
    fn earlier_forms_lead_back() {
        let here = Address::of("https://www.a.example/n").unwrap();
        let forms = here.earlier_forms();
        assert_eq!(forms, ["https://a.example/n", "http://www.a.example/n", "https://www.a.example/n"]);
        assert_eq!(here.code_form(), "https://www.a.example/n");
        assert_eq!(
            other_spellings("http://a.example/n"),
            ["https://a.example/n", "http://www.a.example/n", "https://www.a.example/n"]
        );
        assert_eq!(other_spellings("cms-1"), [""; 0]);
    }

    #[test]
    fn a_visit_leaves_no_mark() {
        for (link, want) in [
            ("/a/1.html;jsessionid=0A1F3.node2", "/a/1.html"),
            ("http://a.example/n?x=1&PHPSESSID=7f3a#c", "http://a.example/n?x=1#c"),
            ("http://a.example/n?x=1#c", "http://a.example/n?x=1#c"),
        ] {
            assert_eq!(without_session(link), want);
        }
    }
}
