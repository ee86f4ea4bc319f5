//! The addresses that a post had on the old Jekyll site.

use chrono::{NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use unicode_normalization::char::is_combining_mark;

use super::{OldDate, OldPost};

/// Jekyll's default permalink style for posts.
const DEFAULT_STYLE: &str = "/:categories/:year/:month/:day/:title:output_ext";

/// The date placeholders of a permalink, and chrono's formats for them.
const DATE_PARTS: &[(&str, &str)] = &[
    ("year", "%Y"),
    ("short_year", "%y"),
    ("month", "%m"),
    ("i_month", "%-m"),
    ("short_month", "%b"),
    ("long_month", "%B"),
    ("day", "%d"),
    ("i_day", "%-d"),
    ("y_day", "%j"),
    ("w_year", "%G"),
    ("week", "%V"),
    ("w_day", "%u"),
    ("short_day", "%a"),
    ("long_day", "%A"),
    ("hour", "%H"),
    ("minute", "%M"),
    ("second", "%S"),
];

/// Returns the paths under which Jekyll served the post, first the one that it linked; not percent-encoded,
/// without the site's `baseurl`.
///
/// A time without zone is in `zone`. Empty for a post that was never served: a draft, one without any date,
/// or one whose permalink has a placeholder that Jekyll does not know.
#[must_use]
pub fn old_paths(post: &OldPost, zone: Tz) -> Vec<String> {
    if !post.published {
        return Vec::new();
    }
    let template = post.permalink.as_deref().unwrap_or(DEFAULT_STYLE);
    expand(template, post, local_time(post, zone)).map_or_else(Vec::new, |path| spellings(&clean(&path)))
}

/// Returns the post's time in the site's zone; the day in the file name replaces a missing date.
fn local_time(post: &OldPost, zone: Tz) -> Option<NaiveDateTime> {
    match post.date {
        OldDate::Fixed(at) => Some(at.with_timezone(&zone).naive_local()),
        OldDate::Naive(at) => Some(at),
        OldDate::Day(day) => Some(day.and_time(NaiveTime::MIN)),
        OldDate::Missing => post.file_date.map(|day| day.and_time(NaiveTime::MIN)),
    }
}

fn expand(template: &str, post: &OldPost, at: Option<NaiveDateTime>) -> Option<String> {
    let mut pieces = template.split(':');
    let mut path = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(piece.len());
        let (name, after) = piece.split_at_checked(end)?;
        if name.is_empty() {
            path.push(':');
        } else if let Some(value) = placeholder(name, post, at) {
            path.push_str(&value);
        } else {
            // In `:year_:month` the underscore is text, since no placeholder ends in one.
            path.push_str(&placeholder(name.strip_suffix('_')?, post, at)?);
            path.push('_');
        }
        path.push_str(after);
    }
    Some(path)
}

fn placeholder(name: &str, post: &OldPost, at: Option<NaiveDateTime>) -> Option<String> {
    if let Some((_, form)) = DATE_PARTS.iter().find(|(known, _)| *known == name) {
        return at.map(|at| at.format(form).to_string());
    }
    let slug = post.front_slug.as_deref().unwrap_or(&post.slug);
    match name {
        "title" => Some(hyphenated(slug, "._~!$&'()+,;=@")),
        "slug" => Some(hyphenated(slug, "").to_lowercase()),
        // Only the case changes: a space in a category remains a space in the address.
        "categories" => Some(joined(post, str::to_lowercase)),
        "slugified_categories" => Some(joined(post, |name| hyphenated(name, "").to_lowercase())),
        "output_ext" => Some(".html".to_owned()),
        "collection" => Some("posts".to_owned()),
        _ => None,
    }
}

fn joined(post: &OldPost, spelling: impl Fn(&str) -> String) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in &post.categories {
        let name = spelling(name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join("/")
}

/// Replaces each run of characters other than letters, digits and those in `also` by one hyphen, and removes
/// it at the ends.
fn hyphenated(text: &str, also: &str) -> String {
    let parts = text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c) && !also.contains(c));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// Returns a path with one leading slash, without double slashes and without parts that consist of dots.
fn clean(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && part.chars().any(|c| c != '.'));
    let mut clean = String::new();
    for part in parts {
        clean.push('/');
        clean.push_str(part);
    }
    if path.ends_with('/') || clean.is_empty() {
        clean.push('/');
    }
    clean
}

/// Returns the path and its other spelling, if any: a folder's address also serves its index, and a path
/// without extension was written to an `.html` file.
fn spellings(path: &str) -> Vec<String> {
    let last = path.rsplit('/').next().unwrap_or_default();
    let second = if last.is_empty() {
        Some(format!("{path}index.html"))
    } else if last == "index.html" {
        path.strip_suffix(last).map(str::to_owned)
    } else if last.contains('.') {
        None
    } else {
        Some(format!("{path}.html"))
    };
    std::iter::once(path.to_owned()).chain(second).collect()
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Shanghai;

    use super::super::parse_post;
    use super::*;

    fn paths(name: &str, front: &str, zone: Tz) -> Vec<String> {
        old_paths(&parse_post(name, format!("---\n{front}\n---\n").as_bytes()).unwrap(), zone)
    }

    #[test]
    fn the_default_style() {
        let table = [
            ("date: 2022-05-26 00:19:55 +0800\ncategories: emnews", Shanghai, "/emnews/2022/05/26/A-b.html"),
            ("date: 2022-05-26 00:19:55 +0800\ncategories: emnews", Tz::UTC, "/emnews/2022/05/25/A-b.html"),
            ("date: 2022-05-26 00:19:55\ncategories: emnews", Tz::UTC, "/emnews/2022/05/26/A-b.html"),
            ("date: 2022-05-25\ncategories: X y x", Tz::UTC, "/x/y/2022/05/25/A-b.html"),
            ("date: 2022-05-25T23:00:00Z\ncategory: X y", Shanghai, "/x y/2022/05/26/A-b.html"),
            ("title: x", Shanghai, "/2021/12/08/A-b.html"),
            ("slug: C_d! e--f?", Shanghai, "/2021/12/08/C_d!-e-f.html"),
        ];
        for (front, zone, path) in table {
            assert_eq!(paths("2021-12-08-A-b.md", front, zone), [path], "{front}");
        }
        assert_eq!(
            paths("2021-12-08-\u{4e2d} \u{6587}e\u{301}-.md", "title: x", Shanghai),
            ["/2021/12/08/\u{4e2d}-\u{6587}e\u{301}.html"]
        );
    }

    #[test]
    fn permalinks() {
        let table: &[(&str, &[&str])] = &[
            ("/a/b.html", &["/a/b.html"]),
            ("a/b", &["/a/b", "/a/b.html"]),
            ("/a//../b/", &["/a/b/", "/a/b/index.html"]),
            ("/a/index.html", &["/a/index.html", "/a/"]),
            ("/", &["/", "/index.html"]),
            ("/:categories/:title/", &["/x y/z/A-b/", "/x y/z/A-b/index.html"]),
            ("/:slugified_categories/:slug.html", &["/x-y/z/a-b.html"]),
            ("/:year_:i_month-:i_day/:y_day:output_ext", &["/2021_12-8/342.html"]),
            ("/:short_month/:title", &["/Dec/A-b", "/Dec/A-b.html"]),
            ("/:nothing/:title", &[]),
            ("/a:/b.html", &["/a:/b.html"]),
        ];
        for (permalink, expected) in table {
            let front = format!("permalink: {permalink:?}\ncategories: [X y, z]");
            assert_eq!(paths("2021-12-08-A-b.md", &front, Shanghai), *expected, "{permalink}");
        }
    }

    #[test]
    fn posts_never_served_have_no_path() {
        assert!(paths("2021-12-08-a.md", "published: false", Shanghai).is_empty());
        assert!(paths("a.md", "title: x", Shanghai).is_empty());
        assert_eq!(paths("a.md", "permalink: /x.html", Shanghai), ["/x.html"]);
    }
}
