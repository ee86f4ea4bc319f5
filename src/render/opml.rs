//! OPML 2.0: a list of feeds to subscribe to, written with `quick-xml`.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::RenderError;
use super::xml::{line, some_line};
use crate::model::Timestamp;

/// One feed of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Name of the feed, plain text.
    pub title: String,
    /// Address of the feed, absolute.
    pub xml_url: String,
    /// The page that belongs to it, absolute.
    pub html_url: Option<String>,
}

/// The list as OPML 2.0; `updated` is when it last changed, never the clock.
///
/// # Errors
/// [`RenderError::Opml`] should the writer fail, which memory gives no reason for.
pub fn render(title: &str, updated: Timestamp, outlines: &[Outline]) -> Result<Vec<u8>, RenderError> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    writer.create_element("opml").with_attribute(("version", "2.0")).write_inner_content(|writer| {
        writer.create_element("head").write_inner_content(|writer| {
            writer.create_element("title").write_text_content(BytesText::new(&line(title)))?;
            writer.create_element("dateModified").write_text_content(BytesText::new(&updated.rfc822()))?;
            Ok(())
        })?;
        writer
            .create_element("body")
            .write_inner_content(|writer| outlines.iter().try_for_each(|one| outline(writer, one)))?;
        Ok(())
    })?;
    let mut out = writer.into_inner();
    out.push(b'\n');
    Ok(out)
}

/// `text` is the one required attribute, `title` what readers of OPML 1 look for.
fn outline(writer: &mut Writer<Vec<u8>>, one: &Outline) -> std::io::Result<()> {
    let xml_url = line(&one.xml_url);
    let title = some_line(&one.title).unwrap_or_else(|| xml_url.clone());
    let html_url = one.html_url.as_deref().and_then(some_line);
    writer
        .create_element("outline")
        .with_attribute(("type", "rss"))
        .with_attribute(("text", title.as_str()))
        .with_attribute(("title", title.as_str()))
        .with_attribute(("xmlUrl", xml_url.as_str()))
        .with_attributes(html_url.iter().map(|url| ("htmlUrl", url.as_str())))
        .write_empty()?;
    Ok(())
}
