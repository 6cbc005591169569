//! Tests of settings, from the command line to the library.

use super::*;
use crate::args::{Cli, Command};
use crate::failure::Result;
use crate::options::Verb;
use crate::options::save_every::SaveEvery;
use clap::Parser;
use deepbelief_data::Source;
use deepbelief_finetune::{FinetuneConfig, Objective};
use deepbelief_rbm::{Optimizer, Provenance, RbmConfig, TrainConfig, UnitMix};
use deepbelief_stack::{LayerConfig, StackConfig};
use deepbelief_wake_sleep::{LayerRates, TuneConfig};
use serde_json::Value as Json;
use std::path::Path;
use toml::{Table, Value};

/// What a command line asks for, and the recipe that its `r.toml` is.
fn asked(words: &str, recipe: &str) -> (tempfile::TempDir, Asked) {
    let folder = tempfile::tempdir().unwrap();
    let cli = Cli::try_parse_from(format!("dbn {words}").split_whitespace()).unwrap();
    let mut asked = match &cli.command {
        Command::Pretrain(args) => args.asked(),
        Command::Stack(args) => args.asked(),
        Command::Tune(args) => args.asked(),
        Command::Finetune(args) => args.asked(),
        _ => panic!("{words}"),
    };
    let path = folder.path().join("r.toml");
    std::fs::write(&path, recipe).unwrap();
    asked.config = Some(path);
    (folder, asked)
}

fn resolved<S: Settings>(words: &str, recipe: &str, from: Option<&Provenance>) -> Result<Resolved<S>> {
    let (_folder, asked) = asked(&format!("{} {words}", S::VERB.name()), recipe);
    resolve(&asked, from)
}

fn settings<S: Settings>(words: &str, recipe: &str) -> Result<S> {
    resolved(words, recipe, None).map(|resolved| resolved.settings)
}

/// Settings of the run whose `config.toml` is `config`.
fn resumed<S: Settings>(words: &str, config: &str) -> Result<S> {
    let (folder, asked) = asked(&format!("{} --resume x {words}", S::VERB.name()), config);
    resume(&folder.path().join("r.toml"), &asked)
}

/// The library's default is the recipe.
#[test]
fn without_options_the_librarys_defaults_hold() {
    let pretrain: PretrainSettings = settings("", "").unwrap();
    assert_eq!(pretrain.train_config(), TrainConfig::default());
    assert_eq!(pretrain.rbm_config(), RbmConfig::default());
    let stack: StackSettings = settings("", "").unwrap();
    let layers = StackConfig::default().layers.into_iter();
    let layers = layers.map(|layer| LayerConfig { batch_size: Some(100), ..layer }).collect();
    assert_eq!(stack.stack_config(None).unwrap(), StackConfig { layers, ..Default::default() });
    let tune: TuneSettings = settings("x", "").unwrap();
    let layers = vec![LayerRates::default(); 2];
    assert_eq!(tune.tune_config(2).unwrap(), TuneConfig { layers, ..Default::default() });
    for (task, objective) in [("classifier", Objective::Classifier), ("autoencoder", Objective::Autoencoder)] {
        let finetune: FinetuneSettings = settings(&format!("x --as {task}"), "").unwrap();
        assert_eq!((finetune.objective, finetune.config), (objective, FinetuneConfig::of(objective)));
    }
    assert_eq!(FinetuneConfig::of(Objective::Classifier), FinetuneConfig::default());
}

/// What `dbn recipe` prints, printed again from the settings that it is read back to.
#[test]
fn printed_recipes_read_back_to_the_same_settings() {
    fn check<S: Settings>(words: &str, task: Option<&str>) {
        let wanted = task.map(|task| ("as".to_string(), Value::from(task)));
        let recipe = print_recipe(S::VERB, &wanted.into_iter().collect()).unwrap();
        let (built_in, read) =
            (settings::<S>(words, "").unwrap(), settings::<S>(words.split(' ').next().unwrap(), &recipe));
        assert_eq!(to_toml(&read.unwrap()).unwrap(), to_toml(&built_in).unwrap());
        for opt in S::VERB.options() {
            let shows = recipe.contains(&format!("\n{} = ", opt.key));
            assert!(shows || !S::built_in(&Table::new()).flat().unwrap().contains_key(opt.key), "{}", opt.key);
        }
    }
    check::<PretrainSettings>("", None);
    check::<StackSettings>("", None);
    check::<TuneSettings>("x", None);
    check::<FinetuneSettings>("x", None);
    check::<FinetuneSettings>("x --as autoencoder", Some("autoencoder"));
}

/// The recipes in `models` are what the program prints.
#[test]
fn shipped_recipes_are_the_built_in_ones() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let autoencoder = Table::from_iter([("as".to_string(), Value::from("autoencoder"))]);
    for (name, verb, asked) in [
        ("mnist-rbm.toml", Verb::Pretrain, Table::new()),
        ("mnist-dbn.toml", Verb::Stack, Table::new()),
        ("mnist-dbn-tune.toml", Verb::Tune, Table::new()),
        ("mnist-finetune.toml", Verb::Finetune, Table::new()),
        ("mnist-autoencoder-finetune.toml", Verb::Finetune, autoencoder),
    ] {
        let printed = print_recipe(verb, &asked).unwrap();
        assert!(std::fs::read_to_string(models.join(name)).unwrap() == printed, "{name}: write it by `dbn recipe`");
    }
}

#[test]
fn a_flag_beats_the_recipe_and_the_recipe_the_default() {
    let recipe = "hidden = 7\nepochs = 9\nvalid = 3";
    let Resolved { settings, said, .. } = resolved::<PretrainSettings>("--epochs 11", recipe, None).unwrap();
    assert_eq!((settings.layer.hidden, settings.layer.train.epochs, settings.data.valid), (7, 11, 3));
    assert!(said.has("valid"));
    assert_eq!(settings.layer.train.learning_rate, TrainConfig::default().learning_rate);
    assert!(!resolved::<PretrainSettings>("", "", None).unwrap().said.has("valid"));
}

/// The rates that nobody set suit the hidden units and the optimizer of each layer; a rate that is set stays.
#[test]
fn rates_are_those_of_hidden_units_and_optimizer() {
    let rates = |words: &str, recipe: &str| {
        let stack: StackSettings = settings(&format!("--layers 4,5 {words}"), recipe).unwrap();
        stack
            .layers
            .iter()
            .map(|layer| (layer.train.learning_rate, layer.train.final_learning_rate))
            .collect::<Vec<_>>()
    };
    assert_eq!(rates("", ""), [(0.1, 0.01), (0.1, 0.01)]);
    assert_eq!(rates("--optimizer adam", ""), [(1e-3, 1e-4), (1e-3, 1e-4)]);
    assert_eq!(rates("--hidden-units bernoulli,relu", ""), [(0.1, 0.01), (0.01, 1e-3)]);
    assert_eq!(rates("", "[top]\noptimizer = \"adam\""), [(0.1, 0.01), (1e-3, 1e-4)]);
    assert_eq!(rates("--hidden-units bernoulli,relu --learning-rate 0.2", ""), [(0.2, 0.01), (0.2, 1e-3)]);
    assert_eq!(rates("--optimizer adam", "learning_rate = [0.2, 0.3]"), [(0.2, 1e-4), (0.3, 1e-4)]);
    let pretrain: PretrainSettings = settings("--optimizer adam", "").unwrap();
    assert_eq!(pretrain.layer.train, TrainConfig::default().fitted(&UnitMix::default(), Optimizer::Adam));
}

#[test]
fn settings_written_and_read_are_the_same() {
    fn check<S: Settings + PartialEq + std::fmt::Debug>(words: &str, settings: &S) {
        let text = to_toml(settings).unwrap();
        assert_eq!(super::tests::settings::<S>(words, &text).unwrap(), *settings, "{text}");
    }
    for save_every in [SaveEvery::Epochs(3), SaveEvery::Seconds(600)] {
        let mut pretrain: PretrainSettings = settings("--sampler fast --persistent-chains 3", "").unwrap();
        (pretrain.data.label_column, pretrain.run.save_every) = (Some("class".into()), save_every);
        pretrain.layer.train.learning_rate = 1.0 / 3.0;
        check("", &pretrain);
    }
    let recipe = "learning_rate = [0.25, 0.125]\nseed = 5\n[top]\nepochs = 2";
    check("", &settings::<StackSettings>("--layers 3,4 --label-column class", recipe).unwrap());
    let recipe = "top_steps = \"2x3\"\nfreeze = [\"top\"]\nwake_rate = [0.25, 0.5]\nvisible_units = \"sampled\"";
    check("x", &settings::<TuneSettings>("x", recipe).unwrap());
    let recipe = "optimizer = \"sgd\"\nnesterov = true\ndropout = 0.25\n";
    check("x", &settings::<FinetuneSettings>("x", recipe).unwrap());
    check("x", &settings::<FinetuneSettings>("x", include_str!("../../../../models/mnist-dropout.toml")).unwrap());
}

#[test]
fn recipes_for_units_of_other_kinds_are_read() {
    let hidden = [("table-categorical", 200), ("table-real", 28), ("ising", 32), ("spins", 32), ("protein", 100)];
    for (name, units) in hidden {
        let read = settings::<PretrainSettings>("", NamedRecipe::of(name).unwrap().text).unwrap();
        assert_eq!(read.layer.hidden, units);
        assert!(read.layer.train.persistent_chains > 0, "{units}");
    }
}

/// Who has a clone finds the recipes there, who has the program alone prints them.
#[test]
fn recipes_that_are_printed_are_those_of_the_models() {
    for NamedRecipe { name, text } in NamedRecipe::ALL {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../models/{name}.toml"));
        assert_eq!(std::fs::read_to_string(path).unwrap(), text, "{name}");
    }
}

#[test]
fn a_bad_recipe_is_refused_by_key_or_line() {
    let refusal = |text: &str| {
        let failure = settings::<PretrainSettings>("", text).unwrap_err();
        let what = failure.what().rsplit_once("r.toml").unwrap().1.to_string();
        (what, failure.hint_text().unwrap_or_default().to_string())
    };
    assert_eq!(refusal("hiden = 5"), (": unknown key 'hiden'".into(), "did you mean 'hidden'?".into()));
    assert!(refusal("banana = 5").1.starts_with("the keys are "));
    assert!(refusal("epochs = 3\nhidden = = 5").0.starts_with(", line 2: not TOML"));
    let expected = "expected a whole number of epochs, or a time such as 90s, 10m or 2h";
    for value in ["\"often\"", "\"0s\"", "-1", "1.5", "true"] {
        assert_eq!(refusal(&format!("save_every = {value}")).0, format!(": 'save_every' is {value}: {expected}"));
    }
    assert_eq!(refusal("hidden = \"many\"").0, ": 'hidden' is \"many\": expected a whole number, not below 0");
    let schedules = "expected 'constant', 'linear', 'exponential'";
    assert_eq!(refusal("schedule = \"cosine\"").0, format!(": 'schedule' is \"cosine\": {schedules}"));
    let failure = settings::<FinetuneSettings>("x", "dropuot = 0.5\n").unwrap_err();
    assert!(failure.what().ends_with("unknown key 'dropuot'"));
}

#[test]
fn a_value_out_of_range_is_named() {
    let what = |recipe| settings::<PretrainSettings>("", recipe).unwrap_err().what().to_string();
    assert_eq!(what("learning_rate = -1.0"), "learning_rate is -1; it must be a positive 32-bit number");
    assert_eq!(what("batch_size = 0"), "batch_size is 0; it must be at least 1");
    let failure = settings::<FinetuneSettings>("x", "dropout = 1.5\n").unwrap_err();
    assert!(failure.what().starts_with("dropout is 1.5; it must be at least 0 and below 1"));
}

#[test]
fn a_resumed_run_keeps_what_was_learned_by() {
    let before: PretrainSettings = settings("", "").unwrap();
    let config = to_toml(&before).unwrap();
    let now: PretrainSettings = resumed("--hidden 500 --epochs 99 --threads 2 --sampler gibbs", &config).unwrap();
    let mut expected = before.clone();
    (expected.layer.train.epochs, expected.layer.train.threads) = (99, 2);
    assert_eq!(now, expected);
    let failure = resumed::<PretrainSettings>("--learning-rate 0.123", &config).unwrap_err();
    assert_eq!(failure.what(), "--learning-rate is 0.123, but 0.1 in the run to resume");
    let hint = "a resumed run keeps its settings; --data, --epochs, --threads, --device, --max-memory, --save-every, \
                --picture-every may change";
    assert_eq!(failure.hint_text(), Some(hint));

    let before: StackSettings = settings("--layers 5,6", "").unwrap();
    let config = to_toml(&before).unwrap();
    let same = "--layers 5,6 --threads 2 --momentum 0.5,0.5 --weight-cost 2e-4 --cd-steps 1,10x20+25";
    let now: StackSettings = resumed(same, &config).unwrap();
    assert_eq!((now.threads, &now.layers), (2, &before.layers));
    for (other, what) in [
        ("--layers 5,7", "--layers is [5, 7], but [5, 6] in the run to resume"),
        ("--layers 5", "--layers is [5], but [5, 6] in the run to resume"),
        ("--propagate samples", "--propagate is \"samples\", but \"probabilities\" in the run to resume"),
        ("--epochs 31", "--epochs is 31, but 30 in the run to resume"),
    ] {
        assert_eq!(resumed::<StackSettings>(other, &config).unwrap_err().what(), what);
    }
}

#[test]
fn a_checkpoint_does_not_know_how_many_threads_trained_it() {
    let before: PretrainSettings = settings("", "").unwrap();
    let mut other = before.clone();
    (other.layer.train.threads, other.run.save_every) = (3, SaveEvery::Seconds(60));
    assert_eq!(record(&before).unwrap(), record(&other).unwrap());
    other.layer.train.seed = 2;
    assert_ne!(record(&before).unwrap(), record(&other).unwrap());
}

/// What checkpoints record is what they recorded when there were fewer options.
#[test]
fn records_are_those_of_before() {
    let keys = |record: Json| record.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let record = |settings: Result<PretrainSettings>| keys(super::record(&settings.unwrap()).unwrap());
    let before = "balanced batch_size binarize cd_steps data epochs final_learning_rate final_momentum header hidden \
                  l1_cost learning_rate momentum momentum_switch patience persistent_chains scale schedule seed \
                  sparsity_cost sparsity_target tolerance valid visible_bias visible_states weight_cost weight_std";
    assert_eq!(record(settings("", "")), before);
    assert!(record(settings("--averaging 0.9", "")).contains("averaging"));
    assert!(record(settings("--precision f32", "")).contains("precision"));
    let tune = keys(super::record(&settings::<TuneSettings>("x --visible-units sampled", "").unwrap()).unwrap());
    let before = "balanced batch_size binarize data final_share freeze header label_units momentum patience \
                  penultimate_units persistent_chains scale schedule seed sleep_rate sleep_units top top_rate \
                  top_statistics top_steps valid visible_units wake_rate wake_units weight_cost weight_std";
    assert_eq!(tune, before);
    let stack = super::record(&settings::<StackSettings>("", "").unwrap()).unwrap();
    let layer = keys(stack["layer"][0].clone());
    assert_eq!(keys(stack), "balanced binarize cache data header labels layer propagate scale seed valid");
    let before = "batch_size cd_steps epochs final_learning_rate final_momentum hidden l1_cost learning_rate momentum \
                  momentum_switch patience persistent_chains schedule sparsity_cost sparsity_target start tolerance \
                  visible_bias visible_states weight_cost weight_std";
    assert_eq!(layer, before);
}

#[test]
fn the_data_are_read_as_the_checkpoint_was_trained_on_them() {
    let recipe =
        serde_json::json!({"data": "csv:a.csv", "label_column": "last", "seed": 7, "epochs": 3, "labelled": 5});
    let provenance = Provenance { recipe, ..Default::default() };
    let tune: Resolved<TuneSettings> = resolved("x", "seed = 8\n", Some(&provenance)).unwrap();
    assert!(tune.data_are_recorded);
    assert_eq!(tune.settings.data.data.to_string(), "csv:a.csv");
    assert_eq!(tune.settings.data.label_column.as_deref(), Some("last"));
    assert_eq!(tune.settings.tune.seed, 8, "a recipe beats the checkpoint");
    let tune: Resolved<TuneSettings> = resolved("x --data mnist", "", Some(&provenance)).unwrap();
    assert!(!tune.data_are_recorded && tune.settings.data.data == Source::Mnist);
    for (words, labelled) in [("x", 5), ("x --as autoencoder", 0)] {
        let finetune: Resolved<FinetuneSettings> = resolved(words, "", Some(&provenance)).unwrap();
        assert_eq!(finetune.settings.labelled, labelled);
    }
}

#[test]
fn a_net_of_small_minibatches_goes_on_with_them() {
    for (recipe, words, then) in [
        (serde_json::json!({"batch_size": 10}), "x", 10),
        (serde_json::json!({"batch_size": 10}), "x --batch-size 50", 50),
        (serde_json::json!({"batch_size": 1_000}), "x", 100),
        (serde_json::json!({"layer": [{"batch_size": 10}, {"batch_size": 20}]}), "x", 10),
        (serde_json::json!({}), "x", 100),
    ] {
        let provenance = Provenance { recipe: recipe.clone(), ..Default::default() };
        let tune: Resolved<TuneSettings> = resolved(words, "", Some(&provenance)).unwrap();
        let finetune: Resolved<FinetuneSettings> = resolved(words, "", Some(&provenance)).unwrap();
        assert_eq!((tune.settings.batch_size, finetune.settings.batch_size), (then, then), "{recipe} {words}");
    }
}

#[test]
fn rates_are_one_or_one_a_layer() {
    let tune: TuneSettings = settings("x --sleep-rate 0.3", "wake_rate = [0.1, 0.2]\n").unwrap();
    let config = tune.tune_config(2).unwrap();
    assert_eq!(config.layers[1], LayerRates { wake_rate: Some(0.2), sleep_rate: None });
    assert_eq!(config.sleep_rate, 0.3);
    let failure = tune.tune_config(3).unwrap_err();
    assert_eq!(failure.what(), "wake_rate has 2 values, but the model has 3 directed layers under its top");
    let failure = settings::<TuneSettings>("x", "wake_rate = -1.0\n").unwrap_err();
    assert!(failure.what().starts_with("wake_rate is -1"));
}

fn of<T>(settings: &StackSettings, value: impl Fn(&LayerConfig) -> T) -> Vec<T> {
    settings.layers.iter().map(value).collect()
}

/// Each place beats those before it, key by key.
#[test]
fn a_layer_is_built_from_its_places_in_order() {
    let recipe = "epochs = 3\nmomentum = [0.1, 0.2]\ncd_steps = 2\n[top]\nepochs = 4\ncd_steps = 5\n\
                  [[layer]]\nhidden = 7\n[[layer]]\nhidden = 8\ncd_steps = 6\n";
    let stack: StackSettings = settings("", recipe).unwrap();
    assert_eq!(of(&stack, |layer| layer.hidden), [7, 8]);
    assert_eq!(of(&stack, |layer| layer.train.epochs), [3, 4]);
    assert_eq!(of(&stack, |layer| layer.train.momentum), [0.1, 0.2]);
    assert_eq!(of(&stack, |layer| layer.train.cd_steps.at(0)), [2, 6]);
    // Flags may change the depth too.
    let hidden = |words, recipe| of(&settings::<StackSettings>(words, recipe).unwrap(), |layer| layer.hidden);
    assert_eq!(hidden("--layers 9,10", "layers = [1, 2, 3]"), [9, 10]);
    assert_eq!(hidden("--layers 9,10", recipe), [9, 10], "a flag beats everything");
    assert_eq!(hidden("", ""), [500, 500, 2000]);
}

#[test]
fn what_does_not_fit_a_stack_is_refused_by_key_and_place() {
    let refusal = |words, recipe| {
        let failure = settings::<StackSettings>(words, recipe).unwrap_err();
        failure.what().rsplit_once("r.toml").map_or(failure.what(), |(_, what)| what).to_string()
    };
    assert_eq!(refusal("", "hiden = 5"), ": unknown key 'hiden'");
    assert_eq!(refusal("", "[top]\nepoch = 5"), ", [top]: unknown key 'epoch'");
    assert_eq!(refusal("--layers 5,6,7", "epochs = [1, 2]"), "epochs has 2 values, but the stack has 3 layers");
    assert_eq!(refusal("--layers 5", "epochs = [1, 2]"), "epochs has 2 values, but the stack has 1 layer");
    let one = "a single value is wanted: this is one layer";
    assert_eq!(refusal("", "[top]\nepochs = [1, 2]"), format!(", [top]: 'epochs' is [1, 2]: {one}"));
    let layer = "[[layer]]\nhidden = 3\nmomentum = [0.5]";
    assert_eq!(refusal("", layer), format!(", [[layer]] 1: 'momentum' is [0.5]: {one}"));
    let failure = settings::<StackSettings>("", "hidden = 20").unwrap_err();
    assert!(failure.what().ends_with(": unknown key 'hidden'"));
    assert_eq!(failure.hint_text(), Some("that is the key of one RBM, and a stack lists its layers: layers = [20]"));
    let failure = settings::<StackSettings>("", "data = \"csv:a b.csv\"\nhidden = 20").unwrap_err();
    let command = "`dbn check 'csv:a b.csv' --for stack --recipe stack.toml`";
    assert!(failure.hint_text().unwrap().contains(command), "{failure:?}");
    let failure = settings::<PretrainSettings>("", "layers = [20]").unwrap_err();
    assert!(failure.hint_text().unwrap().contains("`dbn stack --config`"), "{failure:?}");
    let two = "[[layer]]\nhidden = 3\n[[layer]]\nepochs = 2";
    assert_eq!(refusal("", two), "[[layer]] 2 has no 'hidden'");
    let depth = "the recipe has 1 [[layer]] table, but the stack has 2 layers";
    assert_eq!(refusal("--layers 5,6", "[[layer]]\nhidden = 3"), depth);
    assert!(refusal("", "layers = []").contains("'layers' is []: expected an array of whole numbers"));
    let wrong = ": 'epochs' is \"many\": expected a whole number, not below 0";
    assert_eq!(refusal("", "epochs = \"many\""), wrong);
    assert_eq!(refusal("--epochs many", ""), "--epochs is \"many\": expected a whole number, not below 0");
    let failure = settings::<StackSettings>("--layers 5,0", "").unwrap_err();
    assert_eq!(failure.what(), "the settings of layer 2 do not hold");
    assert_eq!(failure.causes(), ["hidden is 0; it must be between 1 and 65504 units"]);
}
