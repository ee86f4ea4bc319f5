//! Structured data in a page: schema.org's `NewsArticle` as JSON-LD.

use serde_json::{Value, json};

use super::{ArticleView, Site};

/// Returns the description of an article for a `<script type="application/ld+json">`; it contains no
/// characters that could end the script.
#[must_use]
pub fn news_article(site: &Site, url: &str, article: &ArticleView) -> String {
    let publisher =
        article.source_name.as_ref().or(article.media_name.as_ref()).unwrap_or(&article.category_name);
    let mut about = json!({
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.title,
        "mainEntityOfPage": url,
        "datePublished": article.published_iso,
        "dateModified": article.updated_iso.as_ref().unwrap_or(&article.published_iso),
        "inLanguage": site.language,
        "articleSection": article.category_name,
        "publisher": { "@type": "NewsMediaOrganization", "name": publisher },
    });
    let people: Vec<Value> =
        article.authors.iter().map(|name| json!({ "@type": "Person", "name": name })).collect();
    let more = [
        ("description", Some(json!(article.summary)).filter(|_| !article.summary.is_empty())),
        ("image", article.image.as_ref().map(|image| json!([image]))),
        ("author", Some(json!(people)).filter(|_| !people.is_empty())),
        ("keywords", Some(json!(article.tags)).filter(|_| !article.tags.is_empty())),
        ("isBasedOn", article.original.as_ref().map(|link| json!(link))),
    ];
    if let Some(members) = about.as_object_mut() {
        members.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    inert(&about.to_string())
}

/// Escapes the characters of JSON that have a meaning in HTML.
fn inert(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_it_ends_the_script() {
        let article = ArticleView {
            title: "</script><script>alert(1)</script>&<!--".into(),
            authors: vec!["<b>".into()],
            ..ArticleView::default()
        };
        let text = news_article(&Site::default(), "https://a.example/", &article);
        assert!(!text.contains(['<', '>', '&']), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["headline"], article.title.as_str());
        assert_eq!(read["author"][0]["name"], "<b>");
    }
}
