//! Addresses: absolute, http or https, and one spelling for identity.

use std::borrow::Cow;

use url::Url;

/// Longest address, and longest base of one, in bytes: a long base would be copied into every relative
/// address of a text.
const MAX: usize = 4_096;

/// Returns an absolute http or https address; `None` for anything else.
#[must_use]
pub fn absolute(raw: &str, base: Option<&Url>) -> Option<String> {
    let raw = raw.trim();
    let base = base.filter(|base| base.as_str().len() <= MAX);
    if raw.is_empty() || raw.len() > MAX {
        return None;
    }
    if is_clean(raw) && (has_plain_host(raw) || Url::parse(raw).is_ok_and(|url| url.has_host())) {
        return Some(raw.to_owned());
    }
    let url = match base {
        Some(base) => base.join(raw).ok()?,
        None => Url::parse(raw).ok()?,
    };
    // Escaping may lengthen it; an address that is too long now would be refused when it is read again.
    let sound = matches!(url.scheme(), "http" | "https") && url.has_host() && url.as_str().len() <= MAX;
    sound.then(|| url.to_string())
}

/// Returns an address as a document states it: absolute if a base is known.
///
/// Without a base, as for a local file, a relative address keeps its spelling.
#[must_use]
pub fn stated(raw: &str, base: Option<&Url>) -> Option<String> {
    absolute(raw, base).or_else(|| {
        let raw = raw.trim();
        let relative = base.is_none()
            && raw.len() <= MAX
            && raw.contains('/')
            && raw.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.'))
            && raw.bytes().all(|b| b.is_ascii_graphic() && b != b':' && b != b'<');
        relative.then(|| raw.to_owned())
    })
}

/// Returns whether an address is absolute and needs no repair, so that it keeps the source's spelling.
fn is_clean(raw: &str) -> bool {
    let rest = raw.strip_prefix("https://").or_else(|| raw.strip_prefix("http://"));
    let odd = |b: u8| {
        !b.is_ascii_graphic() || matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
    };
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric())
            && !rest.contains("/.")
            && !rest.bytes().any(odd)
    })
}

/// Returns whether the host of a clean address consists of plain labels, as nearly all do.
///
/// It has no user, no port, no number that could be an IPv4 address out of range, no `xn--` to check. Other
/// hosts are checked by the URL parser.
fn has_plain_host(clean: &str) -> bool {
    let Some((_, rest)) = clean.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with("xn--")
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let top = host.rsplit('.').next().unwrap_or_default();
    top.starts_with(|c: char| c.is_ascii_alphabetic()) && host.len() < 254 && host.split('.').all(label)
}

/// Returns the one spelling of an address for identity: no fragment, no tracking parameters, no user. The
/// scheme stays as it is.
#[must_use]
pub fn canonical(link: &str) -> Option<String> {
    let mut url = Url::parse(link).ok()?;
    url.set_fragment(None);
    if !url.username().is_empty() || url.password().is_some() {
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
    }
    if let Some(kept) = url.query().and_then(untracked) {
        url.set_query(Some(&kept).filter(|kept| !kept.is_empty()).map(String::as_str));
    }
    Some(url.to_string())
}

/// Removes tracking parameters from an address; all else keeps its spelling.
#[must_use]
pub fn without_tracking(link: &str) -> Cow<'_, str> {
    let (head, fragment) = link.split_at(link.find('#').unwrap_or(link.len()));
    let Some((path, query)) = head.split_once('?') else { return Cow::Borrowed(link) };
    match untracked(query) {
        None => Cow::Borrowed(link),
        Some(kept) if kept.is_empty() => Cow::Owned(format!("{path}{fragment}")),
        Some(kept) => Cow::Owned(format!("{path}?{kept}{fragment}")),
    }
}

/// Returns a query without tracking parameters; `None` if it has none.
fn untracked(query: &str) -> Option<String> {
    let tracks = |pair: &&str| is_tracking(pair.split('=').next().unwrap_or_default());
    query
        .split('&')
        .any(|pair| tracks(&pair))
        .then(|| query.split('&').filter(|pair| !tracks(pair)).collect::<Vec<_>>().join("&"))
}

fn is_tracking(name: &str) -> bool {
    name.starts_with("utm_")
        || matches!(name, "fbclid" | "gclid" | "yclid" | "spm" | "mc_cid" | "mc_eid" | "igshid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_and_safe() {
        let base = Url::parse("https://a.example/x/feed.xml").unwrap();
        for (raw, want) in [
            ("../y", Some("https://a.example/y")),
            ("//b.example/z", Some("https://b.example/z")),
            ("http://c.Example", Some("http://c.Example")),
            ("HTTP://c.example/ä", Some("http://c.example/%C3%A4")),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("", None),
        ] {
            assert_eq!(absolute(raw, Some(&base)).as_deref(), want, "{raw}");
        }
    }

    #[test]
    fn canonical_drops_what_does_not_identify() {
        for (link, want) in [
            ("https://a.example/n?id=1&utm_source=x#c", "https://a.example/n?id=1"),
            ("https://A.example:443/n?utm_source=x", "https://a.example/n"),
            ("https://a.example/n?b=2&a=1", "https://a.example/n?b=2&a=1"),
        ] {
            assert_eq!(canonical(link).as_deref(), Some(want));
        }
    }

    #[test]
    fn tracking_goes_and_nothing_else_changes() {
        for (link, want) in [
            ("https://A.example/n?utm_source=x", "https://A.example/n"),
            ("https://a.example/n?id=%e4&utm_source=x&b#c?utm_a=1", "https://a.example/n?id=%e4&b#c?utm_a=1"),
            ("https://a.example/n?fbclid=1#top", "https://a.example/n#top"),
            ("https://a.example/utm_source=1", "https://a.example/utm_source=1"),
        ] {
            assert_eq!(without_tracking(link), want);
            assert_eq!(without_tracking(want), want);
        }
    }
}
