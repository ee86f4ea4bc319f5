//! Errors as text for people.

use std::error::Error;

/// Returns an error and its causes on one line, without repetitions.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_said_once() {
        let inner = std::io::Error::other("disk gone");
        let outer = std::io::Error::other(inner);
        assert_eq!(chain(&outer), "disk gone");
    }
}
