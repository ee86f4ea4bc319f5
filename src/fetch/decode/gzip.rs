//! gzip as servers send it: member after member, and padding behind them.

use std::io::{self, ErrorKind, Write};

use flate2::write::GzDecoder;

use super::layer::Layer;

/// The first bytes of a member with the one method there is (RFC 1952, 2.3).
pub(super) const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// Members of gzip one after the other (RFC 1952, 2.2); what follows them and is none is padding.
pub(super) enum Gzip {
    Member(GzDecoder<Box<dyn Layer>>),
    /// Behind a member: what is there so far of the next one's first bytes.
    Between(Box<dyn Layer>, Vec<u8>),
    Padding(Box<dyn Layer>),
    /// A fault ended it.
    Broken,
}

impl Gzip {
    /// Creates a decoder that passes what it decodes to `next`.
    pub(super) fn new(next: Box<dyn Layer>) -> Self {
        Self::Member(GzDecoder::new(next))
    }

    /// Goes on behind a member; returns what of `head` is still to be written.
    fn go_on(next: Box<dyn Layer>, head: Vec<u8>) -> (Self, Vec<u8>) {
        if head.len() < GZIP_MAGIC.len() && GZIP_MAGIC.starts_with(&head) {
            (Self::Between(next, head), Vec::new())
        } else if head.starts_with(&GZIP_MAGIC) {
            (Self::new(next), head)
        } else {
            (Self::Padding(next), Vec::new())
        }
    }
}

impl Write for Gzip {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match std::mem::replace(self, Self::Broken) {
            Self::Member(mut member) => {
                let written = member.write(piece)?;
                *self = if written == 0 && !piece.is_empty() {
                    Self::Between(member.finish()?, Vec::new())
                } else {
                    Self::Member(member)
                };
                if written == 0 && !piece.is_empty() { self.write(piece) } else { Ok(written) }
            }
            Self::Between(next, mut head) => {
                head.extend_from_slice(piece);
                let (gone_on, rest) = Self::go_on(next, head);
                *self = gone_on;
                self.write_all(&rest)?;
                Ok(piece.len())
            }
            Self::Padding(next) => {
                *self = Self::Padding(next);
                Ok(piece.len())
            }
            Self::Broken => Err(io::Error::from(ErrorKind::InvalidData)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Gzip {
    fn end(self: Box<Self>) -> io::Result<()> {
        match *self {
            Self::Member(member) => member.finish()?.end(),
            Self::Between(next, _) | Self::Padding(next) => next.end(),
            Self::Broken => Err(io::Error::from(ErrorKind::InvalidData)),
        }
    }
}
