//! Settings of `dbn stack`.

use super::gather::Gatherer;
use super::{DataSettings, LearningSettings, Resolved, RunSettings, UNLEARNED_KEYS, origin};
use crate::args::StackArgs;
use crate::failure::{Explain, Failure, Result};
use deepbelief_stack::{Error as StackError, LayerConfig, Propagate, StackConfig, Start};
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::Table;

/// Whether the top has a label group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Labels {
    /// If the data have labels.
    Auto,
    /// Without fail.
    Yes,
    /// Never.
    None,
}

/// Settings of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LayerSettings {
    pub(crate) hidden: usize,
    pub(crate) start: Start,
    #[serde(flatten)]
    pub(crate) learning: LearningSettings,
}

/// All settings of a greedy training. The fields are the keys of a recipe and, with dashes, the
/// flags of `dbn stack`, where they are described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StackSettings {
    #[serde(flatten)]
    pub(crate) data: DataSettings,
    pub(crate) labels: Labels,
    /// Training samples whose labels the top learns; none or 0: all.
    pub(crate) labelled: Option<usize>,
    pub(crate) propagate: Propagate,
    /// MiB.
    pub(crate) cache: u32,
    #[serde(flatten)]
    pub(crate) run: RunSettings,
    #[serde(rename = "layer")]
    pub(crate) layers: Vec<LayerSettings>,
}

impl StackSettings {
    /// Settings of a new run.
    pub(crate) fn resolve(args: &StackArgs) -> Result<Resolved<Self>> {
        let gatherer = Gatherer::new()?;
        let recipe = match &args.run.config {
            Some(path) => gatherer.read(path)?,
            None => Table::new(),
        };
        let flags = gatherer.flags(args)?;
        let valid_is_default = !recipe.contains_key("valid") && !flags.contains_key("valid");
        let settings = gatherer.gather(&recipe, &flags)?;
        settings.validate()?;
        super::warn_of_idle(&flags, settings.layers.iter().map(|layer| layer.learning.idle()));
        Ok(Resolved { settings, valid_is_default, data_are_recorded: false })
    }

    /// Settings of the run whose `config.toml` is `path`, continued with what `args` may change.
    pub(crate) fn resume(path: &Path, args: &StackArgs) -> Result<Self> {
        let gatherer = Gatherer::new()?;
        let table = gatherer.read(path)?;
        let mut before = gatherer.gather(&table, &Table::new())?;
        let hidden = |layer: &LayerSettings| layer.hidden as u32;
        if let Some(asked) = &args.layers
            && !asked.0.iter().copied().eq(before.layers.iter().map(hidden))
        {
            let sizes: Vec<String> = before.layers.iter().map(|layer| layer.hidden.to_string()).collect();
            return Err(Failure::new(format!("--layers is another than {}, as in the run to resume", sizes.join(",")))
                .hint("the layers of a run cannot change once it has started; start a new run with --out"));
        }
        let flags = gatherer.flags(args)?;
        let settings = gatherer.gather(&table, &flags)?;
        settings.validate()?;
        // Data are known by their hash, wherever they lie.
        before.data.data = settings.data.data.clone();
        if settings.recipe()? != before.recipe()? {
            let asked = flags.keys().filter(|key| !UNLEARNED_KEYS.contains(&key.as_str()));
            let asked: Vec<String> = asked.map(|key| format!("--{}", key.replace('_', "-"))).collect();
            return Err(Failure::new(format!("{} would change the run to resume", asked.join(", "))).hint(
                format!("a resumed run keeps its settings; --data, --{} may change", UNLEARNED_KEYS.join(", --"))
                    .replace('_', "-"),
            ));
        }
        Ok(settings)
    }

    /// As the text of a recipe that gives the same run again.
    pub(crate) fn to_toml(&self) -> Result<String> {
        let text = toml::to_string(self).or_fail(|| "cannot write the settings as TOML".into())?;
        Ok(format!("# Settings of this run; `dbn stack --config` with this file repeats it.\n{text}"))
    }

    /// The units of every layer, `784-500-2000`.
    pub(crate) fn sizes_in_words(&self, visible: usize) -> String {
        let hidden = self.layers.iter().map(|layer| format!("-{}", layer.hidden));
        std::iter::once(visible.to_string()).chain(hidden).collect()
    }

    /// What a checkpoint records: the settings that what is learned depends on.
    pub(crate) fn recipe(&self) -> Result<serde_json::Value> {
        super::learned(self)
    }

    /// Settings of the training, on data with so many classes (if they have labels).
    pub(crate) fn stack_config(&self, classes: Option<usize>) -> Result<StackConfig> {
        let classes = match self.labels {
            Labels::None => None,
            Labels::Auto => classes,
            Labels::Yes => Some(classes.ok_or_else(|| {
                Failure::new(format!("the data '{}' have no labels for the top of the stack", self.data.data))
                    .hint("name their column with --label-column, or train without: --labels none")
            })?),
        };
        let layer = |layer: &LayerSettings| LayerConfig {
            hidden: layer.hidden,
            hidden_units: layer.learning.hidden_units,
            start: layer.start,
            weight_std: layer.learning.weight_std,
            visible_bias: layer.learning.visible_bias,
            batch_size: Some(layer.learning.batch_size),
            train: layer.learning.train_config(&self.run),
        };
        Ok(StackConfig {
            layers: self.layers.iter().map(layer).collect(),
            propagate: self.propagate,
            classes,
            balanced: self.data.balanced,
            cache_bytes: u64::from(self.cache) << 20,
            seed: self.run.seed,
            threads: self.run.threads,
        })
    }

    fn validate(&self) -> Result<()> {
        // What depends on the data is checked when they are there.
        let config = StackConfig { balanced: false, classes: None, ..self.stack_config(Some(2))? };
        config.validate().map_err(|error| match error {
            StackError::GaussianBelowTop { .. } => Failure::from(error).hint(
                "give one type a layer, such as --hidden-units bernoulli,gaussian, or that of the top under [top] in a \
                 recipe",
            ),
            error => Failure::from(error).hint(origin()),
        })?;
        for layer in &self.layers {
            layer.learning.validate().or_hint(origin)?;
        }
        if self.labels == Labels::None && self.labelled.is_some_and(|samples| samples > 0) {
            return Err(
                Failure::new("labelled says how many samples teach their labels, but labels is none").hint(origin())
            );
        }
        if self.data.balanced && self.labelled.is_some_and(|samples| samples > 0) {
            return Err(Failure::new(
                "balanced minibatches of all samples need all labels, but labelled says that few are known",
            )
            .hint(origin()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{DataArgs, RunArgs, Sizes};

    fn resolve(recipe: &str, args: StackArgs) -> Result<StackSettings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        std::fs::write(&path, recipe).unwrap();
        let args = StackArgs { run: RunArgs { config: Some(path), ..Default::default() }, ..args };
        StackSettings::resolve(&args).map(|resolved| resolved.settings)
    }

    fn layers(sizes: &[u32]) -> StackArgs {
        StackArgs { layers: Some(Sizes(sizes.to_vec())), ..Default::default() }
    }

    fn of<T>(settings: &StackSettings, value: impl Fn(&LayerSettings) -> T) -> Vec<T> {
        settings.layers.iter().map(value).collect()
    }

    #[test]
    fn the_built_in_recipe_is_complete_and_valid() {
        let Resolved { settings, valid_is_default, .. } = StackSettings::resolve(&StackArgs::default()).unwrap();
        assert!(valid_is_default);
        assert_eq!(of(&settings, |layer| layer.hidden), [500, 500, 2000]);
        assert_eq!(settings.stack_config(Some(10)).unwrap().classes, Some(10));
    }

    /// Each place beats those before it, key by key.
    #[test]
    fn a_layer_is_gathered_from_its_places_in_order() {
        let recipe = "epochs = 3\nmomentum = [0.1, 0.2]\ncd_steps = 2\n[top]\nepochs = 4\ncd_steps = 5\n\
                      [[layer]]\nhidden = 7\n[[layer]]\nhidden = 8\ncd_steps = 6\n";
        let settings = resolve(recipe, StackArgs::default()).unwrap();
        assert_eq!(of(&settings, |layer| layer.hidden), [7, 8]);
        assert_eq!(of(&settings, |layer| layer.learning.epochs), [3, 4]);
        assert_eq!(of(&settings, |layer| layer.learning.momentum), [0.1, 0.2]);
        assert_eq!(of(&settings, |layer| layer.learning.cd_steps.at(0)), [2, 6]);
        // Flags may change the depth too.
        assert_eq!(of(&resolve("layers = [1, 2, 3]", layers(&[9, 10])).unwrap(), |layer| layer.hidden), [9, 10]);
        let settings = resolve(recipe, layers(&[9, 10])).unwrap();
        assert_eq!(of(&settings, |layer| layer.hidden), [9, 10], "a flag beats everything");
    }

    #[test]
    fn resolved_settings_written_and_read_are_the_same() {
        let mut args = layers(&[3, 4]);
        args.data = DataArgs { label_column: Some("class".into()), ..Default::default() };
        let settings = resolve("learning_rate = [0.25, 0.125]\nseed = 5\n", args).unwrap();
        assert_eq!(settings.data.label_column.as_deref(), Some("class"));
        assert_eq!(resolve(&settings.to_toml().unwrap(), StackArgs::default()).unwrap(), settings);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_key_and_place() {
        let refusal = |recipe: &str, args| {
            let failure = resolve(recipe, args).unwrap_err();
            failure.what().rsplit_once("r.toml").map_or(failure.what(), |(_, what)| what).to_string()
        };
        let none = StackArgs::default;
        assert_eq!(refusal("hiden = 5", none()), ": unknown key 'hiden'");
        assert_eq!(refusal("[top]\nepoch = 5", none()), ", [top]: unknown key 'epoch'");
        assert_eq!(refusal("epochs = [1, 2]", layers(&[5, 6, 7])), "epochs has 2 values, but the stack has 3 layers");
        assert_eq!(refusal("epochs = [1, 2]", layers(&[5])), "epochs has 2 values, but the stack has 1 layer");
        let one = "a single value is wanted: this is one layer";
        assert_eq!(refusal("[top]\nepochs = [1, 2]", none()), format!(", [top]: 'epochs' is [1, 2]: {one}"));
        let layer = "[[layer]]\nhidden = 3\nmomentum = [0.5]";
        assert_eq!(refusal(layer, none()), format!(", [[layer]] 0: 'momentum' is [0.5]: {one}"));
        let failure = resolve("hidden = 20", none()).unwrap_err();
        assert!(failure.what().ends_with(": unknown key 'hidden'"));
        assert_eq!(failure.hint_text(), Some("a stack lists the hidden units of its layers: layers = [20]"));
        assert_eq!(
            refusal("[[layer]]\nhidden = 3\n[[layer]]\nepochs = 2", none()),
            "[[layer]] 1 (counted from 0) has no 'hidden'"
        );
        assert_eq!(
            refusal("[[layer]]\nhidden = 3", layers(&[5, 6])),
            "the recipe has 1 [[layer]] table, but the stack has 2 layers"
        );
        assert!(refusal("layers = []", none()).contains("'layers' is []: expected an array of whole numbers"));
        assert_eq!(
            refusal("epochs = \"many\"", none()),
            ": 'epochs' is \"many\": expected a whole number, not below 0"
        );
        let failure = resolve("", layers(&[5, 0])).unwrap_err();
        assert_eq!(failure.what(), "the settings of layer 1 do not hold");
        assert_eq!(failure.causes(), ["hidden is 0; it must be between 1 and 65504 units"]);
    }

    #[test]
    fn a_resumed_run_keeps_what_was_learned_by() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let settings = resolve("", layers(&[5, 6])).unwrap();
        std::fs::write(&path, settings.to_toml().unwrap()).unwrap();
        let run = RunArgs { threads: Some(2), ..Default::default() };
        let resumed = StackSettings::resume(&path, &StackArgs { run, ..layers(&[5, 6]) }).unwrap();
        assert_eq!((resumed.run.threads, &resumed.layers), (2, &settings.layers));
        for other in [&[5, 7][..], &[5], &[5, 6, 7]] {
            let failure = StackSettings::resume(&path, &layers(other)).unwrap_err();
            assert_eq!(failure.what(), "--layers is another than 5,6, as in the run to resume");
            assert!(failure.hint_text().unwrap().starts_with("the layers of a run cannot change"));
        }
        let propagate = StackArgs { propagate: Some("samples".into()), ..Default::default() };
        let failure = StackSettings::resume(&path, &propagate).unwrap_err();
        assert_eq!(failure.what(), "--propagate would change the run to resume");
    }
}
