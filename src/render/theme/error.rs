//! Errors of themes.

/// Why a theme cannot be used, or a page cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// A template does not parse, or refers to data that the page does not have.
    #[error("{name}, line {line}: the page cannot be made")]
    Template {
        /// The template at fault.
        name: String,
        /// The line, counted from 1; 0 if the engine does not report it.
        line: usize,
        /// The engine's error.
        source: minijinja::Error,
    },
    /// A file of texts is not an object of strings.
    #[error("{name}: not a JSON object of strings")]
    Texts {
        /// The file at fault.
        name: String,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// A file, or a text in one, that no theme has.
    #[error("{name}: {what} `{nearest}`?")]
    Unknown {
        /// The file at fault.
        name: String,
        /// What is wrong.
        what: String,
        /// The most similar known name.
        nearest: String,
    },
    /// A file is not UTF-8 text.
    #[error("{name}, line {line}: not UTF-8 text; save it as UTF-8")]
    NoText {
        /// The file at fault.
        name: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// The folder or a file of it cannot be read.
    #[error("cannot read the theme `{path}`: {why}")]
    Unreadable {
        /// The folder or the file.
        path: String,
        /// The system's error, or the limit that it exceeds.
        why: String,
    },
}

impl ThemeError {
    pub(super) fn of_template(asked: &str, source: minijinja::Error) -> Self {
        // A fault in an included template, or in a page's base, is described by the innermost cause.
        let causes = std::iter::successors(Some(&source), |cause| {
            std::error::Error::source(*cause)?.downcast_ref::<minijinja::Error>()
        });
        let inner = causes.filter(|cause| cause.line().is_some()).last().unwrap_or(&source);
        let name = inner.name().unwrap_or(asked).to_owned();
        Self::Template { line: inner.line().unwrap_or(0), name, source }
    }
}
