//! The meaning of a start tag in its place: structure, a text to capture, or markup within one.

use super::capture::{Capture, Mode};
use super::draft::Draft;
use super::names::{Field, Ns, Role, role};
use super::state::{Kind, Open, Start, Walker};
use crate::model::nesting::is_void;

/// The place of a start tag relative to captured text.
pub(super) enum Within<'a> {
    /// Outside captured text, or at its end.
    Nothing,
    /// Within captured text, with the kind of element that the tag opens there.
    Text(Option<Kind<'a>>),
}

impl<'a> Walker<'a, '_> {
    /// Handles a start tag within captured text. A tag that shows that the captured element was not closed
    /// ends the capture.
    pub(super) fn within_capture(&mut self, start: Start<'a, '_>, at: usize) -> Within<'a> {
        let Some(capture) = self.capture.as_ref() else { return Within::Nothing };
        if self.ignored > 0 {
            let item = matches!(start.local, "item" | "entry") && start.ns != Ns::Other;
            return if item { Within::Nothing } else { Within::Text(Some(Kind::Ignore)) };
        }
        let (field, depth) = (capture.field, capture.depth);
        if field == Field::Person
            && let Some(part) = person_part(start.local)
        {
            self.suspended = self.capture.take();
            self.capture = Some(Capture::new(part, 0, self.stack.len(), Mode::Auto));
            return Within::Text(Some(Kind::Field));
        }
        let role = role(start.ns, start.local, self.item.is_some());
        if ends_capture(capture, role, start) {
            self.repairs.note(at, "an element that was not closed");
            self.close_to(depth);
            self.enter(start.tag);
            return Within::Nothing;
        }
        // A date may be wrapped in a `time` element.
        if field.holds_markup() || matches!(field, Field::Published | Field::Updated) {
            return Within::Text(self.inline(start));
        }
        Within::Text((!is_void(start.local) || start.tag.empty).then_some(Kind::Ignore))
    }

    /// Writes a start tag into the captured text; returns `None` for a void element, which is not opened.
    fn inline(&mut self, start: Start<'a, '_>) -> Option<Kind<'a>> {
        let void = is_void(start.local);
        let plain = matches!(start.ns, Ns::Xhtml | Ns::Drawing);
        let name = if plain { start.written } else { start.tag.name };
        if let Some((field, true)) = self.capture.as_ref().map(|capture| (capture.field, capture.is_empty()))
        {
            self.language_of(field, start.tag, true);
        }
        let base = self.bases.last();
        let resolve = |key: &str, value: &str| crate::parse::resolve::attribute(key, value, base);
        if let Some(capture) = self.capture.as_mut() {
            capture.open(name, &start.tag, void, resolve);
        }
        (!void).then_some(Kind::Inline(name))
    }

    /// Handles a start tag outside captured text; returns `None` if it opens no element.
    pub(super) fn meaning(&mut self, start: Start<'a, '_>, at: usize) -> Option<Kind<'a>> {
        match role(start.ns, start.local, self.item.is_some()) {
            Role::Root(format) => Some(self.root(format, start)),
            Role::Channel => Some(self.root(if self.format.is_some() { "" } else { "rss" }, start)),
            Role::Item => Some(self.begin_item(start, at)),
            Role::Pass if is_void(start.local) => None,
            Role::Pass => Some(Kind::Pass),
            Role::Ignore => Some(Kind::Ignore),
            _ if self.ignored > 0 || self.format.is_none() => Some(Kind::Ignore),
            Role::Aside => Some(Kind::Aside),
            Role::Link => Some(self.link(start)),
            Role::Enclosure
                if start.ns != Ns::Media && self.item.is_some() && !self.has_address(start.tag) =>
            {
                Some(self.file(start.tag))
            }
            Role::Enclosure => {
                self.enclosure(start.tag);
                Some(Kind::Pass)
            }
            Role::Picture => {
                self.picture(start.tag);
                Some(Kind::Pass)
            }
            // RSS names the source feed in text, Atom in child elements.
            Role::Origin if start.ns == Ns::Atom || self.format == Some("atom") => {
                self.origin = Some(Draft::default());
                Some(Kind::Origin)
            }
            Role::Origin => Some(self.field(Field::Paper, 0, start)),
            Role::Deleted => {
                self.deleted(start.tag);
                Some(Kind::Ignore)
            }
            Role::Field(field, rank) => Some(self.field(field, rank, start)),
        }
    }

    fn root(&mut self, format: &'static str, start: Start<'a, '_>) -> Kind<'a> {
        if self.item.is_none() {
            self.close_all_but_structure(start);
        }
        if !format.is_empty() && self.format.is_none_or(|known| known == "rss" && format == "rdf") {
            self.format = Some(format);
        }
        self.root_attributes(start.tag);
        Kind::Pass
    }

    /// Closes the elements left open where a feed or an item begins.
    fn close_all_but_structure(&mut self, start: Start<'a, '_>) {
        let structure = |open: &Open<'_>| open.kind == Kind::Pass;
        let below = self.stack.iter().position(|open| !structure(open));
        if let Some(below) = below {
            self.close_to(below);
            self.enter(start.tag);
        }
    }

    fn begin_item(&mut self, start: Start<'a, '_>, at: usize) -> Kind<'a> {
        if self.item.is_some() {
            self.repairs.note(at, "an item within an item");
        }
        self.close_all_but_structure(start);
        self.format.get_or_insert(if start.local == "entry" { "atom" } else { "rss" });
        if self.entries.len() >= self.context.max_entries {
            self.beyond += 1;
            return Kind::Ignore;
        }
        self.item = Some(Draft::default());
        self.item_attributes(start.tag);
        Kind::Item
    }

    /// Starts to capture the text of an element.
    fn field(&mut self, field: Field, rank: u8, start: Start<'a, '_>) -> Kind<'a> {
        if field == Field::Category && self.category_attributes(start.tag) {
            return Kind::Pass;
        }
        if field == Field::Content && self.item.is_none() {
            return Kind::Ignore;
        }
        let mode = if field.holds_markup() { Mode::of(start.ns, start.tag.attrs) } else { Mode::Auto };
        let rank = rank + self.penalty();
        let mut capture = Capture::new(field, rank, self.stack.len(), mode);
        if field == Field::Guid {
            let fixed = start.tag.attrs.get("ispermalink");
            capture.permalink = !fixed.is_some_and(|v| v.trim().eq_ignore_ascii_case("false"));
        }
        self.content_address(field, start.tag);
        self.language_of(field, start.tag, false);
        self.capture = Some(capture);
        if field == Field::Person { Kind::Person } else { Kind::Field }
    }
}

fn person_part(local: &str) -> Option<Field> {
    Some(match local {
        "name" => Field::PersonName,
        "email" => Field::PersonEmail,
        "uri" | "url" | "homepage" => Field::PersonUri,
        _ => return None,
    })
}

/// Returns whether a start tag shows that the captured element was left open. Within a text, names that HTML
/// has too prove nothing.
fn ends_capture(capture: &Capture, role: Role, start: Start<'_, '_>) -> bool {
    let xml = capture.mode.is_xml();
    match role {
        Role::Item | Role::Channel => true,
        Role::Field(_, _) | Role::Link | Role::Enclosure if !capture.field.holds_markup() => true,
        Role::Field(field, _) => {
            let tells = matches!(
                field,
                Field::Guid | Field::Published | Field::Updated | Field::Person | Field::Category
            );
            !xml && (tells || start.ns == Ns::Content || start.local == "description")
        }
        Role::Enclosure => !xml,
        Role::Link => !xml && capture.field == Field::Title,
        _ => false,
    }
}
