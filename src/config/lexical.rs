//! Faults below the level of TOML: encodings, and full-width signs that look like TOML's own.
//!
//! Both come from Chinese keyboards and editors. A TOML parser reports them as "invalid key" or "invalid
//! string"; the messages here name the actual cause.

mod scan;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use encoding_rs::GB18030;

use super::faults::{Fault, Faults, Place};

const BOM: &[u8] = b"\xEF\xBB\xBF";
const SAVE_AS: &str = "save it as UTF-8 (in Notepad: Save As, Encoding `UTF-8`)";

/// Turns the bytes of a configuration file into text for the TOML parser, and stores the text in `faults`
/// so that faults can be shown in it.
///
/// Full-width signs outside strings and comments become errors; the returned text has the plain signs in
/// their place, padded with spaces so that every byte keeps its position and the rest can still be checked.
///
/// Returns `None` if the bytes are not UTF-8; a fault then names their encoding.
pub fn read_text(path: &Path, bytes: &[u8], faults: &mut Faults) -> Option<String> {
    let file: Arc<Path> = path.into();
    if looks_like_utf16(bytes) {
        let message = "the file is UTF-16 text, not UTF-8";
        faults.push(Fault::error(&Place::whole(file), message).help(SAVE_AS));
        return None;
    }
    let body = bytes.strip_prefix(BOM);
    let text = match std::str::from_utf8(body.unwrap_or(bytes)) {
        Ok(text) => text,
        Err(error) => {
            not_utf8(&file, body.unwrap_or(bytes), error.valid_up_to(), faults);
            return None;
        }
    };
    faults.add_file(path, text);
    if body.is_some() {
        let message = "the file begins with a byte-order mark (BOM), which is left out";
        let fault = Fault::warning(&Place::new(&file, 0..0), message);
        faults.push(fault.help("save it as `UTF-8`, not as `UTF-8 with BOM`"));
    }
    Some(scan::scan(&file, text, faults))
}

/// Returns whether bytes look like UTF-16: with a byte-order mark, or ASCII with a zero in its first pair.
fn looks_like_utf16(bytes: &[u8]) -> bool {
    let marked = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    marked || matches!(bytes, [0, 1..=255, ..] | [1..=255, 0, ..])
}

/// Adds the fault of bytes that are not UTF-8, on the line of the first bad one.
fn not_utf8(file: &Arc<Path>, bytes: &[u8], bad: usize, faults: &mut Faults) {
    if let Some(text) = as_gb18030(bytes, bad) {
        let span = first_chinese(&text, newlines(bytes, bad));
        faults.add_file(file, text);
        let message = "the file is in GBK (GB18030), not in UTF-8";
        faults.push(Fault::error(&Place::new(file, span), message).help(SAVE_AS));
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let byte = bytes.get(bad).copied().unwrap_or_default();
    faults.add_file(file, text.as_ref());
    let message = format!("the file is not UTF-8 text: the byte 0x{byte:02X} cannot be read");
    let help = format!("correct the text here, then {SAVE_AS}");
    let span = bad..bad + char::REPLACEMENT_CHARACTER.len_utf8();
    faults.push(Fault::error(&Place::new(file, span), message).help(help));
}

/// Returns the text if the bytes are GB18030. Nearly any bytes decode as GB18030, so Chinese that is valid
/// UTF-8 before the bad byte means damaged UTF-8 instead.
fn as_gb18030(bytes: &[u8], bad: usize) -> Option<String> {
    let good = bytes.get(..bad).and_then(|good| std::str::from_utf8(good).ok())?;
    if good.chars().any(is_chinese) {
        return None;
    }
    let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes)?;
    text.chars().any(is_chinese).then(|| text.into_owned())
}

fn is_chinese(c: char) -> bool {
    ('\u{4E00}'..='\u{9FFF}').contains(&c)
}

/// Counts the lines that end before the byte `at`.
fn newlines(bytes: &[u8], at: usize) -> usize {
    bytes.iter().take(at).filter(|byte| **byte == b'\n').count()
}

/// Returns the bytes of the first run of non-ASCII characters from a line on (counted from 0).
fn first_chinese(text: &str, line: usize) -> std::ops::Range<usize> {
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let from = rest.find(|c: char| !c.is_ascii()).unwrap_or_default();
    let tail = rest.get(from..).unwrap_or_default();
    let length = tail.find(|c: char| c.is_ascii()).unwrap_or(tail.len());
    start + from..start + from + length
}
