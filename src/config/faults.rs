//! Faults found in the configuration: collected, sorted, and shown with their lines.
//!
//! An admin can repair a file in one go only if all its faults are shown at once, so no check stops at the
//! first: every check adds to one [`Faults`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// A position: a file, and the bytes in it where they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// The bytes in the file's text; `None` means the file as a whole.
    pub span: Option<Range<usize>>,
}

impl Place {
    /// Creates the place of some bytes in `file`.
    #[must_use]
    pub fn new(file: &Arc<Path>, span: Range<usize>) -> Self {
        Self { file: Arc::clone(file), span: Some(span) }
    }

    /// Creates the place of a file as a whole, for faults such as "cannot be opened".
    #[must_use]
    pub fn whole(file: impl Into<Arc<Path>>) -> Self {
        Self { file: file.into(), span: None }
    }

    fn start(&self) -> Option<usize> {
        self.span.as_ref().map(|span| span.start)
    }
}

/// The severity of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// The configuration can be used, but probably not as meant.
    Warning,
}

impl Severity {
    /// Returns the word shown to the reader: `error` or `warning`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong, and how to repair it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its place.
    pub place: Place,
    /// Its severity.
    pub severity: Severity,
    /// What is wrong; starts in lower case, without a full stop.
    pub message: String,
    /// A few words beside the caret; may be empty.
    pub label: String,
    /// Advice on how to repair it.
    pub help: Option<String>,
}

impl Fault {
    /// Creates a fault that makes the configuration unusable.
    #[must_use]
    pub fn error(place: &Place, message: impl Into<String>) -> Self {
        Self {
            place: place.clone(),
            severity: Severity::Error,
            message: message.into(),
            label: String::new(),
            help: None,
        }
    }

    /// Creates a fault that leaves the configuration usable.
    #[must_use]
    pub fn warning(place: &Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, message) }
    }

    /// Returns the fault with a few words beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Returns the fault with advice on how to repair it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A fault as plain data, for programs that read the result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRecord {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// The column in characters, counted from 1.
    pub column: Option<usize>,
    /// Its severity.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Advice on how to repair it.
    pub help: Option<String>,
}

/// All faults found so far, and the texts that they are in.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    faults: Vec<Fault>,
    texts: BTreeMap<PathBuf, Arc<str>>,
}

impl Faults {
    /// Creates an empty collection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores the text of a file, so that its faults can be shown in it.
    pub fn add_file(&mut self, path: &Path, text: impl Into<Arc<str>>) {
        self.texts.insert(path.to_owned(), text.into());
    }

    /// Returns whether the text of this file is stored.
    #[must_use]
    pub fn has_file(&self, path: &Path) -> bool {
        self.texts.contains_key(path)
    }

    /// Adds a fault unless the same one is there at the same place: a profile's value is read again for every
    /// table that inherits from it.
    pub fn push(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Returns whether there are neither errors nor warnings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// Returns whether any fault makes the configuration unusable.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// Returns all faults, by file and then by position.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        let mut sorted: Vec<&Fault> = self.faults.iter().collect();
        sorted.sort_by_key(|fault| (Arc::clone(&fault.place.file), fault.place.start()));
        sorted.into_iter()
    }

    /// Returns the errors, by file and then by position.
    pub fn errors(&self) -> impl Iterator<Item = &Fault> {
        self.iter().filter(|fault| fault.severity == Severity::Error)
    }

    /// Returns the warnings, by file and then by position.
    pub fn warnings(&self) -> impl Iterator<Item = &Fault> {
        self.iter().filter(|fault| fault.severity == Severity::Warning)
    }

    /// Returns the line and the column (in characters) of a place, both counted from 1; `None` for a whole file
    /// or for one whose text is not stored.
    #[must_use]
    pub fn position(&self, place: &Place) -> Option<(usize, usize)> {
        let line = self.line_at(place)?;
        let before = line.text.get(..line.span.start).unwrap_or(line.text);
        Some((line.number, before.chars().count() + 1))
    }

    /// Returns the lines of a file (counted from 1) on which an error was found.
    #[must_use]
    pub fn lines_with_errors(&self, path: &Path) -> BTreeSet<usize> {
        let here = self.errors().filter(|fault| *fault.place.file == *path);
        here.filter_map(|fault| self.position(&fault.place)).map(|(line, _)| line).collect()
    }

    /// Returns the faults as plain data, in the order of [`Faults::iter`].
    #[must_use]
    pub fn records(&self) -> Vec<FaultRecord> {
        let record = |fault: &Fault| {
            let position = self.position(&fault.place);
            FaultRecord {
                file: fault.place.file.to_path_buf(),
                line: position.map(|(line, _)| line),
                column: position.map(|(_, column)| column),
                severity: fault.severity,
                message: fault.message.clone(),
                help: fault.help.clone(),
            }
        };
        self.iter().map(record).collect()
    }

    /// Renders the faults for a person: for each a block with `file:line:column`, the line, a caret and the
    /// help, then the count. Empty if there are none.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        if self.is_empty() {
            return String::new();
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let blocks = self.iter().map(|fault| self.block(fault, &renderer));
        let mut out: String = blocks.map(|block| block + "\n\n").collect();
        out.push_str(&self.count());
        out.push('\n');
        out
    }

    /// Returns the count alone, such as "5 errors, 1 warning".
    #[must_use]
    pub fn count(&self) -> String {
        let amount = |n: usize, what: &str| match n {
            0 => None,
            1 => Some(format!("1 {what}")),
            _ => Some(format!("{n} {what}s")),
        };
        let errors = amount(self.errors().count(), "error");
        let warnings = amount(self.warnings().count(), "warning");
        let parts: Vec<String> = errors.into_iter().chain(warnings).collect();
        if parts.is_empty() { "no errors".to_owned() } else { parts.join(", ") }
    }

    fn block(&self, fault: &Fault, renderer: &Renderer) -> String {
        let level = match fault.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let path = fault.place.file.to_string_lossy();
        let mut group = Group::with_title(level.primary_title(fault.message.as_str()));
        if let Some(line) = self.line_at(&fault.place) {
            let label = Some(fault.label.as_str()).filter(|label| !label.is_empty());
            let mark = AnnotationKind::Primary.span(line.span).label(label);
            let snippet = Snippet::source(line.text).line_start(line.number).path(path);
            group = group.element(snippet.annotation(mark));
        } else {
            group = group.element(Origin::path(path));
        }
        if let Some(help) = &fault.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }

    /// Returns the line that a place begins on. Only this one line is shown: a fault is easier to find on one
    /// line than in a block of them.
    fn line_at(&self, place: &Place) -> Option<Line<'_>> {
        let span = place.span.as_ref()?;
        let text = self.texts.get(&*place.file)?;
        let at = text.floor_char_boundary(span.start);
        let (before, after) = text.split_at_checked(at)?;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = after.find('\n').map_or(text.len(), |newline| at + newline);
        let line = text.get(start..end)?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let number = before.matches('\n').count() + 1;
        let from = (at - start).min(line.len());
        let to = text.floor_char_boundary(span.end).saturating_sub(start).clamp(from, line.len());
        Some(Line { number, text: line, span: from..to })
    }
}

/// One line of a text, and the bytes of it that a fault points at.
struct Line<'a> {
    number: usize,
    text: &'a str,
    span: Range<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, span: Range<usize>) -> Faults {
        let mut faults = Faults::new();
        let path = Path::new("feedmill.toml");
        faults.add_file(path, text);
        let place = Place::new(&Arc::from(path), span);
        faults.push(Fault::error(&place, "wrong").label("here").help("do it right"));
        faults
    }

    /// Returns the caret's column on the screen, where Chinese characters take two cells.
    fn caret(rendered: &str) -> usize {
        rendered.lines().find(|line| line.contains('^')).unwrap().find('^').unwrap()
    }

    #[test]
    fn shows_file_line_column_and_caret_after_chinese() {
        let text = "a = 1\nname = \"西海\" x\n";
        let rendered = one(text, 22..23).render(false);
        assert!(rendered.contains("feedmill.toml:2:13"), "{rendered}");
        assert!(rendered.contains("2 | name = \"西海\" x"), "{rendered}");
        assert!(rendered.contains("help: do it right"), "{rendered}");
        assert_eq!(caret(&rendered), "2 | name = \"____\" ".len(), "{rendered}");
        assert!(rendered.ends_with("\n1 error\n"), "{rendered}");
    }

    #[test]
    fn odd_spans_do_not_break_the_display() {
        for span in [0..0, 5..5, 6..400, 500..600, 15..16, 3..9] {
            let rendered = one("a = 1\r\nname = \"西海\"", span.clone()).render(true);
            assert!(rendered.contains("feedmill.toml"), "{span:?}: {rendered}");
        }
    }

    #[test]
    fn sorts_counts_and_drops_repeats() {
        let mut faults = one("a\nb\nc\n", 4..5);
        let place = Place::new(&Arc::from(Path::new("feedmill.toml")), 0..1);
        for _ in 0..2 {
            faults.push(Fault::warning(&place, "odd"));
        }
        faults.push(Fault::error(&Place::whole(Path::new("z.toml")), "cannot be opened"));
        let lines: Vec<_> = faults.records().into_iter().map(|r| (r.line, r.severity)).collect();
        let expected = [(Some(1), Severity::Warning), (Some(3), Severity::Error), (None, Severity::Error)];
        assert_eq!(lines, expected);
        assert_eq!(faults.count(), "2 errors, 1 warning");
        assert!(faults.render(false).contains("--> z.toml\n"));
        assert!(Faults::new().render(true).is_empty());
    }
}
