//! What deserves a warning before a training, one line each. Data that most trainings are of must give
//! none: a picture's border is constant, patterns of few bits come more than once.

use crate::failure::count;
use crate::report::thousands;
use deepbelief_data::{Binarize, Column, Examination};

/// Samples in a file that are looked at before a training, which is no reason to read all of them.
pub(crate) const SAMPLED: usize = 10_000;

/// Columns that are named, at most.
pub(crate) const NAMED: usize = 5;

/// The largest class may have so many times the samples of the smallest.
const IMBALANCE: f64 = 20.0;

/// So many samples with a label of their own are too many if most have one.
const IDENTIFIERS: usize = 20;

/// Share of the test samples that may be training samples too.
const SHARED: f64 = 0.001;

/// Says before a training what it should not start without.
pub(crate) fn warn_of(found: &Examination, picture: bool, binarize: Option<Binarize>) {
    let warnings = of(found, "visible unit", picture, binarize);
    let of_some = match found.train.examined {
        examined if examined < found.train.samples => format!(" (of {} samples looked at)", thousands(examined)),
        _ => String::new(),
    };
    for warning in warnings {
        tracing::warn!("{warning}{of_some}; see `dbn check`");
    }
}

/// The warnings that findings give cause for; `column` is what a column is called, as it is numbered.
pub(crate) fn of(found: &Examination, column: &str, picture: bool, binarize: Option<Binarize>) -> Vec<String> {
    let mut warnings = Vec::new();
    let columns = found.train.columns.len();
    let of_all = |n: usize| format!("{n} of {}", count(columns, column));
    let are = |n: usize| format!("{} {}", of_all(n), if n == 1 { "is" } else { "are" });
    // Of an alignment a unit is a letter at a site, and few letters occur at most sites.
    let is_alignment = found.schema.alphabet().is_some();
    let constant: Vec<&Column> = found.constant().filter(|_| !is_alignment).collect();
    // A picture may have a border, but not be one.
    if !constant.is_empty() && (!picture || 2 * constant.len() > columns) {
        warnings.push(format!("{} constant: {}", are(constant.len()), named(&constant)));
    }
    let narrow: Vec<&Column> = found.narrow().collect();
    if found.is_narrow() {
        let all = "all values lie within a hundredth of the range that becomes 0 to 1, and are as good as constant";
        warnings.push(format!("{all}: spread them by --scale minmax"));
    } else if !narrow.is_empty() && !picture {
        warnings.push(format!(
            "{} {} within a hundredth of the whole range and are as good as constant once all are scaled alike: {}; \
             bring columns to one range first",
            of_all(narrow.len()),
            if narrow.len() == 1 { "varies" } else { "vary" },
            named(&narrow)
        ));
    }
    if let Some(Binarize::Threshold(threshold)) = binarize {
        let one_sided = |column: &&Column| {
            // A range may be turned round.
            let ends = [column.min, column.max].map(|end| found.scaled(end.into()) > f64::from(threshold));
            !column.is_constant() && ends[0] == ends[1]
        };
        let lost: Vec<&Column> = found.train.columns.iter().filter(one_sided).collect();
        if !lost.is_empty() && (!picture || 2 * (lost.len() + constant.len()) > columns) {
            let are = are(lost.len());
            warnings.push(format!("{are} constant once they are binarised by {threshold}: {}", named(&lost)));
        }
    }
    if let Some(classes) = &found.train.classes {
        let (least, most) = (classes.iter().min().copied().unwrap_or(0), classes.iter().max().copied().unwrap_or(0));
        let without = classes.iter().filter(|&&samples| samples == 0).count();
        let (samples, single) =
            (classes.iter().sum::<usize>(), classes.iter().filter(|&&samples| samples == 1).count());
        if single >= IDENTIFIERS && 2 * single > samples {
            warnings.push(format!(
                "{} of {} samples have a label of their own: labels say what a sample is, not which one",
                thousands(single),
                thousands(samples)
            ));
        } else if without > 0 {
            let have = if without == 1 { "has" } else { "have" };
            warnings.push(format!("{without} of {} classes {have} no training samples", classes.len()));
        } else if most as f64 >= IMBALANCE * least as f64 {
            warnings.push(format!(
                "the largest class has {} times the samples of the smallest: {} and {}",
                most / least.max(1),
                thousands(most),
                thousands(least)
            ));
        }
    }
    if let (Some(shared), Some(test)) = (found.shared, &found.test)
        && shared > 0
        && shared as f64 >= SHARED * test.examined as f64
    {
        let are = if shared == 1 { "sample is a training sample" } else { "samples are training samples" };
        warnings.push(format!("{} test {are} too: what is measured on them is no test", thousands(shared)));
    }
    warnings
}

/// The numbers of the first few.
pub(crate) fn named(columns: &[&Column]) -> String {
    let named: Vec<String> = columns.iter().take(NAMED).map(|column| column.number.to_string()).collect();
    named.join(", ") + if columns.len() > NAMED { ", ..." } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_data::{LoadOptions, Scale, Source, examine};

    fn warnings(text: &str, picture: bool, binarize: Option<Binarize>) -> Vec<String> {
        scaled(text, Scale::Auto, picture, binarize)
    }

    fn scaled(text: &str, scale: Scale, picture: bool, binarize: Option<Binarize>) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).unwrap();
        let options = LoadOptions { label_column: Some("last".into()), scale, ..LoadOptions::default() };
        let found = examine(&Source::Csv(path), &options, None).unwrap();
        of(&found, "column", picture, binarize)
    }

    #[test]
    fn constant_columns_are_told_of_tables_and_of_pictures_that_are_mostly_so() {
        let told = ["1 of 3 columns is constant: 1".to_string()];
        assert_eq!(warnings("0,1,0,0\n1,1,1,0", false, None), told);
        assert!(warnings("0,1,0,0\n1,1,1,0", true, None).is_empty());
        assert_eq!(warnings("0,1,0,0\n1,1,0,0", true, None).len(), 1);
    }

    #[test]
    fn a_threshold_that_nothing_reaches_is_told() {
        let text = "0,0.3,0\n1,0.2,0\n1,0.1,0";
        assert!(warnings(text, false, None).is_empty());
        let low = warnings(text, false, Some(Binarize::Threshold(0.5)));
        assert_eq!(low, ["1 of 2 columns is constant once they are binarised by 0.5: 1"]);
        assert!(warnings(text, false, Some(Binarize::Threshold(0.2))).is_empty());
    }

    #[test]
    fn values_that_fill_little_of_their_range_are_told_to_be_scaled() {
        assert_eq!(
            warnings("0,0.004,1\n0.008,0.001,0", false, Some(Binarize::Fresh)),
            [
                "all values lie within a hundredth of the range that becomes 0 to 1, and are as good as constant: spread \
              them by --scale minmax"
            ]
        );
    }

    #[test]
    fn labels_that_number_the_samples_are_told() {
        let line = |n: usize| format!("{},{},{n}\n", n % 2, n % 3 % 2);
        let numbered = |samples: usize| (0..samples).map(line).collect::<Vec<_>>().concat();
        assert!(warnings(&numbered(19), false, None).is_empty());
        assert_eq!(
            warnings(&numbered(20), false, None),
            ["20 of 20 samples have a label of their own: labels say what a sample is, not which one"]
        );
        assert!(warnings(&numbered(20).repeat(2), false, None).is_empty());
        let codes = "0,1,100\n1,0,200\n".repeat(50);
        assert!(warnings(&codes, false, None).is_empty(), "classes are the labels that occur");
        let late = (0..30).map(|n| format!("{},{},{}\n", n % 2, n % 3 % 2, 1000 + n)).collect::<Vec<_>>().concat();
        assert!(warnings(&late, false, None)[0].starts_with("30 of 30 samples have a label of their own"));
    }

    #[test]
    fn columns_of_another_range_and_rare_classes_are_told() {
        let mut text = "0,0.1,1\n1000,0.9,0\n".to_string();
        assert!(scaled(&text, Scale::MinMax, false, None)[0].starts_with("1 of 2 columns varies within a hundredth"));
        assert!(scaled(&text, Scale::MinMax, true, None).is_empty());
        text += &"400,500,0\n".repeat(18);
        assert!(scaled(&text, Scale::MinMax, false, None).is_empty());
        text += "400,500,0\n";
        assert_eq!(
            scaled(&text, Scale::MinMax, false, None),
            ["the largest class has 20 times the samples of the smallest: 20 and 1"]
        );
    }
}
