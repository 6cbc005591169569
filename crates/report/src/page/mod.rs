//! The page: one HTML file without anything from elsewhere. What goes in is escaped by maud; what runs is named by its
//! hash in the page's content-security policy, so that nothing else does.

mod compare;
mod curves;
mod data;
mod drawn;
mod filters;
mod head;
mod health;
mod samples;
mod shell;
mod table;
mod words;

pub use compare::compare;

use crate::content::{Content, State};
use maud::{Markup, html};
use shell::{foot, whole};

/// The page of a run.
#[must_use]
pub fn page(content: &Content) -> String {
    let charts = curves::Charts::of(content);
    let sections: [(&str, &str, Option<Markup>); 11] = [
        ("curves", "Curves", Some(charts.section(content))),
        ("filters", "Filters", filters::section(content)),
        ("drawn", "Pictures", drawn::section(content)),
        ("reconstructions", "Reconstructions", samples::section(content, "reconstructions")),
        ("fantasies", "Fantasies", samples::section(content, "fantasies")),
        ("table", "Data and samples", table::section(content)),
        ("labels", "Labels", samples::confusion(content)),
        ("health", "Health", Some(health::section(content))),
        ("settings", "Settings", Some(words::settings(content))),
        ("glossary", "Glossary", Some(words::glossary(content))),
        ("next", "Next", Some(words::next(content))),
    ];
    let shown = || sections.iter().filter_map(|(id, name, section)| Some((*id, *name, section.as_ref()?)));
    let body = html! {
        (head::header(content))
        nav aria-label="Sections" { @for (id, name, _) in shown() { a href={ "#" (id) } { (name) } } }
        main {
            (head::verdict(content))
            @for (id, name, section) in shown() {
                section id=(id) { h2 { (name) } (section) }
            }
        }
        (foot())
    };
    whole(&content.title, &body, &charts.data, content.state == State::Running)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::observed::{Confusion, Marginal, Observed, Sheet, Table, Units, Warned};
    use crate::weights::{LayerView, Weights};
    use crate::{Drawn, Next, Setting};

    const BAD: &str = "</script><b onclick='x'>\"&\u{1b}[2J";

    fn content(metrics: &str, observed: Observed) -> Content {
        let weights: Vec<f32> = (0..32).map(|i| i as f32 / 10.0 - 1.0).collect();
        let layer = Weights {
            name: BAD.into(),
            filters: &weights,
            own: &weights,
            inputs: 4,
            shape: Some((2, 2)),
            projected: false,
            visible: Vec::new(),
            width: 4,
            probabilities: true,
        };
        let word = || BAD.to_string();
        Content {
            title: word(),
            run: word(),
            verb: word(),
            state: State::Running,
            facts: vec![(word(), word())],
            planned: Some(9),
            metrics: Metrics::read(metrics.as_bytes()),
            tested: [(word(), 0.5)].into(),
            classes: 2,
            numbers: 0,
            valid: 0,
            l1b_cost: None,
            layers: vec![LayerView::new(&layer, 1000)],
            observed,
            drawn: vec![Drawn { name: BAD.to_string() + ".svg", caption: word(), bytes: BAD.into() }],
            settings: vec![Setting { key: word(), value: word(), default: word(), meaning: word() }],
            next: vec![Next { command: word(), what: word() }],
            notes: vec![word()],
            written: 1,
        }
    }

    fn observed() -> Observed {
        let word = || BAD.to_string();
        let row = || vec![vec![word()]];
        Observed {
            command: Some(word()),
            epochs: 7,
            warnings: vec![Warned { layer: 0, epoch: 1, text: word() }],
            class_names: vec![word(), word()],
            sheets: vec![Sheet {
                kind: "fantasies".into(),
                epochs: 7,
                title: word(),
                column_labels: vec![word()],
                row_labels: vec![word()],
                captions: row(),
                width: 2,
                height: 1,
                rows: vec![vec![Sheet::greys(&[0.0, 1.0])]],
            }],
            units: vec![Units { samples: 3, activity: vec![0.5; 8], class: vec![1; 8] }],
            confusion: Some(Confusion { of: word(), counts: vec![vec![3, 1], vec![0, usize::MAX]] }),
            table: Some(Table {
                columns: vec![word()],
                data: row(),
                reconstructions: row(),
                samples: row(),
                of: word(),
                compared: (1, 1),
                marginals: vec![Marginal { name: word(), values: vec![word()], data: vec![1.0], samples: vec![0.5] }],
                correlations: None,
            }),
            gaps: true,
            samples: 30,
            compared: None,
        }
    }

    /// What has a name of its own is text wherever it stands, and nothing has a style or a script of its own, which
    /// the page's policy would not let run.
    #[test]
    fn names_are_text_in_every_section() {
        let metrics =
            "{\"epoch\":1,\"reconstruction_cost\":3.5,\"</script><b>\":1}\n{\"epoch\":2,\"reconstruction_cost\":2.5}";
        let page = page(&content(metrics, observed()));
        assert!(!page.contains("<b onclick") && !page.contains('\u{1b}'));
        assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
        assert!(!page.contains(" style=") && !page.contains("javascript:") && !page.contains("://"));
        for section in
            ["curves", "filters", "drawn", "fantasies", "table", "labels", "health", "settings", "glossary", "next"]
        {
            assert!(page.contains(&format!("<section id=\"{section}\"")), "{section}");
        }
        assert!(page.contains("data-refresh=\"10\"") && page.contains("data:image/png;base64,"));
        assert!(page.contains("\"y\":[3.5,2.5]"), "the points are the metrics' own");
    }

    #[test]
    fn a_run_that_has_nothing_yet_has_a_page() {
        let page = page(&content("", Observed::default()));
        assert!(page.contains("Nothing has been measured yet") && !page.contains("id=\"fantasies\""));
        let two = compare(&[content("", Observed::default()), content("{\"epoch\":1,\"cost\":1}", observed())]);
        assert!(two.contains("2 runs compared") && !two.contains("<b onclick"));
    }

    /// The policy names the hash of what the page has, so that a change of either is seen.
    #[test]
    fn the_policy_is_that_of_the_page() {
        let page = page(&content("", Observed::default()));
        let between = |start: &str, end: &str| {
            let from = page.find(start).unwrap() + start.len();
            page[from..from + page[from..].find(end).unwrap()].to_string()
        };
        assert!(page.contains(&data::hash(&between("<style>", "</style>"))));
        let script = between("<script>", "</script>");
        assert!(page.contains(&data::hash(&script)));
    }
}
