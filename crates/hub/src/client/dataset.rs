//! The files of a data set.
//!
//! A data set is a repository of Parquet files. Their names, or those of their folders, say
//! `train` or `test`; what lies above that is a configuration, of which one is read: `default` or
//! `data` where there is one, else the first by name.

use crate::{Address, Error, Fetched, Hub, Kind, Result, Snapshot};
use std::path::PathBuf;

impl Hub {
    /// Fetches the file that the address names, or else the training and test tables of a data set.
    ///
    /// # Errors
    /// Those of [`Hub::open`] and [`Snapshot::fetch`]; [`Error::NoTable`] if there is nothing to train on.
    pub fn dataset(&self, address: &Address) -> Result<Fetched> {
        let snapshot = self.open(Kind::Dataset, address)?;
        let Choice { config, train, test, unread } = match &address.file {
            Some(file) => Choice { train: vec![file.clone()], ..Choice::default() },
            None => choose(address, snapshot.files()?)?,
        };
        let (train, test) = (fetch(&snapshot, &train)?, fetch(&snapshot, &test)?);
        Ok(Fetched { commit: snapshot.commit().into(), config, train, test, unread })
    }
}

fn fetch(snapshot: &Snapshot<'_>, files: &[String]) -> Result<Vec<PathBuf>> {
    files.iter().map(|file| snapshot.fetch(file)).collect()
}

/// The files that are read.
#[derive(Debug, Default, PartialEq)]
struct Choice {
    config: String,
    train: Vec<String>,
    test: Vec<String>,
    /// Other Parquet files of the configuration.
    unread: Vec<String>,
}

/// The part of a data set that a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Train,
    Test,
    /// Validation samples and the like: training holds out its own.
    Other,
    /// All there is.
    Whole,
}

/// Picks a configuration, and its training and test files.
fn choose(address: &Address, files: &[String]) -> Result<Choice> {
    let tables: Vec<(&str, Part, &String)> = files
        .iter()
        .filter(|file| file.ends_with(".parquet"))
        .map(|file| {
            let (config, part) = place(file);
            (config, part, file)
        })
        .collect();
    let usable = || tables.iter().filter(|(_, part, _)| matches!(part, Part::Train | Part::Whole));
    let first = usable().map(|(config, ..)| *config).min();
    let common = ["default", "data", ""].into_iter().find(|common| usable().any(|(config, ..)| config == common));
    let Some(config) = common.or(first) else {
        let others: Vec<&String> = files.iter().filter(|file| !file.starts_with('.')).take(8).collect();
        let list = others.iter().map(|file| file.as_str()).collect::<Vec<_>>().join(", ");
        let hint = format!(
            "the Hub keeps a copy of many data sets as Parquet: try hf:{}@refs/convert/parquet; or name a file, \
             hf:{}:FILE, of {list}",
            address.repo, address.repo
        );
        return Err(Error::NoTable { address: address.to_string(), hint });
    };
    let of = |wanted: Part| -> Vec<String> {
        let these = tables.iter().filter(|(of, part, _)| *of == config && *part == wanted);
        these.map(|(.., file)| (*file).clone()).collect()
    };
    let train = Some(of(Part::Train)).filter(|files| !files.is_empty()).unwrap_or_else(|| of(Part::Whole));
    let test = of(Part::Test);
    let read = |file: &String| train.contains(file) || test.contains(file);
    let these = tables.iter().filter(|(of, _, file)| *of == config && !read(file));
    let unread = these.map(|(.., file)| (*file).clone()).collect();
    Ok(Choice { config: config.into(), train, test, unread })
}

/// The configuration and the part that a file's path tells.
fn place(file: &str) -> (&str, Part) {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    match part(name) {
        Part::Whole => match folder.rsplit_once('/').unwrap_or(("", folder)) {
            (above, last) if part(last) != Part::Whole => (above, part(last)),
            _ => (folder, Part::Whole),
        },
        part => (folder, part),
    }
}

fn part(name: &str) -> Part {
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let known = |word: &str| match word {
        "train" | "training" => Some(Part::Train),
        "test" | "testing" => Some(Part::Test),
        "validation" | "valid" | "val" | "dev" | "extra" | "unsupervised" => Some(Part::Other),
        _ => None,
    };
    words.find_map(known).unwrap_or(Part::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(files: &[&str]) -> std::result::Result<(String, usize, usize), String> {
        let files: Vec<String> = files.iter().map(ToString::to_string).collect();
        let chosen = choose(&"u/r".parse().unwrap(), &files).map_err(|error| error.to_string())?;
        Ok((chosen.config, chosen.train.len(), chosen.test.len()))
    }

    /// The layouts that are in use.
    #[test]
    fn splits_and_configurations_are_told_by_names() {
        let mnist = ["README.md", "mnist/test-00000-of-00001.parquet", "mnist/train-00000-of-00001.parquet"];
        assert_eq!(choice(&mnist), Ok(("mnist".into(), 1, 1)));
        let shards =
            ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "data/validation-0.parquet"];
        assert_eq!(choice(&shards), Ok(("data".into(), 2, 0)));
        let converted = ["b/train/0000.parquet", "a/train/0000.parquet", "a/test/0000.parquet", "a/test/0001.parquet"];
        assert_eq!(choice(&converted), Ok(("a".into(), 1, 2)));
        let default = ["a/train.parquet", "default/train.parquet"];
        assert_eq!(choice(&default), Ok(("default".into(), 1, 0)));
        assert_eq!(choice(&["table.parquet"]), Ok((String::new(), 1, 0)));
        assert_eq!(choice(&["all/part-0.parquet", "all/part-1.parquet"]), Ok(("all".into(), 2, 0)));
    }

    #[test]
    fn without_a_table_the_ways_out_are_named() {
        assert_eq!(
            choice(&[".gitattributes", "x.csv", "test.parquet"]).unwrap_err(),
            "hf:u/r: there is no Parquet file of training samples; the Hub keeps a copy of many data sets as Parquet: try \
             hf:u/r@refs/convert/parquet; or name a file, hf:u/r:FILE, of x.csv, test.parquet"
        );
    }
}
