//! Metadata that a web page states: the base of its addresses, and its language.

use dom_query::Document;
use url::Url;

/// Longest base, in bytes: it is copied into every relative address.
const MAX_BASE: usize = 4_096;

/// Returns the base that a page names with `<base href>` (HTML, 4.2.3), resolved against the page's own
/// address.
#[must_use]
pub fn stated_base(page: &Document, address: Option<&Url>) -> Option<Url> {
    let href = page.select("base[href]").attr("href")?;
    let href = href.trim();
    let base = match address {
        Some(address) => address.join(href).ok(),
        None => Url::parse(href).ok(),
    };
    base.filter(|base| {
        let sound = matches!(base.scheme(), "http" | "https") && base.has_host();
        sound && !href.is_empty() && base.as_str().len() <= MAX_BASE
    })
}

/// Returns the language of a page: that of its root element, or else that of its head or body.
#[must_use]
pub fn language(page: &Document) -> Option<String> {
    [
        ("html[lang]", "lang"),
        ("html[xml\\:lang]", "xml:lang"),
        ("meta[http-equiv='content-language' i]", "content"),
        ("meta[property='og:locale']", "content"),
        ("body[lang]", "lang"),
    ]
    .into_iter()
    .find_map(|(selector, name)| {
        let stated = page.select(selector).attr(name)?;
        let tag = stated.split(',').next().unwrap_or_default().trim().replace('_', "-");
        (!tag.is_empty() && tag.len() <= 35).then_some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases() {
        let address = Url::parse("https://p.example/news/").unwrap();
        for (head, want) in [
            ("<base href=/sub/>", Some("https://p.example/sub/")),
            ("<base target=_blank><base href='https://q.example/x/y'>", Some("https://q.example/x/y")),
            ("<base href='../a/'><base href=/b/>", Some("https://p.example/a/")),
            ("<base href='//q.example/'>", Some("https://q.example/")),
            ("<base href='javascript:x'>", None),
            ("<base href=''>", None),
            ("<base>", None),
            ("", None),
        ] {
            let page = Document::from(format!("<html><head>{head}</head><body></body></html>"));
            assert_eq!(stated_base(&page, Some(&address)).as_ref().map(Url::as_str), want, "{head}");
        }
    }

    #[test]
    fn languages() {
        for (page, want) in [
            ("<html lang=de-AT><body>", Some("de-AT")),
            ("<html xml:lang=fr lang=''><body>", Some("fr")),
            ("<meta http-equiv=Content-Language content='pt_BR, en'>", Some("pt-BR")),
            ("<html><head><meta property=og:locale content=zh_CN>", Some("zh-CN")),
            ("<html><body lang=ug>", Some("ug")),
            ("<html><p lang=de>x", None),
        ] {
            assert_eq!(language(&Document::from(page)).as_deref(), want, "{page}");
        }
    }
}
