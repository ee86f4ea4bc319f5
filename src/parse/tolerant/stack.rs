//! Opens and closes elements, with the namespaces and bases in force within them.

use url::Url;

use super::state::{Kind, Open, Walker};
use super::tokens::Tag;

impl<'a> Walker<'a, '_> {
    /// Puts an element's namespaces and base in force; called again if other elements were closed for it.
    pub(super) fn enter(&mut self, tag: Tag<'a>) {
        self.bases_before = self.bases.len();
        self.scope.enter(&tag, self.stack.len());
        self.enter_base(tag);
    }

    fn enter_base(&mut self, tag: Tag<'a>) {
        if tag.attrs.0.is_empty() || !tag.attrs.0.contains("xml:base") {
            return;
        }
        let Some(raw) = tag.attrs.get("xml:base") else { return };
        let own = self.entities.decode(raw);
        let own = match self.bases.last() {
            Some(base) => base.join(own.trim()).ok(),
            None => Url::parse(own.trim()).ok(),
        };
        self.bases.extend(own);
    }

    /// Opens an element; a `kind` of `None` is an element that has no end and is not opened.
    pub(super) fn open(&mut self, tag: Tag<'a>, kind: Option<Kind<'a>>) {
        let bases = self.bases_before;
        let Some(kind) = kind else {
            self.bases.truncate(bases);
            self.scope.leave(self.stack.len());
            return;
        };
        self.ignored += usize::from(kind == Kind::Ignore);
        self.asides += usize::from(kind == Kind::Aside);
        self.stack.push(Open { name: tag.name, kind, bases });
        if tag.empty {
            self.close_to(self.stack.len() - 1);
        }
    }

    /// Closes the open elements from the top of the stack down to index `place`, inclusive.
    pub(super) fn close_to(&mut self, place: usize) {
        while self.stack.len() > place {
            let Some(open) = self.stack.pop() else { return };
            let depth = self.stack.len();
            match open.kind {
                Kind::Inline(name) => {
                    if let Some(capture) = self.capture.as_mut() {
                        capture.close(name);
                    }
                }
                Kind::Field => self.end_field(depth),
                Kind::Person => self.end_person(),
                Kind::Item => self.end_item(),
                Kind::Ignore => self.ignored = self.ignored.saturating_sub(1),
                Kind::Aside => self.asides = self.asides.saturating_sub(1),
                Kind::Origin => self.end_origin(),
                Kind::Pass => {}
            }
            self.bases.truncate(open.bases);
            self.scope.leave(depth);
        }
    }
}
