//! Settings of trainings on data that a program holds in memory, as the Python package does: keys and values are those
//! of a recipe as JSON, defaults those of the program, and what nobody asked for a table settles.

use crate::data::warnings::SAMPLED;
use crate::failure::Failure;
use crate::options;
use crate::run::advised::advise;
use crate::run::folder::checkpoint_path;
use crate::settings::{
    FinetuneSettings, PretrainSettings, Said, Settings, StackSettings, TuneSettings, origin, record, small_minibatches,
};
use deepbelief_data::{Binarize, Dataset};
use deepbelief_finetune::FinetuneConfig;
use deepbelief_stack::{LayerConfig, StackConfig};
use deepbelief_wake_sleep::TuneConfig;
use serde_json::Value;
use std::path::{Path, PathBuf};
use toml::Table;

/// Settings that are complete.
#[derive(Clone, Debug)]
pub struct Complete<C> {
    /// Of the training itself.
    pub config: C,
    /// Samples in a minibatch.
    pub batch_size: usize,
    /// How values between 0 and 1 become states.
    pub binarize: Binarize,
    /// All of them, as a checkpoint says where it comes from.
    pub recipe: Value,
}

/// Settings, or in words why there are none.
pub type Result<C> = std::result::Result<Complete<C>, String>;

/// Of `dbn pretrain`.
///
/// # Errors
/// In words, for a key that is unknown or a value that will not do.
pub fn pretrain(asked: &Value, data: &Dataset) -> Result<LayerConfig> {
    complete(asked, Known::Data(data), |settings: PretrainSettings| {
        let config = LayerConfig { train: settings.train_config(), ..settings.layer.clone() };
        Ok((config, settings.batch_size(), settings))
    })
}

/// Of `dbn stack`, with a label group at the top for so many classes.
///
/// # Errors
/// As [`pretrain`] has them.
pub fn stack(asked: &Value, data: &Dataset, classes: Option<usize>) -> Result<StackConfig> {
    complete(asked, Known::Data(data), |settings: StackSettings| {
        let visible = data.train.layer();
        let visible_units = (!visible.is_bernoulli()).then(|| visible.clone());
        let config = StackConfig { visible_units, ..settings.stack_config(classes)? };
        Ok((config, settings.batch_size(), settings))
    })
}

/// Of `dbn tune`, for a net with so many directed layers whose recipe is `from`.
///
/// # Errors
/// As [`pretrain`] has them.
pub fn tune(asked: &Value, from: &Value, directed: usize) -> Result<TuneConfig> {
    complete(asked, Known::Net(from), |settings: TuneSettings| {
        Ok((settings.tune_config(directed)?, settings.batch_size, settings))
    })
}

/// Of `dbn finetune`, for a net whose recipe is `from`; the key `as` says what is trained.
///
/// # Errors
/// As [`pretrain`] has them.
pub fn finetune(asked: &Value, from: &Value) -> Result<FinetuneConfig> {
    complete(asked, Known::Net(from), |settings: FinetuneSettings| {
        Ok((settings.config.clone(), settings.batch_size, settings))
    })
}

/// Keys of a recipe that are about files or the machine: a training on data in memory does not have them.
#[must_use]
pub fn keys_of_program() -> Vec<&'static str> {
    options::of_program().collect()
}

/// The file of a checkpoint: `path` itself, that in the folder of a run, or for `hf:USER/REPO` what `dbn-hub` fetched.
///
/// # Errors
/// In words, where there is none, or `dbn-hub` is not there or refuses.
pub fn checkpoint(path: &Path) -> std::result::Result<PathBuf, String> {
    checkpoint_path(path).map_err(|failure| in_words(&failure))
}

/// What settles settings that nobody asked for.
#[derive(Clone, Copy)]
enum Known<'a> {
    /// The samples of a first training.
    Data(&'a Dataset),
    /// The recipe of the net that goes on.
    Net(&'a Value),
}

fn complete<S: Settings, C>(
    asked: &Value,
    known: Known<'_>,
    of: impl FnOnce(S) -> crate::failure::Result<(C, usize, S)>,
) -> Result<C> {
    let complete = || {
        let (config, batch_size, settings) = of(resolved::<S>(asked, known)?)?;
        let mut recipe = record(&settings)?;
        if let Some(recipe) = recipe.as_object_mut() {
            // Nobody reads data that were in memory again.
            recipe.remove("data");
        }
        Ok(Complete { config, batch_size, binarize: settings.data().binarize, recipe })
    };
    complete().map_err(|failure: Failure| in_words(&failure))
}

fn resolved<S: Settings>(asked: &Value, known: Known<'_>) -> crate::failure::Result<S> {
    let asked = Table::try_from(asked)?;
    S::check("settings", &asked)?;
    let inherited = match known {
        Known::Data(_) => Table::new(),
        Known::Net(recipe) => small_minibatches::<S>(recipe).into_iter().collect(),
    };
    let mut settings = S::combine(&inherited, &asked, &Table::new())?;
    settings.validate()?;
    if let Known::Data(data) = known
        && !data.schema.columns.is_empty()
    {
        let said = Said { recipe: asked, ..Said::default() };
        advise(&mut settings, &said, &data.examine(SAMPLED)?)?;
    }
    Ok(settings)
}

/// What failed, why, and what to do: not where a setting comes from, which the caller knows.
fn in_words(failure: &Failure) -> String {
    let why = [&[failure.what().to_string()], failure.causes()].concat().join(": ");
    let hint = failure.hint_text().filter(|&hint| hint != origin());
    hint.map_or_else(|| why.clone(), |hint| format!("{why}; {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_data::{Block, BlockValues, LoadOptions, VisibleUnits};
    use deepbelief_rbm::TrainConfig;
    use serde_json::json;

    fn table() -> Dataset {
        let column = |name: &str, scale: f64| {
            Block::column(name, BlockValues::Doubles((0..300).map(|k| scale * f64::from(k * 37 % 101)).collect()))
        };
        let options = LoadOptions { visible_units: VisibleUnits::Auto, ..LoadOptions::default() };
        Dataset::of_blocks("t", &[column("a", 1.3), column("b", 0.7)], true, None, &options).unwrap()
    }

    #[test]
    fn settings_are_those_of_the_program() {
        let digits = Dataset::mnist().unwrap();
        let found = pretrain(&json!({"hidden": 7, "learning_rate": 0.2}), &digits).unwrap();
        assert_eq!(found.config.train, TrainConfig { learning_rate: 0.2, ..TrainConfig::default() });
        assert_eq!((found.config.hidden, found.batch_size, found.binarize), (7, 100, Binarize::Fresh));
        assert!(found.recipe.get("data").is_none() && found.recipe["hidden"] == 7);
        let found = stack(&json!({"layers": [5, 6], "learning_rate": [0.2, 0.3]}), &digits, Some(10)).unwrap();
        let rates: Vec<f64> = found.config.layers.iter().map(|layer| layer.train.learning_rate).collect();
        assert_eq!((rates, found.config.classes), (vec![0.2, 0.3], Some(10)));
        assert_eq!(tune(&json!({"wake_rate": 0.5}), &json!({}), 2).unwrap().config.wake_rate, 0.5);
        assert_eq!(finetune(&json!({"as": "autoencoder"}), &json!({})).unwrap().config.epochs, 100);
    }

    #[test]
    fn minibatches_are_as_small_as_those_of_the_net() {
        for (from, asked, then) in [
            (json!({"batch_size": 10}), json!({}), 10),
            (json!({"layer": [{"batch_size": 10}, {"batch_size": 20}]}), json!({}), 10),
            (json!({"batch_size": 10}), json!({"batch_size": 50}), 50),
            (json!({"batch_size": 1000}), json!({}), 100),
            (json!({}), json!({}), 100),
        ] {
            let tuned = tune(&asked, &from, 1).unwrap().batch_size;
            assert_eq!((tuned, finetune(&asked, &from).unwrap().batch_size), (then, then), "{from} {asked}");
        }
    }

    #[test]
    fn a_table_settles_what_nobody_asked_for() {
        let found = pretrain(&json!({"visible_units": "auto", "epochs": 3}), &table()).unwrap();
        assert_eq!((found.config.train.learning_rate, found.config.train.epochs), (0.01, 3));
    }

    #[test]
    fn what_will_not_do_is_named_with_what_to_do() {
        let refused = |asked: Value| pretrain(&asked, &table()).unwrap_err();
        assert_eq!(refused(json!({"hiden": 7})), "settings: unknown key 'hiden'; did you mean 'hidden'?");
        let wrong = refused(json!({"centred": 7}));
        assert_eq!(wrong, "settings: 'centred' is 7: expected true or false");
        assert_eq!(refused(json!({"learning_rate": -1.0})), "learning_rate is -1; it must be a positive 32-bit number");
    }
}
