//! Cookies of one chain of redirects: a site that sets one and redirects to itself gets it back, and it is
//! dropped with the request. Nothing is stored, and no host gets another's cookies.

use reqwest::header::HeaderValue;
use url::{Origin, Url};

/// Cookies of a request, and bytes of all of them, at most.
const MOST: usize = 16;
const MAX_BYTES: usize = 4_096;

/// The cookies that were set by the hops so far, each with its origin.
#[derive(Debug, Default)]
pub(super) struct Jar(Vec<(Origin, String, String)>);

impl Jar {
    /// Adds the cookies that `from` has set; returns whether one is new or has a new value.
    pub(super) fn take(&mut self, from: &Url, set: &[HeaderValue]) -> bool {
        let mut new = false;
        for value in set {
            let Some((name, value)) = pair(value) else { continue };
            let origin = from.origin();
            if let Some(known) = self.0.iter_mut().find(|(o, n, _)| *o == origin && *n == name) {
                new |= known.2 != value;
                known.2 = value;
            } else if self.0.len() < MOST && self.bytes() + name.len() + value.len() <= MAX_BYTES {
                self.0.push((origin, name, value));
                new = true;
            }
        }
        new
    }

    /// Returns the `Cookie` header for a hop.
    pub(super) fn at(&self, url: &Url) -> Option<HeaderValue> {
        let origin = url.origin();
        let own = self.0.iter().filter(|(from, ..)| *from == origin);
        let line: Vec<String> = own.map(|(_, name, value)| format!("{name}={value}")).collect();
        let mut line = HeaderValue::from_str(&line.join("; ")).ok().filter(|line| !line.is_empty())?;
        line.set_sensitive(true);
        Some(line)
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|(_, name, value)| name.len() + value.len()).sum()
    }
}

/// Returns name and value of a `Set-Cookie` (RFC 6265, 5.2); its attributes do not matter for one request.
fn pair(header: &HeaderValue) -> Option<(String, String)> {
    let text = header.to_str().ok()?;
    let (name, value) = text.split(';').next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') && !text.contains(',');
    (!name.is_empty() && plain(name) && plain(value)).then(|| (name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_stay_with_their_origin_and_within_bounds() {
        let (a, b) = (Url::parse("http://a.test/x").unwrap(), Url::parse("http://b.test/").unwrap());
        let set = |text: &str| vec![HeaderValue::from_str(text).unwrap()];
        let mut jar = Jar::default();
        assert!(jar.take(&a, &set("s=1; Path=/; HttpOnly")));
        assert!(!jar.take(&a, &set("s=1")));
        assert!(jar.take(&a, &set("s=2")));
        assert!(jar.take(&a, &set("t=x")));
        assert!(!jar.take(&a, &set("no cookie")));
        assert_eq!(jar.at(&a).unwrap(), "s=2; t=x");
        assert_eq!(jar.at(&b), None);
        for number in 0..100 {
            jar.take(&b, &set(&format!("c{number}={}", "v".repeat(4_000))));
        }
        assert!(jar.at(&b).is_none_or(|line| line.len() < 5_000));
    }
}
