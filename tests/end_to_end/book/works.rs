//! The page of what works where says "yes" and "no" of kinds of units and verbs; each is tried here on a small table.

use super::Page;
use crate::{Place, numbers};
use std::fmt::Write as _;

/// What each row of the tables means: a start of the row, and words of `dbn` that all succeed, or none. `{k}` is a
/// kind of units.
const ROWS: &[(&str, &[&str])] = &[
    (
        "`dbn pretrain`",
        &["pretrain --data csv:{v}.csv --label-column y --hidden 4 --hidden-units {h} --epochs 1 --out p"],
    ),
    (
        "`dbn stack --labels none`",
        &[
            "stack --data csv:{v}.csv --label-column y --labels none --layers 4,3 --hidden-units bernoulli,{h} --epochs 1 --out n",
        ],
    ),
    (
        "`dbn stack` with labels, one layer",
        &["stack --data csv:{v}.csv --label-column y --layers 4 --hidden-units {h} --epochs 1 --out one"],
    ),
    (
        "`dbn stack` with labels",
        &["stack --data csv:{v}.csv --label-column y --layers 4,3 --hidden-units bernoulli,{h} --epochs 1 --out l"],
    ),
    ("`dbn tune`", &["tune n --top-steps 1x1 --out t"]),
    ("`dbn finetune`", &["finetune n --epochs 1 --out c", "finetune n --as autoencoder --epochs 1 --out a"]),
    (
        "`dbn eval`",
        &[
            "eval p --estimate --temperatures 20 --chains 4 --burn-in 2",
            "score p --out s.csv",
            "sample p --steps 2 --out s.csv",
            "impute p --data csv:{v}.csv --out s.csv",
            "reconstruct p --split train --out s.csv",
            "encode p --out s.csv",
        ],
    ),
    ("`dbn export --as mlp`, `npz`", &["export p --as mlp --out s.safetensors", "export p --as npz --out s.npz"]),
    ("`dbn export --as mlp`", &["export p --as mlp --out s.safetensors"]),
    ("`dbn export --as npz`", &["export p --as npz --out s.npz"]),
    ("`dbn export --as pgm`", &["export p --as pgm --out g.npz", "export p --as rbm-jl --out g.h5"]),
    ("`dbn export --as rbms`", &["export p --as rbms --out r.h5"]),
];

/// A table of six columns of a kind and the class of each row.
fn table(kind: &str) -> String {
    let mut random = numbers(5);
    let mut text = "a,b,c,d,e,f,y\n".to_string();
    for row in 0..60u32 {
        for _ in 0..6 {
            let number = random.next().unwrap();
            let on = number % 10 < 3 + 4 * (row % 2);
            let _ = match kind {
                "bernoulli" => write!(text, "{},", u8::from(on)),
                "spin" => write!(text, "{},", if on { 1 } else { -1 }),
                "categorical" => write!(text, "{},", ["A", "C", "G", "T"][number as usize % 4]),
                _ => write!(text, "{:.3},", f64::from(number) / 1e4 + f64::from(row % 2)),
            };
        }
        let _ = writeln!(text, "{}", ["u", "v"][row as usize % 2]);
    }
    text
}

/// The tables of a page: rows of cells.
fn tables(page: &Page) -> Vec<Vec<Vec<&str>>> {
    let mut tables: Vec<Vec<Vec<&str>>> = Vec::new();
    let mut inside = false;
    for line in page.text.lines() {
        if let Some(line) = line.strip_prefix('|') {
            if !inside {
                tables.push(Vec::new());
            }
            let cells = line.trim_end().trim_end_matches('|').split('|').map(str::trim);
            tables.last_mut().unwrap().push(cells.collect());
        }
        inside = line.starts_with('|');
    }
    tables
}

/// What the column `column` of a table says that is not so, with these visible and hidden units.
fn wrong(rows: &[Vec<&str>], column: usize, visible: &str, hidden: &str) -> Vec<String> {
    let place = Place::new();
    std::fs::write(place.path(&format!("{visible}.csv")), table(visible)).unwrap();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for row in rows {
        let (name, said) = (row[0], row[column]);
        let Some((_, commands)) = ROWS.iter().find(|(start, _)| name.starts_with(start)) else { continue };
        if !["yes", "no"].contains(&said) {
            continue;
        }
        seen += 1;
        for words in *commands {
            let words = words.replace("{v}", visible).replace("{h}", hidden);
            let output = place.run(&format!("{words} -q"));
            if output.status.success() != (said == "yes") {
                let error = crate::stderr(&output);
                wrong.push(format!("{visible} under {hidden}: {name} says {said}: dbn {words}\n{error}"));
            }
        }
    }
    assert!(seen > 6, "{seen} rows were tried");
    wrong
}

#[test]
fn what_works_where_is_so() {
    let page = Page::read("docs/src/what-works-where.md");
    let tables = tables(&page);
    let (visible, hidden) = (&tables[0], &tables[1]);
    let mut found = Vec::new();
    for column in 1..visible[0].len() {
        found.extend(wrong(visible, column, &visible[0][column].to_lowercase(), "bernoulli"));
    }
    for column in 1..hidden[0].len() {
        found.extend(wrong(hidden, column, "bernoulli", &hidden[0][column].to_lowercase()));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
