//! Text of data and files in Markdown: whatever it holds, it stays text.

/// A code span of `text`, on one line; also in a cell of a table. Nothing in it is markup, HTML or a link.
pub(crate) fn code(text: &str) -> String {
    let line = line(text).replace('|', "\\|");
    let longest = line.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // A space beside a backtick, or around nothing, is taken off again.
    let pad = if line.is_empty() || line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{line}{pad}{fence}")
}

/// The words of `text`: letters, digits, and spaces for all else.
pub(crate) fn words(text: &str) -> String {
    let text = text.replace(|c: char| !c.is_alphanumeric(), " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A link's target that is the path of a file.
pub(crate) fn target(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// `text` on one line.
fn line(text: &str) -> String {
    let is_break = |c: char| c.is_control() || ['\u{2028}', '\u{2029}'].contains(&c);
    text.replace(is_break, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_holds_whatever_it_is_given() {
        assert_eq!(code("csv:bits.csv"), "`csv:bits.csv`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code("x\n\n# head\r<img src=x> | y"), "`x  # head <img src=x> \\| y`");
        assert_eq!(code(""), "`  `");
    }

    #[test]
    fn captions_are_words_and_targets_are_paths() {
        assert_eq!(words("layer-0.curves](http://x) <b>"), "layer 0 curves http x b");
        assert_eq!(target("a/layer-0.curves.svg"), "a/layer-0.curves.svg");
        assert_eq!(target("x) ![y](z\n.png"), "x%29%20%21%5By%5D%28z%0A.png");
    }
}
