//! The column of a table that may be the class of its samples, where nobody named one: by its name, or by its place and its
//! values. It is a guess, so the reason is part of it.

use super::recipe::said;
use crate::args::CheckArgs;
use deepbelief_data::{ColumnKind, Examination, shell_quoted};

/// Names that such columns have.
const NAMES: [&str; 16] = [
    "class",
    "classes",
    "label",
    "labels",
    "target",
    "species",
    "diagnosis",
    "outcome",
    "category",
    "y",
    "klasse",
    "art",
    "ziel",
    "kategorie",
    "diagnose",
    "group",
];

/// Values of one, at most.
const MOST_CLASSES: usize = 50;

/// Samples that each value has on average, at least.
const LEAST_SAMPLES: usize = 5;

/// Other columns of few values that must be alike for one to stand out.
const LEAST_ALIKE: usize = 3;

/// A column that may be the class.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClassColumn {
    /// Its name; `first` or `last` where it has none.
    pub(super) column: String,
    values: usize,
    why: &'static str,
}

/// A column of few values with the name of a class, else the last or the first column if its values are of another sort
/// than those of the others.
pub(super) fn found(found: &Examination) -> Option<ClassColumn> {
    if found.train.classes.is_some() || found.schema.alphabet().is_some() {
        return None;
    }
    let all = found.schema.each().enumerate().filter(|(_, (_, kind))| kind.units() > 0);
    let (places, columns): (Vec<usize>, Vec<(Option<&str>, &ColumnKind)>) = all.unzip();
    let (Some(last), true) = (columns.len().checked_sub(1), columns.len() > 1) else { return None };
    let candidate = |at: usize, values: usize, why: &'static str| {
        let fits = (2..=MOST_CLASSES).contains(&values) && values * LEAST_SAMPLES <= found.train.samples;
        let place = if at == 0 { "first" } else { "last" };
        fits.then(|| ClassColumn { column: columns[at].0.unwrap_or(place).to_string(), values, why })
    };
    let few = |at: usize| Some(levels(columns[at].1)?.len());
    let numbers = |at: usize| found.whole_levels.get(places[at]).copied();
    let is_named = |at: &usize| columns[*at].0.is_some_and(|name| NAMES.contains(&name.trim().to_lowercase().as_str()));
    let of_name = |at: usize| candidate(at, few(at).or_else(|| numbers(at))?, "by its name");
    let by_name = (0..columns.len()).rev().filter(is_named).find_map(of_name);
    by_name.or_else(|| [last, 0].into_iter().find_map(|at| candidate(at, few(at)?, stands_out(&columns, at)?)))
}

/// The values of a column of few.
fn levels(kind: &ColumnKind) -> Option<Vec<&str>> {
    match kind {
        ColumnKind::Categorical { levels } => Some(levels.iter().map(String::as_str).collect()),
        ColumnKind::Binary { off, on } => Some(vec![off.as_str(), on.as_str()]),
        _ => None,
    }
}

/// Why the first or the last column is unlike the others, if it is.
fn stands_out(columns: &[(Option<&str>, &ColumnKind)], at: usize) -> Option<&'static str> {
    let is_of_texts = |values: &[&str]| values.iter().any(|value| value.parse::<f64>().is_err());
    let own = levels(columns[at].1)?;
    let others: Vec<Vec<&str>> = (0..columns.len()).filter(|&k| k != at).filter_map(|k| levels(columns[k].1)).collect();
    let share = |a: &[&str], b: &[&str]| a.iter().any(|value| b.contains(value));
    let is_first = at == 0;
    if others.is_empty() {
        return Some(if is_first {
            "it is the first, and all others are numbers"
        } else {
            "it is the last, and all others are numbers"
        });
    }
    if !is_first && is_of_texts(&own) && !others.iter().any(|values| is_of_texts(values)) {
        return Some("it is the last, and the only one of texts");
    }
    let are_alike = others.len() >= LEAST_ALIKE && others.iter().all(|values| share(values, &others[0]));
    (are_alike && !others.iter().any(|values| share(values, &own))).then_some(if is_first {
        "it is the first, and the other columns of few values have other values, which they share"
    } else {
        "it is the last, and the other columns of few values have other values, which they share"
    })
}

/// For people, with the command that takes it as the class.
pub(super) fn suggestion(args: &CheckArgs, class: &ClassColumn) -> String {
    let column = shell_quoted(&class.column);
    let data = [shell_quoted(&args.data.to_string())].into_iter().chain(said(args)).collect::<Vec<_>>().join(" ");
    let stack = if args.verb == "stack" { " --for stack" } else { "" };
    let ClassColumn { column: name, values, why } = class;
    format!(
        "column {name:?} has {values} values and may be the class of a sample ({why}); `dbn check {data} --label-column \
         {column}{stack}` takes it as the label, else it is learned like any other column"
    )
}

#[cfg(test)]
mod tests {
    use deepbelief_data::{LoadOptions, Source, VisibleUnits, examine};

    fn class_of(header: &str, row: impl Fn(usize) -> String, options: &LoadOptions) -> Option<(String, usize)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, format!("{header}{}", (0..60).map(row).collect::<String>())).unwrap();
        let options = LoadOptions { visible_units: VisibleUnits::Auto, ..options.clone() };
        let found = super::found(&examine(&Source::Csv(path), &options, None).unwrap())?;
        Some((found.column, found.values))
    }

    fn number(k: usize) -> f64 {
        k as f64 * 0.37
    }

    #[test]
    fn a_column_of_few_values_with_the_name_of_a_class_is_found() {
        let plain = LoadOptions::default();
        let named = |k: usize| format!("{},{},{}\n", ["x", "y"][k % 2], number(k), ["m", "f"][k / 2 % 2]);
        assert_eq!(class_of("Species,width,sex\n", named, &plain), Some(("Species".into(), 2)));
        assert_eq!(class_of("place,width,sex\n", named, &plain), None, "two columns of texts");
        let numbers = |k: usize| format!("{},{}\n", number(k), k as f64 * 1.7);
        assert_eq!(class_of("class,width\n", numbers, &plain), None, "a column of numbers");
        let digits = |k: usize| format!("{},{}\n", number(k), k % 10);
        assert_eq!(class_of("width,class\n", digits, &plain), Some(("class".into(), 10)));
        assert_eq!(class_of("width,grade\n", digits, &plain), None, "another name");
        let wide = |k: usize| format!("{},{}\n", number(k), k % 30);
        assert_eq!(class_of("width,class\n", wide, &plain), None, "two samples each");
        let spins = |k: usize| format!("{},{}\n", number(k), [-1, 1][k % 2]);
        assert_eq!(class_of("width,target\n", spins, &plain), Some(("target".into(), 2)));
        let many = |k: usize| format!("{},name{}\n", number(k), k % 30);
        let levels = LoadOptions { column_types: "class=categorical".parse().unwrap(), ..LoadOptions::default() };
        assert_eq!(class_of("width,class\n", many, &levels), None, "two samples each");
    }

    #[test]
    fn a_column_at_an_end_whose_values_are_of_another_sort_is_found() {
        let plain = LoadOptions::default();
        let flower = |k: usize| format!("{},{},{}\n", number(k), k * k % 41, ["a", "b", "c"][k % 3]);
        assert_eq!(class_of("width,length,kind\n", flower, &plain), Some(("kind".into(), 3)), "the others are numbers");
        let labelled = LoadOptions { label_column: Some("kind".into()), ..plain.clone() };
        assert_eq!(class_of("width,length,kind\n", flower, &labelled), None);
        let letter = |k: usize| format!("{},{},{}\n", ["a", "b", "c"][k % 3], number(k), k * k % 41);
        assert_eq!(class_of("letter,width,length\n", letter, &plain), Some(("letter".into(), 3)));
        let yes = |k: usize| ["y", "n"][k % 2];
        let votes = |k: usize| format!("{},{},{},{}\n", ["rep", "dem"][k % 2], yes(k), yes(k / 2), yes(k / 3));
        assert_eq!(class_of("party,v1,v2,v3\n", votes, &plain), Some(("party".into(), 2)));
        assert_eq!(class_of("", votes, &plain), Some(("first".into(), 2)), "a table without names");
        let all = |k: usize| format!("{},{},{},{}\n", yes(k / 5), yes(k), yes(k / 2), yes(k / 3));
        assert_eq!(class_of("v0,v1,v2,v3\n", all, &plain), None, "all columns are of one sort");
        let few = |k: usize| format!("{},{},{},{}\n", number(k), yes(k), yes(k / 2), ["m", "f"][k / 3 % 2]);
        assert_eq!(
            class_of("width,smokes,drinks,sex\n", few, &plain),
            None,
            "two columns are too few to stand out from"
        );
    }
}
