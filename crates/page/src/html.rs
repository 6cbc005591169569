//! The HTML file: `assets/shell.html` with the parts of a page put in, under a policy that allows those alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deepbelief_report::chart::escaped;
use sha2::{Digest, Sha256};

const SHELL: &str = include_str!("../assets/shell.html");
const STYLE: &str = include_str!("../assets/style.css");

/// What a page is made of.
pub(crate) struct Parts<'a> {
    /// Its title.
    pub(crate) title: &'a str,
    /// What it says until it is ready.
    pub(crate) loading: &'a str,
    /// What stands between title and scripts.
    pub(crate) main: &'a str,
    /// What is known of the model, as JSON.
    pub(crate) header: &'a str,
    /// The deflated weights.
    pub(crate) weights: &'a [u8],
    /// The script of the engine.
    pub(crate) engine: &'a str,
    /// The script of what one sees.
    pub(crate) page: &'a str,
}

impl Parts<'_> {
    /// The file.
    pub(crate) fn file(&self) -> String {
        // The engine runs in a worker made of its own text, or in the page where a browser makes none.
        let policy = format!(
            "default-src 'none'; script-src '{}' '{}'; style-src '{}'; img-src data: blob:; worker-src blob:; \
             connect-src 'none'; base-uri 'none'; form-action 'none'",
            hash(self.engine),
            hash(self.page),
            hash(STYLE)
        );
        let parts = [
            ("policy", policy),
            ("title", escaped(self.title).into_owned()),
            ("style", STYLE.to_string()),
            ("loading", escaped(self.loading).into_owned()),
            ("main", self.main.to_string()),
            ("header", in_script(self.header)),
            ("weights", STANDARD.encode(self.weights)),
            ("engine", self.engine.to_string()),
            ("page", self.page.to_string()),
        ];
        filled(SHELL, &parts)
    }
}

/// Puts each part where the shell has its name in two braces, once.
fn filled(shell: &str, parts: &[(&str, String)]) -> String {
    let length: usize = parts.iter().map(|(_, part)| part.len()).sum();
    let mut out = String::with_capacity(shell.len() + length);
    let mut rest = shell;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after.split_once("}}").unwrap_or((after, ""));
        out.push_str(before);
        out.extend(parts.iter().filter(|(part, _)| *part == name).map(|(_, part)| part.as_str()));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The source of a policy that allows this text alone.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// JSON that no text in it can break out of: the same JSON, without a character that opens a tag.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        let (title, header) = ("</title><script>alert(1)</script>", r#"{"name":"</script><!--"}"#);
        let parts = Parts {
            title,
            loading: "",
            main: "<main></main>",
            header,
            weights: &[0],
            engine: "let a;",
            page: "let b;",
        };
        let file = parts.file();
        assert!(!file.contains("alert(1)</script>"));
        assert!(file.contains(r#"{"name":"\u003c/script>\u003c!--"}"#));
        assert!(file.contains("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    }

    /// A part that has braces in it is no place for another one.
    #[test]
    fn parts_are_put_in_once() {
        let parts = [("a", "{{b}}".to_string()), ("b", "2".to_string())];
        assert_eq!(filled("x{{a}}y{{b}}z", &parts), "x{{b}}y2z");
    }

    #[test]
    fn the_policy_names_the_scripts_as_they_stand() {
        let parts = Parts {
            title: "t",
            loading: "",
            main: "",
            header: "{}",
            weights: &[1, 2, 3],
            engine: "let a;",
            page: "let b;",
        };
        let file = parts.file();
        for (tag, end) in [("<script id=\"engine\" type=\"module\">", "</script>"), ("<style>", "</style>")] {
            let start = file.find(tag).expect(tag) + tag.len();
            let text = &file[start..start + file[start..].find(end).unwrap()];
            assert!(file.contains(&hash(text)), "{tag}");
        }
        assert!(!file.contains("unsafe-inline") && !file.contains("{{"));
    }
}
