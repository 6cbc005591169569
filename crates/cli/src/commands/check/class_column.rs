//! The column of a table that looks like the class of its samples, where nobody named one.

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
const MOST_CLASSES: usize = 20;

/// Samples that each value has on average, at least.
const LEAST_SAMPLES: usize = 5;

/// A column that looks like the class, and how many values it has: one of few values with such a name, else the last,
/// if it is the only one of texts.
pub(super) fn found(found: &Examination) -> Option<(String, usize)> {
    if found.train.classes.is_some() || found.schema.alphabet().is_some() {
        return None;
    }
    let few = |kind: &ColumnKind| match kind {
        ColumnKind::Categorical { levels } => Some(levels.len()),
        ColumnKind::Binary { .. } => Some(2),
        _ => None,
    };
    let fits = |values: &usize| *values <= MOST_CLASSES && values * LEAST_SAMPLES <= found.train.samples;
    let columns: Vec<(&str, &ColumnKind)> =
        found.schema.each().filter_map(|(name, kind)| Some((name?, kind))).collect();
    if columns.len() < 2 {
        return None;
    }
    let candidate = |&(name, kind): &(&str, &ColumnKind)| Some((name.to_string(), few(kind).filter(fits)?));
    let is_named = |name: &str| NAMES.contains(&name.trim().to_lowercase().as_str());
    let by_name = columns.iter().rev().filter(|(name, _)| is_named(name)).find_map(candidate);
    by_name.or_else(|| {
        let (last, others) = columns.split_last()?;
        let is_of_texts = |kind: &ColumnKind| match kind {
            ColumnKind::Categorical { levels } => levels.iter().any(|level| level.parse::<f64>().is_err()),
            ColumnKind::Binary { off, on } => off.parse::<f64>().is_err() || on.parse::<f64>().is_err(),
            _ => false,
        };
        let alone = is_of_texts(last.1) && !others.iter().any(|(_, kind)| is_of_texts(kind));
        candidate(last).filter(|_| alone)
    })
}

/// For people, with the command that takes it as the class.
pub(super) fn suggestion(args: &CheckArgs, (name, values): &(String, usize)) -> String {
    let (data, column) = (shell_quoted(&args.data.to_string()), shell_quoted(name));
    let stack = if args.verb == "stack" { " --for stack" } else { "" };
    format!(
        "column {name:?} has {values} values and looks like the class of a sample; `dbn check {data} --label-column \
         {column}{stack}` takes it as the label, else it is learned like any other column"
    )
}

#[cfg(test)]
mod tests {
    use deepbelief_data::{LoadOptions, Source, VisibleUnits, examine};

    fn class_of(header: &str, row: impl Fn(usize) -> String, options: &LoadOptions) -> Option<(String, usize)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, format!("{header}\n{}", (0..60).map(row).collect::<String>())).unwrap();
        let options = LoadOptions { visible_units: VisibleUnits::Auto, ..options.clone() };
        super::found(&examine(&Source::Csv(path), &options, None).unwrap())
    }

    #[test]
    fn a_column_of_few_values_with_such_a_name_or_place_is_found() {
        let plain = LoadOptions::default();
        let flower = |k: usize| format!("{},{},{}\n", k as f64 * 0.37, k * k % 41, ["a", "b", "c"][k % 3]);
        assert_eq!(class_of("width,length,kind", flower, &plain), Some(("kind".into(), 3)), "the last, of texts alone");
        let named = |k: usize| format!("{},{},{}\n", ["x", "y"][k % 2], k as f64 * 0.37, ["m", "f"][k / 2 % 2]);
        assert_eq!(class_of("Species,width,sex", named, &plain), Some(("Species".into(), 2)));
        assert_eq!(class_of("place,width,sex", named, &plain), None, "two columns of texts");
        let number = |k: usize| format!("{},{}\n", k as f64 * 0.37, k as f64 * 1.7);
        assert_eq!(class_of("class,width", number, &plain), None, "a column of numbers");
        let many = |k: usize| format!("{},name{}\n", k as f64 * 0.37, k % 30);
        let levels = LoadOptions { column_types: "class=categorical".parse().unwrap(), ..LoadOptions::default() };
        assert_eq!(class_of("width,class", many, &levels), None, "two samples each");
        let labelled = LoadOptions { label_column: Some("kind".into()), ..plain };
        assert_eq!(class_of("width,length,kind", flower, &labelled), None);
    }
}
