//! The media type of a file for which a source states none.

/// Media types by file name extension.
const BY_NAME: [(&str, &[&str]); 22] = [
    ("image/jpeg", &["jpg", "jpeg", "jpe", "jfif"]),
    ("image/png", &["png"]),
    ("image/gif", &["gif"]),
    ("image/webp", &["webp"]),
    ("image/avif", &["avif"]),
    ("image/svg+xml", &["svg"]),
    ("image/bmp", &["bmp"]),
    ("image/tiff", &["tif", "tiff"]),
    ("audio/mpeg", &["mp3", "mpga"]),
    ("audio/mp4", &["m4a", "m4b"]),
    ("audio/aac", &["aac"]),
    ("audio/ogg", &["ogg", "oga", "opus"]),
    ("audio/wav", &["wav"]),
    ("audio/flac", &["flac"]),
    ("video/mp4", &["mp4", "m4v"]),
    ("video/quicktime", &["mov"]),
    ("video/webm", &["webm"]),
    ("video/ogg", &["ogv"]),
    ("video/x-flv", &["flv"]),
    ("application/x-mpegurl", &["m3u8"]),
    ("application/pdf", &["pdf"]),
    ("application/epub+zip", &["epub"]),
];

/// Returns the media type that a source states for a file, else that of the file's name, else that of its
/// `medium` (Media RSS 1.5.1): `image/*` only states that it is a picture.
#[must_use]
pub(super) fn of_file(stated: Option<&str>, medium: Option<&str>, address: &str) -> Option<String> {
    let stated = stated.map(str::trim).filter(|stated| stated.contains('/'));
    let medium = medium.map(str::trim).filter(|medium| medium.eq_ignore_ascii_case("image"));
    stated.or_else(|| of_name(address)).or(medium.map(|_| "image/*")).map(str::to_owned)
}

fn of_name(address: &str) -> Option<&'static str> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let (_, path) = path.split_once("://").unwrap_or(("", path));
    let (_, name) = path.rsplit_once('/')?;
    let (_, end) = name.rsplit_once('.')?;
    let known = |ends: &[&str]| ends.iter().any(|known| known.eq_ignore_ascii_case(end));
    BY_NAME.iter().find(|(_, ends)| known(ends)).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_type_has_that_of_its_name() {
        for (stated, medium, address, want) in [
            (Some("audio/mpeg"), None, "http://a.example/x.jpg", Some("audio/mpeg")),
            (None, None, "http://a.example/x.JPG?w=3#a", Some("image/jpeg")),
            (Some(" "), None, "http://a.example/x.mp3", Some("audio/mpeg")),
            (Some("jpg"), None, "http://a.example/x.png", Some("image/png")),
            (None, Some("image"), "http://a.example/x?id=7", Some("image/*")),
            (None, Some("video"), "http://a.example/x", None),
            (None, None, "http://a.jpg", None),
            (None, None, "http://a.example/?f=x.jpg", None),
        ] {
            assert_eq!(of_file(stated, medium, address).as_deref(), want, "{address}");
        }
    }
}
