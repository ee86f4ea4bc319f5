//! The links of one item of a list: which of them opens an article, and the title they give.

use dom_query::NodeRef;
use url::Url;

use crate::model::text::one_line;
use crate::parse::link;

/// Links of one item that are read at most.
pub(super) const MOST_LINKS: usize = 64;

/// The links of an item.
pub(super) struct Links<'a> {
    anchors: Vec<NodeRef<'a>>,
    base: Option<&'a Url>,
    page: Option<&'a Url>,
}

impl<'a> Links<'a> {
    /// Finds the links below `node`, and `node` itself if it is one; `page` is the address of the list.
    pub(super) fn of(node: &NodeRef<'a>, base: Option<&'a Url>, page: Option<&'a Url>) -> Self {
        let own = (node.node_name().as_deref() == Some("a") && node.has_attr("href")).then_some(*node);
        let within = dom_query::Selection::from(*node).select("a[href]");
        let anchors = own.into_iter().chain(within.nodes().iter().copied()).take(MOST_LINKS).collect();
        Self { anchors, base, page }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// Returns the address that a link opens; `None` for one that opens no page, such as a script, a mail
    /// address or the top of the list.
    pub(super) fn leads_to(&self, href: &str) -> Option<String> {
        let href = href.trim();
        if href.starts_with('#') && matches!(href, "#" | "#!" | "#top" | "#0") {
            return None;
        }
        let url = link::absolute(href, self.base)?;
        let bare = url.strip_suffix('#').unwrap_or_default();
        self.page.is_none_or(|page| page.as_str() != bare).then_some(url)
    }

    fn of_anchor(&self, anchor: &NodeRef<'_>) -> Option<String> {
        self.leads_to(&anchor.attr("href")?)
    }

    /// Returns the address of the first link that opens a page.
    pub(super) fn first(&self) -> Option<String> {
        self.anchors.iter().find_map(|anchor| self.of_anchor(anchor))
    }

    /// Returns the title of an item with the address `link`: the text of its links, else the text of the item,
    /// else that of its pictures.
    pub(super) fn title(&self, node: &NodeRef<'_>, link: Option<&str>) -> String {
        let said = |text: String| Some(text).filter(|text| !text.is_empty());
        let leading = || self.anchors.iter().filter(|anchor| self.of_anchor(anchor).as_deref() == link);
        leading()
            .find_map(|anchor| said(one_line(&anchor.text())))
            .or_else(|| said(one_line(&node.text())))
            .or_else(|| in_pictures(node))
            .or_else(|| leading().find_map(|anchor| said(one_line(&anchor.attr("title")?))))
            .unwrap_or_default()
    }
}

/// Returns the first alternative text of an element's pictures that is not empty.
pub(super) fn in_pictures(node: &NodeRef<'_>) -> Option<String> {
    let pictures = dom_query::Selection::from(*node).select("img[alt]");
    let own = (node.node_name().as_deref() == Some("img")).then(|| node.attr("alt")).flatten();
    let alts = own.into_iter().chain(pictures.nodes().iter().filter_map(|picture| picture.attr("alt")));
    alts.map(|alt| one_line(&alt)).find(|alt| !alt.is_empty())
}
