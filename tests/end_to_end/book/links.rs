//! What pages link to, and what they name, is there.

use super::{Page, chapters, root, shown};
use pulldown_cmark::{Event, Tag, TagEnd};
use std::collections::BTreeSet;
use std::path::Path;

/// Where a heading is linked to, as mdBook and GitHub make it: letters, digits, hyphens.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The anchors of a page.
fn anchors(page: &Page) -> BTreeSet<String> {
    let (mut found, mut heading) = (BTreeSet::new(), None);
    for (event, _) in page.events() {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let name = anchor(&heading.take().unwrap());
                let again = (1..).map(|number| format!("{name}-{number}"));
                let free = std::iter::once(name.clone()).chain(again).find(|name| !found.contains(name)).unwrap();
                found.insert(free);
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    found
}

/// What is wrong with the links of a page.
fn broken(page: &Page) -> Vec<String> {
    let folder = Path::new(&page.name).parent().unwrap();
    let in_book = page.name.starts_with("docs/src/");
    let mut wrong = Vec::new();
    for (event, range) in page.events() {
        let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else {
            continue;
        };
        if dest_url.contains("://") {
            continue;
        }
        let at = format!("{}:{}: {dest_url}", page.name, page.line(range.start));
        let (path, fragment) = dest_url.split_once('#').unwrap_or((&dest_url, ""));
        let name = if path.is_empty() { page.name.clone() } else { folder.join(path).display().to_string() };
        let Ok(file) = root().join(&name).canonicalize() else {
            wrong.push(format!("{at}: no such file"));
            continue;
        };
        if in_book && !file.starts_with(root().join("docs/src")) {
            wrong.push(format!("{at}: lies outside the book; name the file as `code` instead"));
        }
        if !fragment.is_empty() && !anchors(&Page::read(&name)).contains(fragment) {
            wrong.push(format!("{at}: no such heading"));
        }
    }
    wrong
}

/// Names of the repository's files among the words set as code that are no file.
fn missing(page: &Page) -> Vec<String> {
    let folders = ["models/", "bench/", "crates/", "tests/", "examples/", "scripts/", "docs/", "fuzz/"];
    let mut wrong = Vec::new();
    for (event, range) in page.events() {
        let Event::Code(code) = event else { continue };
        let is_name = folders.iter().any(|folder| code.starts_with(folder)) && !code.contains([' ', '*', '{', '<']);
        if is_name && !root().join(&*code).exists() {
            wrong.push(format!("{}:{}: no file {code}", page.name, page.line(range.start)));
        }
    }
    wrong
}

#[test]
fn links_of_every_page_lead_somewhere() {
    let others =
        ["ARCHITECTURE.md", "CHANGELOG.md", "models/REPRODUCTION.md", "models/mnist-dbn.md", "models/mnist-rbm.md"];
    let mut pages = shown();
    pages.extend(["docs/src/SUMMARY.md"].iter().chain(&others).map(|name| Page::read(name)));
    let wrong: Vec<String> = pages.iter().flat_map(broken).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_that_the_book_names_are_there() {
    let wrong: Vec<String> = shown().iter().flat_map(missing).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_of_the_book_is_in_its_summary() {
    let listed: BTreeSet<String> = chapters().into_iter().map(|page| page.name).collect();
    for entry in std::fs::read_dir(root().join("docs/src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.extension().is_some_and(|end| end == "md") && name != "SUMMARY.md" {
            assert!(listed.contains(&format!("docs/src/{name}")), "{name} is not in docs/src/SUMMARY.md");
        }
    }
}

/// A person who opens the README has to find what to type.
#[test]
fn the_readme_is_short_and_has_the_commands_of_a_fresh_clone() {
    let readme = Page::read("README.md");
    let lines = readme.text.lines().count();
    assert!(lines <= 150, "{lines} lines");
    for part in
        ["just pretrain", "cargo test --workspace", "dbn stack --layers 500,500,2000", "docs/src/what-works-where.md"]
    {
        assert!(readme.text.contains(part), "{part}");
    }
}
