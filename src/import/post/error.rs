//! Errors that prevent reading a file as a post, each with what to do.

/// An error that prevents reading a file as a post.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The file is not UTF-8 text.
    #[error("the file is not UTF-8 at byte {at}; save it as UTF-8")]
    NotUtf8 {
        /// The number of valid bytes at its beginning.
        at: usize,
    },
    /// The file does not begin with dashes.
    #[error(
        "no front matter: line {line} is not `---`; put the post's keys between two lines of `---` at the top"
    )]
    NoFrontMatter {
        /// The first line that is not blank.
        line: usize,
    },
    /// The closing dashes are missing.
    #[error("the front matter opened in line {line} never ends; close it with a line of `---`")]
    OpenFrontMatter {
        /// The line of the opening dashes.
        line: usize,
    },
    /// A line is neither YAML nor `key: value`.
    #[error("the front matter is unreadable in line {line}, `{text}`; write it as `key: value`")]
    FrontMatter {
        /// The line's number in the file.
        line: usize,
        /// The line.
        text: String,
    },
    /// The date does not have a form of Jekyll's.
    #[error("the date `{text}` is unreadable; write it as `2021-12-08 10:46:18 +0800`")]
    Date {
        /// The date as written.
        text: String,
    },
    /// The file name is empty without day and extension.
    #[error("the file name `{name}` has no slug; name it `2021-12-08-slug.md`")]
    FileName {
        /// The file name.
        name: String,
    },
}

impl PostError {
    /// Returns a short, stable name of the error, for counting.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "not_utf8",
            Self::NoFrontMatter { .. } => "no_front_matter",
            Self::OpenFrontMatter { .. } => "open_front_matter",
            Self::FrontMatter { .. } => "front_matter",
            Self::Date { .. } => "date",
            Self::FileName { .. } => "file_name",
        }
    }
}
