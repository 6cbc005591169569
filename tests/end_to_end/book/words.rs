//! Words that nothing here uses, because a reader has to stop at them: pages, help, messages and comments are searched.
//! To mend a place, write the sentence again for someone who reads it once; the words behind each are only a start.

use super::root;
use std::path::{Path, PathBuf};

/// What is not written, and what may be.
const UNUSED: &[(&str, &str)] = &[
    ("anew", "again"),
    ("told", "predicted, said, given, reported"),
    ("come to", "reach, become, give"),
    ("comes to", "reaches, becomes, gives"),
    ("came to", "reached, became, gave"),
    ("coming to", "reaching"),
    ("go by", "use, follow"),
    ("goes by", "uses, follows"),
    ("went by", "used, followed"),
    ("gone on with", "resumed"),
    ("unasked", "without being asked"),
    ("be had", "be computed, be found"),
    ("of late", "recent"),
    ("of before", "earlier"),
    ("in the place of", "instead of"),
    ("held against", "compared with"),
    ("as ever", "as before"),
    ("to either side", "±"),
    ("believes in", "generates"),
    ("whereof", "of which"),
    ("thereof", "of it"),
    ("whence", "from which"),
    ("lest", "so that ... not"),
];

/// The words of a text in order, in small letters, with the lines that they are on; an empty one where a phrase ends.
type Words = Vec<(String, usize)>;

/// Adds the words of a piece of text that begins on this line.
fn add_words(words: &mut Words, text: &str, line: &mut usize) {
    let mut word = String::new();
    let mut named = false;
    for c in text.chars() {
        if c.is_alphanumeric() || c == '_' || c == '\'' {
            word.extend(c.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            // `{told}` is a value.
            let word = std::mem::take(&mut word);
            words.push((if named { String::new() } else { word }, *line));
        }
        named = c == '{';
        match c {
            '\n' => *line += 1,
            c if c.is_whitespace() || c == '\\' => {}
            _ => words.push((String::new(), *line)),
        }
    }
    if !word.is_empty() {
        words.push((word, *line));
    }
}

/// What is a comment or a text in quotes at the start of Rust code: its length, and the part that has words.
fn spoken(code: &str) -> Option<(usize, &str)> {
    let until = |end: &str, open: usize| code[open..].find(end).map_or(code.len(), |length| open + length);
    if code.starts_with("//") {
        let end = until("\n", 2);
        // The end of the line stays outside, so that a sentence goes on in the next comment.
        return Some((end, code[..end].trim_start_matches(['/', '!'])));
    }
    if code.starts_with("/*") {
        let end = until("*/", 2);
        return Some((end, &code[2..end]));
    }
    for (open, close) in [("r\"", "\""), ("r#\"", "\"#"), ("r##\"", "\"##")] {
        if code.starts_with(open) {
            let end = until(close, open.len());
            return Some(((end + close.len()).min(code.len()), &code[open.len()..end]));
        }
    }
    if let Some(text) = code.strip_prefix('"') {
        let mut escaped = false;
        let end = text.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let text = &text[..end.unwrap_or(text.len())];
        return Some(((text.len() + 2).min(code.len()), text));
    }
    ["'\"'", "'\\\"'"].iter().find(|quote| code.starts_with(**quote)).map(|quote| (quote.len(), ""))
}

/// The words of comments and texts in Rust code.
fn of_rust(code: &str) -> Words {
    let (mut words, mut line, mut at) = (Vec::new(), 1, 0);
    let mut blank = true;
    while at < code.len() {
        let rest = &code[at..];
        let part_of_a_name = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if let Some((length, text)) = spoken(rest).filter(|_| !(rest.starts_with('r') && part_of_a_name)) {
            if !blank {
                words.push((String::new(), line));
            }
            let after = line + rest[..length].matches('\n').count();
            add_words(&mut words, text, &mut line);
            line = after;
            at += length;
            blank = true;
            continue;
        }
        let c = rest.chars().next().unwrap();
        line += usize::from(c == '\n');
        blank &= c.is_whitespace();
        at += c.len_utf8();
    }
    words
}

/// Where a text has words that are not used.
fn found(words: &Words) -> Vec<(usize, &'static str, &'static str)> {
    let mut found = Vec::new();
    for (unused, instead) in UNUSED {
        let phrase: Vec<&str> = unused.split(' ').collect();
        let hits = words.windows(phrase.len()).filter(|window| window.iter().map(|(word, _)| word).eq(phrase.iter()));
        found.extend(hits.map(|window| (window[0].1, *unused, *instead)));
    }
    found
}

/// Pages, code and scripts of the repository, below this folder.
fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_symlink() || name.starts_with('.') && name != ".ci" {
            continue;
        }
        if path.is_dir() {
            // What is built, and what other programs wrote.
            let others = ["target", "runs", "golden", "node_modules", "__pycache__"].contains(&name.as_str());
            if !others && !path.ends_with("data/assets") && !path.ends_with("docs/book") {
                files(&path, out);
            }
        } else if name != "words.rs"
            && [".md", ".rs", ".py", ".toml", ".cu", ".cuh", ".snap"].iter().any(|end| name.ends_with(end))
            || ["justfile", "run"].contains(&name.as_str())
            || folder.ends_with("scripts")
        {
            out.push(path);
        }
    }
}

#[test]
fn words_that_stop_a_reader_are_not_used() {
    let (root, mut paths, mut wrong) = (root(), Vec::new(), Vec::new());
    files(&root, &mut paths);
    paths.sort();
    for path in paths {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let words = if path.extension().is_some_and(|end| end == "rs") {
            of_rust(&text)
        } else {
            let mut words = Vec::new();
            // Comments of scripts go on from line to line behind their sign.
            let lines: Vec<&str> =
                text.lines().map(|line| line.trim_start().trim_start_matches("//").trim_start_matches('#')).collect();
            add_words(&mut words, &lines.join("\n"), &mut 1);
            words
        };
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        wrong.extend(
            found(&words).into_iter().map(|(line, unused, instead)| format!("{name}:{line}: '{unused}': {instead}")),
        );
    }
    assert!(wrong.is_empty(), "{} places\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn comments_and_texts_are_searched_and_names_are_not() {
    let code = "/// It is\n/// told so.\nlet told = \"a \\\" told\"; // what this comes\n// to\nlet x = r#\"anew {told}\"#; told(); '\"'; \"as\", \"ever\"";
    let found: Vec<(usize, &str)> = found(&of_rust(code)).into_iter().map(|(line, word, _)| (line, word)).collect();
    assert_eq!(found, [(5, "anew"), (2, "told"), (3, "told"), (3, "comes to")]);
}
