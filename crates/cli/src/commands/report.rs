//! `dbn report`: the page of a run, or of several that are compared.

use crate::args::ReportArgs;
use crate::commands::files::{extension, require_folder, write_file};
use crate::failure::{Failure, Result};
use crate::report::{Report, table};
use crate::reporting::{content, draw_alignment_again};
use crate::run::folder::{REPORT, RunFolder};
use deepbelief_report::figures::{Better, FIGURES, Figure};
use deepbelief_report::{Content, compare, page};
use std::path::{Path, PathBuf};

/// Where a comparison is written, where no file is named.
const COMPARISON: &str = "compare.html";

/// Draws the page.
pub(crate) fn report(args: &ReportArgs, report: &Report) -> Result<()> {
    if args.figures {
        return report.data(&glossary());
    }
    if let ([run], false) = (args.runs.as_slice(), args.json) {
        draw_alignment_again(run, report);
    }
    let runs = args.runs.iter().map(|path| content(path, None)).collect::<Result<Vec<Content>>>()?;
    if args.json {
        return match runs.as_slice() {
            [run] => report.json(&run.json()),
            runs => report.json(&runs.iter().map(Content::json).collect::<Vec<_>>()),
        };
    }
    let out = match (&args.out, args.runs.as_slice()) {
        (Some(out), _) => out.clone(),
        (None, [run]) => run.join(REPORT),
        (None, _) => PathBuf::from(COMPARISON),
    };
    extension(&out, &["html"])?;
    require_folder(&out)?;
    require_free(&out)?;
    let text = match runs.as_slice() {
        [run] => page(run),
        runs => compare(runs),
    };
    write_file(&out, text.as_bytes())?;
    report.data(&format!("{}\n", out.display()))
}

/// Refuses to write a page over a run's other files.
fn require_free(out: &Path) -> Result<()> {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match RunFolder::find(folder) {
        Some((run, _)) if out.exists() && run.owns(out) => {
            Err(Failure::new(format!("{} is a file of the run, which would be overwritten", out.display()))
                .hint("write to another file"))
        }
        _ => Ok(()),
    }
}

/// Which way a figure should go.
fn better(figure: &Figure) -> &'static str {
    match figure.better {
        Better::Lower => "lower",
        Better::Higher => "higher",
        Better::Neither => "",
    }
}

/// What every figure means.
fn glossary() -> String {
    let row = |cells: [&str; 4]| cells.map(String::from).to_vec();
    let head = row(["figure", "unit", "better", "meaning"]);
    let rows = FIGURES.iter().map(|f| row([f.name, f.unit, better(f), f.meaning]));
    table(std::iter::once(head).chain(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// The table of the book between its two marks; `just docs-update` writes it.
    #[test]
    fn the_page_of_figures_has_the_same_sentences() {
        let (start, end) = ("<!-- made from the program: just docs-update -->\n", "<!-- end -->");
        let mut table = String::from("| name | unit | better | what it is |\n|---|---|---|---|\n");
        for figure in FIGURES {
            let _ =
                writeln!(table, "| `{}` | {} | {} | {} |", figure.name, figure.unit, better(figure), figure.meaning);
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/glossary.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(start).unwrap();
        let (_, after) = rest.split_once(end).unwrap();
        let made = format!("{before}{start}{table}{end}{after}");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        assert!(page == made, "docs/src/glossary.md is old: run `just docs-update`");
    }
}
