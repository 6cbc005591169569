//! The book in `docs/src` and the other pages of the repository: what they link to is there, the commands that they
//! show run and print what they say, and they use plain words.

#[cfg(unix)]
mod commands;
mod links;
mod words;
mod works;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::path::{Path, PathBuf};

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A page of Markdown.
struct Page {
    /// Where it is, from the root of the repository.
    name: String,
    text: String,
}

/// A block of code.
struct Block {
    /// Line of its first line of code, from 1.
    line: usize,
    /// The words behind the opening fence, such as `console` and `exact`.
    tags: Vec<String>,
    code: String,
}

impl Block {
    fn is(&self, tag: &str) -> bool {
        self.tags.iter().any(|word| word == tag)
    }

    /// The file that the reader is asked to save it as: `file=NAME`.
    fn file(&self) -> Option<&str> {
        self.tags.iter().find_map(|tag| tag.strip_prefix("file="))
    }
}

impl Page {
    fn read(name: &str) -> Self {
        let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name: name.to_string(), text }
    }

    fn events(&self) -> impl Iterator<Item = (Event<'_>, std::ops::Range<usize>)> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES).into_offset_iter()
    }

    /// The line at a place of the text, from 1.
    fn line(&self, place: usize) -> usize {
        self.text[..place].matches('\n').count() + 1
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut inside = false;
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let tags = info.split([',', ' ']).filter(|tag| !tag.is_empty()).map(str::to_string).collect();
                    blocks.push(Block { line: self.line(range.start) + 1, tags, code: String::new() });
                    inside = true;
                }
                Event::End(TagEnd::CodeBlock) => inside = false,
                Event::Text(text) if inside => blocks.last_mut().unwrap().code.push_str(&text),
                _ => {}
            }
        }
        blocks
    }
}

/// The pages of the book, in the order of its summary.
fn chapters() -> Vec<Page> {
    let summary = Page::read("docs/src/SUMMARY.md");
    let links = summary.events().filter_map(|(event, _)| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    });
    links.map(|name| Page::read(&format!("docs/src/{name}"))).collect()
}

/// The book and the README.
fn shown() -> Vec<Page> {
    let mut pages = chapters();
    pages.push(Page::read("README.md"));
    pages
}
