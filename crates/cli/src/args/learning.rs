//! Options of the learning of one RBM, and the same for every layer of a stack.

use super::words;
use clap::builder::ValueParser;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use deepbelief_rbm::CdSteps;
use serde::Serialize;
use toml::{Table, Value};

/// Options of a layer. The names of the fields are the keys of a recipe.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(crate) struct LearningArgs {
    /// Type of the hidden units: binary, or real with Gaussian noise, as in the code layer of an
    /// autoencoder; those need a learning rate near 0.001, and in a stack the top alone can have them
    #[arg(long, env = "DBN_HIDDEN_UNITS", hide_env = true, value_parser = words(&["bernoulli", "gaussian"]), help_heading = "Model")]
    pub(crate) hidden_units: Option<String>,
    /// Standard deviation of the initial weights
    #[arg(long, env = "DBN_WEIGHT_STD", hide_env = true, value_name = "X", help_heading = "Model")]
    pub(crate) weight_std: Option<f64>,
    /// Where visible biases start: at the log-odds of the data's means, or at zero
    #[arg(long, env = "DBN_VISIBLE_BIAS", hide_env = true, value_name = "log-odds|zero", hide_possible_values = true, value_parser = words(&["log-odds", "zero"]), help_heading = "Model")]
    pub(crate) visible_bias: Option<String>,
    /// Samples in a minibatch
    #[arg(long, env = "DBN_BATCH_SIZE", hide_env = true, value_name = "N", help_heading = "Data")]
    pub(crate) batch_size: Option<u32>,
    /// Passes over the data
    #[arg(long, env = "DBN_EPOCHS", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) epochs: Option<u32>,
    /// Step size
    #[arg(long, env = "DBN_LEARNING_RATE", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) learning_rate: Option<f64>,
    /// How the step size moves to the final one over the epochs
    #[arg(long, env = "DBN_SCHEDULE", hide_env = true, value_name = "constant|linear|exponential", hide_possible_values = true, value_parser = words(&["constant", "linear", "exponential"]), help_heading = "Learning")]
    pub(crate) schedule: Option<String>,
    /// Step size of the last epoch, unless the schedule is constant
    #[arg(long, env = "DBN_FINAL_LEARNING_RATE", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) final_learning_rate: Option<f64>,
    /// Gibbs steps of the negative phase: the k of CD-k, which may grow with the epochs as in
    /// 1x20+10x10
    #[arg(long, env = "DBN_CD_STEPS", hide_env = true, value_name = "K", help_heading = "Learning")]
    pub(crate) cd_steps: Option<CdSteps>,
    /// Persistent chains; 0 starts every chain from the data
    #[arg(long, env = "DBN_PERSISTENT_CHAINS", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) persistent_chains: Option<u32>,
    /// What moves persistent chains: Gibbs steps of the model; of fast weights that run ahead of it; or with
    /// swaps of states between several temperatures, or between earlier models of the training
    #[arg(long, env = "DBN_SAMPLER", hide_env = true, value_name = "gibbs|fast|tempered|trajectory", hide_possible_values = true, value_parser = words(&["gibbs", "fast", "tempered", "trajectory"]), help_heading = "Learning")]
    pub(crate) sampler: Option<String>,
    /// Step size of the fast weights of the sampler fast
    #[arg(long, env = "DBN_FAST_LEARNING_RATE", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) fast_learning_rate: Option<f64>,
    /// Temperatures of the sampler tempered, models at most of the sampler trajectory: each persistent chain
    /// has a replica at each
    #[arg(long, env = "DBN_TEMPERATURES", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) temperatures: Option<u32>,
    /// Take the states of units relative to their means, which learns faster where pixels are mostly on
    #[arg(long, env = "DBN_CENTRED", hide_env = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Learning")]
    pub(crate) centred: Option<bool>,
    /// Save the running mean of the models, of which each update keeps this share, such as 0.999; 0
    /// saves the last model
    #[arg(long, env = "DBN_AVERAGING", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) averaging: Option<f64>,
    /// Estimate ln Z, and with it the likelihood, every so many epochs; 0 never does. A single RBM's best
    /// model on the validation samples is then kept
    #[arg(long, env = "DBN_LOG_Z_EVERY", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) log_z_every: Option<u32>,
    /// Whether reconstructed visible units are drawn, or kept as probabilities
    #[arg(long, env = "DBN_VISIBLE_STATES", hide_env = true, value_name = "sampled|probabilities", hide_possible_values = true, value_parser = words(&["sampled", "probabilities"]), help_heading = "Learning")]
    pub(crate) visible_states: Option<String>,
    /// Share of the last step kept in the next, in the first epochs
    #[arg(long, env = "DBN_MOMENTUM", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) momentum: Option<f64>,
    /// The same in the later epochs
    #[arg(long, env = "DBN_FINAL_MOMENTUM", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) final_momentum: Option<f64>,
    /// Epochs trained with the first momentum
    #[arg(long, env = "DBN_MOMENTUM_SWITCH", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) momentum_switch: Option<u32>,
    /// L2 cost of the weights
    #[arg(long, env = "DBN_WEIGHT_COST", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) weight_cost: Option<f64>,
    /// L1 cost of the weights
    #[arg(long, env = "DBN_L1_COST", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) l1_cost: Option<f64>,
    /// Mean hidden probability that the sparsity cost pulls towards
    #[arg(long, env = "DBN_SPARSITY_TARGET", hide_env = true, value_name = "P", help_heading = "Learning")]
    pub(crate) sparsity_target: Option<f64>,
    /// Strength of that pull; 0 turns it off
    #[arg(long, env = "DBN_SPARSITY_COST", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) sparsity_cost: Option<f64>,
    /// Stop when the reconstruction cost changes by at most this many nats from one epoch to the
    /// next; 0 turns it off
    #[arg(long, env = "DBN_TOLERANCE", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) tolerance: Option<f64>,
    /// Stop after this many epochs of overfitting in a row; 0 turns it off
    #[arg(long, env = "DBN_PATIENCE", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) patience: Option<u32>,
    /// What to do when weights explode or all hidden units die: stop, or begin the epoch anew at half the
    /// learning rate, ten times a run at most
    #[arg(long, env = "DBN_ON_DIVERGENCE", hide_env = true, value_name = "stop|halve-lr", hide_possible_values = true, value_parser = words(&["stop", "halve-lr"]), help_heading = "Learning")]
    pub(crate) on_divergence: Option<String>,
}

/// The same options for a stack: each takes one value for all layers, or one a layer, from the
/// bottom, with commas.
#[derive(Debug, Clone, Default)]
pub(crate) struct PerLayer(Table);

impl PerLayer {
    /// What was given, by key: one value, or an array with one a layer.
    pub(crate) fn table(&self) -> &Table {
        &self.0
    }
}

impl Args for PerLayer {
    fn augment_args(command: Command) -> Command {
        let names: Vec<String> = ids();
        let several = |command: Command, id: &String| {
            command.mut_arg(id, |arg| {
                // What each value must be is known where they are merged with the recipe.
                arg.value_parser(ValueParser::string())
            })
        };
        names.iter().fold(LearningArgs::augment_args(command), several)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for PerLayer {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut table = Table::new();
        for id in ids() {
            if let Some(text) = matches.get_one::<String>(&id) {
                table.insert(id, per_layer(text));
            }
        }
        Ok(Self(table))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The keys of a layer.
fn ids() -> Vec<String> {
    let command = LearningArgs::augment_args(Command::new("layer"));
    command.get_arguments().map(|arg| arg.get_id().to_string()).collect()
}

/// Words between commas as the values of a recipe that they look like; one word alone is for all
/// layers.
pub(crate) fn per_layer(text: &str) -> Value {
    let value = |word: &str| {
        let number = || word.parse().map(Value::Integer).ok().or_else(|| word.parse().map(Value::Float).ok());
        let truth = || word.parse().map(Value::Boolean).ok();
        number().or_else(truth).unwrap_or_else(|| Value::String(word.to_string()))
    };
    let mut values: Vec<Value> = text.split(',').map(|word| value(word.trim())).collect();
    if values.len() == 1 { values.remove(0) } else { Value::Array(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_or_one_a_layer() {
        let command = PerLayer::augment_args(Command::new("x"));
        let words = ["x", "--epochs", "3,4", "--learning-rate", "0.5", "--schedule", "linear,constant"];
        let PerLayer(table) = PerLayer::from_arg_matches(&command.get_matches_from(words)).unwrap();
        let expected = "epochs = [3, 4]\nlearning_rate = 0.5\nschedule = [\"linear\", \"constant\"]\n";
        assert_eq!(table, expected.parse().unwrap());
    }
}
