//! Shapes as SVG. Colours are classes, so that a page and a picture alone may each have a light and a dark form.

use super::layout::{Anchor, Ink, Shape};
use std::borrow::Cow;
use std::fmt::Write as _;

/// A colour on light paper and on dark.
pub(crate) type Pair = ((u8, u8, u8), (u8, u8, u8));

/// Colours of lines by number, on light and on dark paper; later lines start again.
pub(crate) const LINES: [Pair; 6] = [
    ((31, 111, 180), (107, 177, 255)),
    ((205, 85, 10), (255, 158, 84)),
    ((36, 125, 60), (110, 210, 130)),
    ((130, 70, 170), (205, 160, 255)),
    ((160, 90, 30), (225, 180, 120)),
    ((190, 40, 110), (255, 140, 190)),
];

/// Other inks, likewise.
pub(crate) const TEXT: Pair = ((28, 32, 38), (230, 233, 238));
/// Of marks.
pub(crate) const SOFT: Pair = ((95, 102, 112), (160, 168, 180));
/// Of the grid.
pub(crate) const GRID: Pair = ((228, 231, 236), (48, 54, 64));
/// Of the axis.
pub(crate) const AXIS: Pair = ((140, 147, 158), (110, 118, 130));
/// What all stands on.
pub(crate) const PAPER: Pair = ((255, 255, 255), (22, 26, 32));

/// Style sheet of the classes, for light paper, or for dark.
pub(crate) fn colours(dark: bool) -> String {
    let mut css = String::new();
    let mut rule = |class: &str, (light, night): Pair| {
        let (r, g, b) = if dark { night } else { light };
        let _ = write!(css, ".p{class}{{stroke:rgb({r},{g},{b})}}.f{class}{{fill:rgb({r},{g},{b})}}");
    };
    for (number, colour) in LINES.into_iter().enumerate() {
        rule(&number.to_string(), colour);
    }
    for (class, colour) in [("t", TEXT), ("s", SOFT), ("g", GRID), ("a", AXIS), ("w", PAPER)] {
        rule(class, colour);
    }
    css
}

/// A text as one line that XML 1.0 allows, at most so long, with its markup escaped.
pub(crate) fn text(text: &str, most: usize) -> String {
    escaped(&plain(text, most)).into_owned()
}

/// A text as one line without characters that XML 1.0 or a terminal would trip over.
pub(crate) fn plain(text: &str, most: usize) -> String {
    let bad = |c: char| c.is_control() || "\u{fffe}\u{ffff}".contains(c);
    let mut line = String::new();
    for (place, c) in text.chars().enumerate() {
        if place >= most {
            line.push('\u{2026}');
            break;
        }
        if bad(c) {
            let _ = write!(line, "\\u{:04x}", u32::from(c));
        } else {
            line.push(c);
        }
    }
    line
}

/// A text with its markup escaped, for SVG and HTML.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '>', '&', '"', '\'']) {
        return text.into();
    }
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
        .into()
}

fn class(ink: Ink) -> String {
    match ink {
        Ink::Text => "t".into(),
        Ink::Soft => "s".into(),
        Ink::Grid => "g".into(),
        Ink::Axis => "a".into(),
        Ink::Line(number) => (number % LINES.len()).to_string(),
    }
}

/// Shapes as elements of an SVG picture.
pub(crate) fn svg(shapes: &[Shape]) -> String {
    let mut svg = String::new();
    for shape in shapes {
        let _ = match shape {
            Shape::Path { points, ink, width, dashed } => {
                let dashes = if *dashed { r#" stroke-dasharray="6 4""# } else { "" };
                let class = class(*ink);
                write!(
                    svg,
                    r#"<path class="p{class}" fill="none" stroke-width="{width}"{dashes} stroke-linejoin="round" d=""#
                )
                .and_then(|()| {
                    let mut before = 'M';
                    points.iter().try_for_each(|(x, y)| {
                        let command = std::mem::replace(&mut before, 'L');
                        write!(svg, "{command}{x:.1} {y:.1}")
                    })
                })
                .and_then(|()| write!(svg, r#""/>"#))
            }
            Shape::Band { x, upper, lower, ink } => {
                let there = x.iter().zip(upper);
                let back = x.iter().zip(lower).rev();
                write!(svg, r#"<polygon class="f{}" opacity="0.22" points=""#, class(*ink))
                    .and_then(|()| there.chain(back).try_for_each(|(x, y)| write!(svg, "{x:.1},{y:.1} ")))
                    .and_then(|()| write!(svg, r#""/>"#))
            }
            Shape::Dot { at: (x, y), radius, ink } => {
                write!(svg, r#"<circle class="f{}" cx="{x:.1}" cy="{y:.1}" r="{radius:.1}"/>"#, class(*ink))
            }
            Shape::Text { at: (x, y), anchor, text, size, bold, ink } => {
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                let weight = if *bold { r#" font-weight="600""# } else { "" };
                write!(
                    svg,
                    r#"<text class="f{}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size:.1}"{weight}>{}</text>"#,
                    class(*ink),
                    self::text(text, 100)
                )
            }
        };
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The characters of XML 1.0 are tab, line breaks and all from the space on, but for two (section 2.2).
    #[test]
    fn any_name_is_text_of_legal_characters() {
        let all: String = ('\0'..=char::MAX).collect();
        let legal = |c: char| "\t\n\r".contains(c) || c >= ' ' && !"\u{fffe}\u{ffff}".contains(c);
        for start in (0..0x300).chain(0xff80..0x10010) {
            let name: String = all.chars().skip(start).take(20).collect();
            assert!(plain(&name, 100).chars().all(legal), "{start:x}");
        }
        assert_eq!(text("<b>&\u{1b}[2J\u{ffff}\n\"'", 99), "&lt;b&gt;&amp;\\u001b[2J\\uffff\\u000a&quot;&#39;");
        assert_eq!(text("abc", 2), "ab\u{2026}");
    }
}
