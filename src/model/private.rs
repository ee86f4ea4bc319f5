//! Addresses that hold what looks like a key: what of them may be shown to others.

use std::borrow::Cow;

use url::Url;

/// What a value that is not shown is replaced by.
const HIDDEN: &str = "hidden";
/// Words that make a parameter's value a key, as whole words of its name.
const WORDS: [&str; 11] =
    ["key", "auth", "sig", "pwd", "pass", "jwt", "secret", "token", "password", "passwd", "hmac"];
/// What makes it one anywhere in its name.
const PARTS: [&str; 6] = ["token", "secret", "passw", "apikey", "signature", "credential"];
/// Ends of a name in one word (`userkey`, `rssauth`).
const ENDS: [&str; 2] = ["key", "auth"];
/// Words with such an end that are no keys.
const HARMLESS: [&str; 7] = ["monkey", "turkey", "hockey", "whiskey", "jockey", "donkey", "oauth"];

/// Returns the name of what looks like a key in an address: of a parameter of its query or fragment, of a part of its
/// path that is followed by a value (`/token/…`), or `user` for user information.
#[must_use]
pub fn key_in(url: &Url) -> Option<String> {
    if !url.username().is_empty() || url.password().is_some() {
        return Some("user".to_owned());
    }
    let parameters = url.query_pairs().chain(fragment_pairs(url));
    let named = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
        (!value.is_empty() && is_key(&name)).then(|| name.chars().take(40).collect())
    };
    parameters.into_iter().find_map(named).or_else(|| segment_before_key(url).map(|(_, name)| name))
}

/// Returns an address as others may see it: values that look like keys are replaced, user information is left out.
#[must_use]
pub fn shown(url: &Url) -> Cow<'_, str> {
    if key_in(url).is_none() {
        return Cow::Borrowed(url.as_str());
    }
    let mut shown = url.clone();
    // Neither fails for an address with a host; one without has no user.
    let _ = shown.set_username("").and_then(|()| shown.set_password(None));
    shown.set_fragment(None);
    if url.query().is_some() {
        let hide =
            |name: &str, value: Cow<'_, str>| if is_key(name) { HIDDEN.into() } else { value.into_owned() };
        let pairs: Vec<(String, String)> =
            url.query_pairs().map(|(name, value)| (name.to_string(), hide(&name, value))).collect();
        shown.query_pairs_mut().clear().extend_pairs(pairs);
    }
    while let Some((place, _)) = segment_before_key(&shown) {
        let segments: Vec<String> = shown.path_segments().into_iter().flatten().map(str::to_owned).collect();
        let hidden =
            segments.iter().enumerate().map(|(at, segment)| if at == place { HIDDEN } else { segment });
        let path: Vec<&str> = hidden.collect();
        shown.set_path(&path.join("/"));
    }
    Cow::Owned(shown.into())
}

/// Returns a text with each address in it as others may see it.
#[must_use]
pub fn shown_in(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let end = word.trim_end().len();
        let (address, space) = word.split_at(end);
        match Url::parse(address) {
            Ok(url) if key_in(&url).is_some() => Cow::Owned(format!("{}{space}", shown(&url))),
            _ => Cow::Borrowed(word),
        }
    });
    Cow::Owned(words.collect())
}

/// Returns the index of a path segment that looks like a key, with the name before it.
fn segment_before_key(url: &Url) -> Option<(usize, String)> {
    let segments: Vec<&str> = url.path_segments()?.collect();
    let pairs = segments.windows(2).enumerate();
    pairs.into_iter().find_map(|(at, pair)| {
        let [name, value] = pair else { return None };
        let long = value.len() >= 8 && *value != HIDDEN && value.bytes().any(|byte| byte.is_ascii_digit());
        (long && is_key(name)).then(|| (at + 1, (*name).to_owned()))
    })
}

fn fragment_pairs(url: &Url) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    url::form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes())
}

/// Returns whether a name suggests that its value is a key: `key`, `api_key`, `accessToken`, `X-Sig`.
fn is_key(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    if HARMLESS.contains(&lower.as_str()) {
        return false;
    }
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for sign in name.chars().take(200) {
        if sign.is_ascii_uppercase() && before.is_ascii_lowercase() {
            spaced.push(' ');
        }
        spaced.push(if sign.is_alphanumeric() { sign.to_ascii_lowercase() } else { ' ' });
        before = sign;
    }
    spaced.split(' ').any(|word| WORDS.contains(&word))
        || PARTS.iter().any(|part| lower.contains(part))
        || ENDS.iter().any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_hidden() {
        for (address, name, expected) in [
            ("https://a.test/f.xml?user=7&key=HUSH4711", "key", "https://a.test/f.xml?user=7&key=hidden"),
            ("https://a.test/f?accessToken=x&n=2", "accessToken", "https://a.test/f?accessToken=hidden&n=2"),
            ("https://a.test/f?api_key=x", "api_key", "https://a.test/f?api_key=hidden"),
            (
                "https://a.test/f?X-Amz-Signature=x",
                "X-Amz-Signature",
                "https://a.test/f?X-Amz-Signature=hidden",
            ),
            ("https://a.test/f?rsskey=x", "rsskey", "https://a.test/f?rsskey=hidden"),
            ("https://a.test/f?userauth=x#token=1", "userauth", "https://a.test/f?userauth=hidden"),
            ("https://me:pw@a.test/f", "user", "https://a.test/f"),
            ("https://a.test/token/ab12cd34ef/f", "token", "https://a.test/token/hidden/f"),
            ("https://a.test/f#auth=ab", "auth", "https://a.test/f"),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(key_in(&url).as_deref(), Some(name), "{address}");
            assert_eq!(shown(&url), expected, "{address}");
        }
    }

    #[test]
    fn other_addresses_are_shown_as_they_are() {
        for address in [
            "https://a.test/feed?keyword=x&author=y&design=z&monkey=1",
            "https://a.test/feed?key=",
            "https://a.test/key/news.xml",
            "https://a.test/?passage=1&signal=2&keyboard=3",
            "https://a.test/feed#part",
        ] {
            assert_eq!(shown(&Url::parse(address).unwrap()), address);
        }
    }

    #[test]
    fn addresses_in_a_text() {
        let text = "moved to https://a.test/f?token=1 for good\nand http://b.test/";
        let expected = "moved to https://a.test/f?token=hidden for good\nand http://b.test/";
        assert_eq!(shown_in(text), expected);
        assert_eq!(shown_in("no address"), "no address");
    }
}
