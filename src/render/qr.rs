//! QR codes of addresses, as pictures.

use std::fmt::Write;

use fast_qr::QRBuilder;

/// Modules of white border that scanners need (ISO/IEC 18004, 9.1).
const QUIET: usize = 4;

/// Renders the QR code of an address as SVG; `None` if it is too long for any code (about 2,900 bytes). It is
/// black on white whatever the page's colours are, since not every scanner reads an inverted code.
#[must_use]
pub fn svg(address: &str) -> Option<Vec<u8>> {
    let code = QRBuilder::new(address).build().ok()?;
    let side = code.size + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size {
        let row = &code[y];
        let mut x = 0;
        while x < code.size {
            let run = row[x..code.size].iter().take_while(|module| module.value()).count();
            if run > 0 {
                // Writing to memory does not fail.
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run.max(1);
        }
    }
    Some(
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
             shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>\
             <path d=\"{path}\"/></svg>\n"
        )
        .into_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_a_quiet_zone() {
        let picture = String::from_utf8(svg("https://news.example.org/category/a.html").unwrap()).unwrap();
        // A finder pattern begins with seven dark modules: left, right, and below.
        assert!(picture.contains("M4 4h7v1h-7z"), "{picture}");
        let side: usize =
            picture.split("viewBox=\"0 0 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!(picture.contains(&format!("M{} 4h7v1h-7z", side - 11)), "{picture}");
        assert!(picture.contains(&format!("M4 {}h7v1h-7z", side - 5)), "{picture}");
        assert_eq!(svg(&"x".repeat(5_000)), None);
    }
}
