//! The options of a verb.

use super::opt::{Opt, Verb};
use super::table;

/// Keys of the options that are about files or the machine: those that a training on samples in memory does not have.
pub(crate) fn of_program() -> impl Iterator<Item = &'static str> {
    let options = table::GROUPS.iter().flat_map(|&(_, group)| group);
    options.filter(|opt| opt.is_of_program()).map(|opt| opt.key)
}

impl Verb {
    /// Its options, under their headings.
    pub(crate) fn groups(self) -> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static Opt>)> {
        table::GROUPS.iter().map(move |&(heading, group)| (heading, group.iter().filter(move |opt| opt.is_of(self))))
    }

    /// Its options.
    pub(crate) fn options(self) -> impl Iterator<Item = &'static Opt> {
        self.groups().flat_map(|(_, group)| group)
    }

    /// Its option of this key.
    pub(crate) fn option(self, key: &str) -> Option<&'static Opt> {
        self.options().find(|opt| opt.key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::of_program;
    use crate::options::Verb::{self, Pretrain};

    #[test]
    fn a_verb_has_an_option_once() {
        for verb in Verb::TRAINING {
            let mut keys: Vec<&str> = verb.options().map(|opt| opt.key).collect();
            let number = keys.len();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), number, "{}", verb.name());
        }
    }

    #[test]
    fn options_about_files_and_the_machine_are_known() {
        let keys: Vec<&str> = of_program().collect();
        for key in ["data", "schema", "visible_units", "weights", "valid_clusters", "labels", "cache", "precision"] {
            assert!(keys.contains(&key), "{key}");
        }
        for key in ["hidden", "valid", "binarize", "balanced", "batch_size", "epochs", "sums", "seed"] {
            assert!(!keys.contains(&key), "{key}");
        }
    }

    #[test]
    fn words_are_listed_as_people_do() {
        let summary = |key| Pretrain.option(key).unwrap().summary();
        assert_eq!(summary("schedule"), "Schedule: constant, linear or exponential");
        assert_eq!(summary("visible_states"), "Reconstructions: sampled or probabilities");
        assert_eq!(summary("epochs"), "Passes over the data");
    }
}
