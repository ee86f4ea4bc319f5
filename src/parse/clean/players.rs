//! Embedded players of video sites. No frame is kept; a frame of a listed host becomes a plain link to the
//! film's own page, so that readers can still find it.

use dom_query::{Document, Matcher};
use url::Url;

use crate::parse::link;

/// Hosts whose players become links where a source lists none of its own, with their subdomains.
pub const VIDEO_HOSTS: [&str; 14] = [
    "youtube.com",
    "youtube-nocookie.com",
    "youtu.be",
    "vimeo.com",
    "dailymotion.com",
    "bilibili.com",
    "v.qq.com",
    "youku.com",
    "tudou.com",
    "ixigua.com",
    "cctv.com",
    "cntv.cn",
    "sohu.com",
    "ted.com",
];

/// Replaces each frame that plays a film of one of `hosts` by a link.
pub(super) fn to_links(document: &Document, frames: &Matcher, hosts: &[String], base: Option<&Url>) {
    for frame in document.select_matcher(frames).nodes() {
        let src = frame.attr("src").filter(|src| !src.is_empty()).or_else(|| frame.attr("data-src"));
        let film = src
            .and_then(|src| Url::parse(&link::absolute(&src, base)?).ok())
            .filter(|url| url.host_str().is_some_and(|host| hosts.iter().any(|listed| is_of(host, listed))));
        if let Some(film) = film {
            let page = page_of(&film);
            frame.rename("a");
            frame.remove_all_attrs();
            frame.set_attr("href", &page);
            frame.set_text(page);
        }
    }
}

fn is_of(host: &str, listed: &str) -> bool {
    host.strip_suffix(listed).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Returns the page of a film for the address of its player, by each site's own pattern, or the player's
/// address where no pattern applies.
fn page_of(player: &Url) -> String {
    let last = player.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    let query = |name: &str| player.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
    let page = match player.host_str().unwrap_or_default() {
        "www.youtube.com" | "youtube.com" | "www.youtube-nocookie.com"
            if player.path().starts_with("/embed/") =>
        {
            Some(("https://www.youtube.com/watch?v=", last.to_owned(), ""))
        }
        "player.vimeo.com" => Some(("https://vimeo.com/", last.to_owned(), "")),
        "www.dailymotion.com" | "geo.dailymotion.com" if player.path().starts_with("/embed/video/") => {
            Some(("https://www.dailymotion.com/video/", last.to_owned(), ""))
        }
        "player.bilibili.com" => {
            query("bvid").map(|id| ("https://www.bilibili.com/video/", id.into_owned(), ""))
        }
        "v.qq.com" => query("vid").map(|id| ("https://v.qq.com/x/page/", id.into_owned(), ".html")),
        "player.youku.com" => Some(("https://v.youku.com/v_show/id_", last.to_owned(), ".html")),
        _ => None,
    };
    // Only an id of letters, digits, `-`, `_` and `=` is built into an address.
    let is_id =
        |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b));
    page.filter(|(_, id, _)| is_id(id))
        .map_or_else(|| player.to_string(), |(before, id, after)| format!("{before}{id}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_lead_to_their_films() {
        for (player, page) in [
            ("https://www.youtube.com/embed/ab-1_?start=3", "https://www.youtube.com/watch?v=ab-1_"),
            ("https://player.vimeo.com/video/76", "https://vimeo.com/76"),
            (
                "https://player.bilibili.com/player.html?aid=1&bvid=BV1x",
                "https://www.bilibili.com/video/BV1x",
            ),
            ("https://v.qq.com/txp/iframe/player.html?vid=v0032", "https://v.qq.com/x/page/v0032.html"),
            ("https://player.youku.com/embed/XMT==", "https://v.youku.com/v_show/id_XMT==.html"),
            ("https://tv.cctv.com/a/b.html?x=1", "https://tv.cctv.com/a/b.html?x=1"),
            ("https://www.youtube.com/embed/%22x", "https://www.youtube.com/embed/%22x"),
        ] {
            assert_eq!(page_of(&Url::parse(player).unwrap()), page);
        }
        assert!(is_of("player.vimeo.com", "vimeo.com") && is_of("vimeo.com", "vimeo.com"));
        assert!(!is_of("notvimeo.com", "vimeo.com"));
    }
}
