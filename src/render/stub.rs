//! A page that redirects to another, for static hosts.

use crate::model::text::escape;

/// Renders the page: browsers are redirected at once, and search engines get the canonical address.
#[must_use]
pub fn render(to: &str, title: &str, language: &str) -> Vec<u8> {
    let (to, title, language) = (escape(to), escape(title), escape(language));
    format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <meta name=\"robots\" content=\"noindex\">\n<link rel=\"canonical\" href=\"{to}\">\n\
         <meta http-equiv=\"refresh\" content=\"0;url={to}\">\n</head>\n\
         <body><p><a href=\"{to}\">{title}</a></p></body>\n</html>\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    #[test]
    fn leads_on_whatever_the_names_are() {
        let html = super::render("https://a.example/x?a=1&b=\"'><script>", "R&D <b>", "zh-CN");
        let html = String::from_utf8(html).unwrap();
        let to = "https://a.example/x?a=1&amp;b=&quot;&#39;&gt;&lt;script&gt;";
        assert_eq!(html.matches(to).count(), 3);
        assert!(html.contains("<title>R&amp;D &lt;b&gt;</title>") && !html.contains("<script"));
    }
}
