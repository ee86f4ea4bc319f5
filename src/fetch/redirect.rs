//! Resolves redirects and decides whether they are followed. Pure; the address filter checks the result
//! again.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, percent_encode};
use reqwest::header::HeaderValue;
use url::{ParseError, Url};

use super::FetchError;
use super::blocked::Blocked;
use super::jar::Jar;

/// Bytes of a `Location` at most.
const MAX_LOCATION: usize = 8 * 1024;

/// Bytes beyond ASCII, which are encoded anyhow.
const RAW: &AsciiSet = &AsciiSet::EMPTY;

/// The hops of one request.
#[derive(Debug)]
pub(super) struct Trail {
    seen: Vec<Url>,
    at: Url,
    left: u8,
    home: bool,
    /// The address that permanent redirects alone have reached.
    moved: Option<Url>,
    all_permanent: bool,
    jar: Jar,
}

impl Trail {
    /// Starts at `url` with at most `redirects` redirects.
    pub(super) fn new(mut url: Url, redirects: u8) -> Self {
        url.set_fragment(None);
        Self {
            seen: Vec::new(),
            at: url,
            left: redirects,
            home: true,
            moved: None,
            all_permanent: true,
            jar: Jar::default(),
        }
    }

    /// Returns the address of this hop.
    pub(super) fn url(&self) -> &Url {
        &self.at
    }

    /// Returns the host of this hop, for error messages: without path and query, which may contain keys.
    pub(super) fn host(&self) -> String {
        self.at.host_str().unwrap_or_default().to_owned()
    }

    /// Returns whether no hop has left the first origin (RFC 6454, 4). Coming back does not count: a foreign
    /// host would choose what is requested with our headers.
    pub(super) fn is_home(&self) -> bool {
        self.home
    }

    /// Returns the address that permanent redirects alone have reached, up to the first temporary one.
    pub(super) fn moved(&self) -> Option<&Url> {
        self.moved.as_ref()
    }

    /// Returns the `Cookie` header of this hop.
    pub(super) fn cookies(&self) -> Option<HeaderValue> {
        self.jar.at(&self.at)
    }

    /// Moves to the next hop at `location`, with the cookies that this hop has set.
    pub(super) fn follow(
        &mut self,
        location: Option<&HeaderValue>,
        permanent: bool,
        cookies: &[HeaderValue],
    ) -> Result<(), FetchError> {
        let next = self.resolve(location)?;
        let news = self.jar.take(&self.at, cookies);
        let refuse = |reason| FetchError::Redirect { host: self.host(), reason };
        if !matches!(next.scheme(), "http" | "https") {
            return Err(FetchError::Scheme { scheme: next.scheme().to_owned() });
        }
        // A site that has just set a cookie may redirect to an address that was requested without it.
        if !news && (next == self.at || self.seen.contains(&next)) {
            return Err(refuse("it leads in a circle"));
        }
        if self.left == 0 {
            return Err(refuse("it is one hop too many"));
        }
        let first = self.seen.first().unwrap_or(&self.at);
        if first.scheme() == "https" && next.scheme() == "http" {
            return Err(refuse("it leads from https to http"));
        }
        self.home &= next.origin() == first.origin();
        self.all_permanent &= permanent;
        if self.all_permanent {
            self.moved = Some(next.clone());
        }
        self.left -= 1;
        self.seen.push(std::mem::replace(&mut self.at, next));
        Ok(())
    }

    /// Resolves `Location` as a reference relative to this hop (RFC 9110, 10.2.2).
    fn resolve(&self, location: Option<&HeaderValue>) -> Result<Url, FetchError> {
        let refuse = |reason| FetchError::Redirect { host: self.host(), reason };
        let bytes = location.map(HeaderValue::as_bytes).unwrap_or_default();
        if bytes.is_empty() || bytes.len() > MAX_LOCATION {
            return Err(refuse("its `Location` is missing or too long"));
        }
        // The parser would silently drop tabs.
        if bytes.iter().any(u8::is_ascii_control) {
            return Err(refuse("its `Location` holds control characters"));
        }
        let text = readable(bytes);
        let malformed = || Blocked::Malformed { host: self.host() };
        // Parsers disagree on which side of a backslash the host is.
        if text.contains('\\') {
            return Err(malformed().into());
        }
        let mut next = self.at.join(&text).map_err(|error| match error {
            ParseError::EmptyHost
            | ParseError::IdnaError
            | ParseError::InvalidIpv4Address
            | ParseError::InvalidIpv6Address
            | ParseError::InvalidDomainCharacter => malformed().into(),
            _ => refuse("its `Location` is not an address"),
        })?;
        next.set_fragment(None);
        Ok(next)
    }
}

/// Decodes an address as UTF-8; raw bytes of another encoding (Latin-1, GBK) are percent-encoded, so that the
/// server gets its own bytes back.
fn readable(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| percent_encode(bytes, RAW).into(), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(trail: &mut Trail, location: &str) -> Result<(), FetchError> {
        follow_bytes(trail, location.as_bytes())
    }

    fn follow_bytes(trail: &mut Trail, location: &[u8]) -> Result<(), FetchError> {
        trail.follow(Some(&HeaderValue::from_bytes(location).unwrap()), false, &[])
    }

    #[test]
    fn raw_bytes_are_kept_as_they_are() {
        for (location, expected) in [
            ("/新闻/1".as_bytes(), "http://a.test/%E6%96%B0%E9%97%BB/1"),
            (b"/caf\xe9?x=%41", "http://a.test/caf%E9?x=%41"),
            (b"\xd0\xc2\xce\xc5.xml", "http://a.test/dir/%D0%C2%CE%C5.xml"),
            (b"http://b\xe9.test/", "blocked"),
        ] {
            let mut trail = Trail::new(Url::parse("http://a.test/dir/feed").unwrap(), 5);
            let result = follow_bytes(&mut trail, location);
            let found = result.map_or_else(|error| error.kind().to_owned(), |()| trail.url().to_string());
            assert_eq!(found, expected, "{location:?}");
        }
    }

    #[test]
    fn locations() {
        for (location, expected) in [
            ("next", "http://a.test/dir/next"),
            ("/next?x=1#part", "http://a.test/next?x=1"),
            ("?page=2", "http://a.test/dir/feed?page=2"),
            ("//b.test/x", "http://b.test/x"),
            ("https://a.test/ä", "https://a.test/%C3%A4"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("", "redirect"),
            ("#part", "redirect"),
            ("feed", "redirect"),
            ("http://a.test/\tx", "redirect"),
            ("http://a.test:99999/", "redirect"),
            ("http://", "blocked"),
            ("http://[fe80::1%25lo]/", "blocked"),
            ("http://xn--127.0.9.9-/", "blocked"),
            ("http://a.test\\@127.0.0.1/", "blocked"),
            ("file:///etc/passwd", "scheme"),
            ("gopher://a.test/_x", "scheme"),
            ("data:text/xml,x", "scheme"),
            ("http+unix://%2Frun%2Fx/", "scheme"),
        ] {
            let mut trail = Trail::new(Url::parse("http://a.test/dir/feed#x").unwrap(), 5);
            let result = follow(&mut trail, location);
            let found = result.map_or_else(|error| error.kind().to_owned(), |()| trail.url().to_string());
            assert_eq!(found, expected, "{location:?}");
        }
    }

    #[test]
    fn hops_are_bounded_and_never_turn_back() {
        let mut trail = Trail::new(Url::parse("http://a.test/0").unwrap(), 5);
        for hop in 1..=5 {
            follow(&mut trail, &format!("/{hop}")).unwrap();
        }
        assert!(follow(&mut trail, "/3").unwrap_err().to_string().contains("circle"));
        assert!(follow(&mut trail, "/6").unwrap_err().to_string().contains("too many"));
        assert!(trail.follow(None, false, &[]).is_err());
        let mut none = Trail::new(Url::parse("http://a.test/0").unwrap(), 0);
        assert_eq!(follow(&mut none, "/1").unwrap_err().kind(), "redirect");
    }

    #[test]
    fn home_is_one_origin() {
        for (location, home) in [
            ("/x", true),
            ("http://A.test:80/x", true),
            ("http://a.test:81/x", false),
            ("https://a.test/x", false),
            ("http://b.a.test/x", false),
        ] {
            let mut trail = Trail::new(Url::parse("http://a.test/0").unwrap(), 5);
            follow(&mut trail, location).unwrap();
            assert_eq!(trail.is_home(), home, "{location}");
            follow(&mut trail, "http://a.test/back").unwrap();
            assert_eq!(trail.is_home(), home, "{location} and back");
        }
    }

    #[test]
    fn no_way_down_from_https() {
        let mut trail = Trail::new(Url::parse("https://a.test/").unwrap(), 5);
        assert_eq!(follow(&mut trail, "http://a.test/").unwrap_err().kind(), "redirect");
    }

    /// Checks that a maintenance page behind a temporary redirect is no new address.
    #[test]
    fn only_permanent_hops_move() {
        let mut trail = Trail::new(Url::parse("http://a.test/0").unwrap(), 5);
        let mut go = |to: &str, permanent| {
            trail.follow(Some(&HeaderValue::from_str(to).unwrap()), permanent, &[]).unwrap();
            trail.moved().map(|url| url.path().to_owned())
        };
        assert_eq!(go("/1", true).as_deref(), Some("/1"));
        assert_eq!(go("/2", true).as_deref(), Some("/2"));
        assert_eq!(go("/3", false).as_deref(), Some("/2"));
        assert_eq!(go("/4", true).as_deref(), Some("/2"));
    }

    #[test]
    fn a_cookie_opens_the_way_back() {
        let cookie = [HeaderValue::from_static("wall=1")];
        let same = HeaderValue::from_static("/0");
        let mut trail = Trail::new(Url::parse("http://a.test/0").unwrap(), 5);
        trail.follow(Some(&same), false, &cookie).unwrap();
        assert_eq!(trail.cookies().unwrap(), "wall=1");
        assert_eq!(trail.follow(Some(&same), false, &cookie).unwrap_err().kind(), "redirect");
    }
}
