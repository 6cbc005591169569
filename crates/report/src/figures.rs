//! Every figure that `metrics.jsonl`, a checkpoint or a log line has: what it is called, what it means and which way
//! is better. This is the one place where these sentences stand; the report, `dbn report --figures` and
//! `docs/src/glossary.md` take them from here.

use serde::Serialize;

/// Which way a figure should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The less the better.
    Lower,
    /// The more the better.
    Higher,
    /// Neither: it is watched.
    Neither,
}

/// A figure by its name in `metrics.jsonl`, without `_train`, `_valid` and `_test`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// Its key.
    pub name: &'static str,
    /// What a heading calls it.
    pub title: &'static str,
    /// Unit; empty for a plain number.
    pub unit: &'static str,
    /// Which way is better.
    pub better: Better,
    /// What it means.
    pub meaning: &'static str,
}

/// What the ending of a name means.
pub const ENDINGS: [(&str, &str); 3] = [
    ("_train", "measured on training samples"),
    ("_valid", "measured on validation samples, which the training does not learn from"),
    ("_test", "measured on test samples, once, after the training"),
];

const fn figure(
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    better: Better,
    meaning: &'static str,
) -> Figure {
    Figure { name, title, unit, better, meaning }
}

use Better::{Higher, Lower, Neither};

/// All figures.
pub const FIGURES: &[Figure] = &[
    figure(
        "label_error",
        "Label error",
        "%",
        Lower,
        "Share of the samples that get a wrong label. metrics.jsonl has it as a fraction.",
    ),
    figure(
        "log_likelihood",
        "Log-likelihood",
        "nats per sample",
        Higher,
        "Mean ln p(v): how probable the model finds the samples. It needs ln Z, so it has an interval: \u{b1}3 standard \
         errors of ln Z.",
    ),
    figure(
        "pseudo_likelihood",
        "Pseudo-likelihood",
        "nats per sample",
        Higher,
        "How well the model predicts one unit of a sample from all others, times the number of units. It needs no ln Z \
         and has no interval.",
    ),
    figure(
        "variational_cost",
        "Variational cost",
        "nats per sample",
        Lower,
        "What a deep belief net pays to describe a sample: the generative costs of its layers, less the entropy of \
         recognition, and the reconstruction cost of the top.",
    ),
    figure(
        "squared_error",
        "Squared error",
        "per sample",
        Lower,
        "Squared difference between a sample and its reconstruction, summed over the units.",
    ),
    figure(
        "cost",
        "Cross-entropy",
        "nats per sample",
        Lower,
        "What backpropagation lowers: minus the log-probability of the labels, or of the inputs of an autoencoder, \
         measured without dropout.",
    ),
    figure(
        "training_cost",
        "Cost while learning",
        "nats per sample",
        Lower,
        "The cross-entropy of the minibatches as they were learned from, dropout included.",
    ),
    figure(
        "reconstruction_cost",
        "Reconstruction cost",
        "nats per sample",
        Lower,
        "Cross-entropy between a sample and its reconstruction after one Gibbs step. It falls while an RBM learns, but \
         a lower one need not be a better model: compare models by their likelihood. Of numbers it is minus the log of a \
         density of standardised values, and may be below 0.",
    ),
    figure(
        "free_energy",
        "Free energy",
        "nats per sample",
        Neither,
        "Minus ln p(v), up to ln Z, which is the same for all samples. Only differences of free energies mean anything.",
    ),
    figure(
        "free_energy_gap",
        "Free-energy gap",
        "nats per sample",
        Lower,
        "Free energy of validation samples minus that of training samples. A gap that keeps growing means overfitting.",
    ),
    figure(
        "divergence",
        "Weights apart",
        "nats per sample",
        Neither,
        "How far the recognition weights of a layer are from the transpose of its generative weights: the divergence of \
         the two posteriors. Zero before tuning.",
    ),
    figure(
        "hidden_activity",
        "Hidden activity",
        "mean probability",
        Neither,
        "How often a hidden unit is on, on average. Near 0 or 1 the units carry little information.",
    ),
    figure(
        "hidden_spread",
        "Hidden spread",
        "standard deviation",
        Neither,
        "How far the means of hidden units that are numbers vary from sample to sample. Their noise is 1.",
    ),
    figure("dead_units", "Dead units", "units", Lower, "Hidden units that are on with a mean probability below 0.001."),
    figure(
        "saturated_units",
        "Saturated units",
        "units",
        Lower,
        "Hidden units that are on with a mean probability above 0.999.",
    ),
    figure("log_z", "ln Z", "nats", Neither, "Logarithm of the partition function, estimated along the training."),
    figure("log_z_error", "Error of ln Z", "nats", Lower, "Standard error of the estimate of ln Z."),
    figure(
        "chains_moved",
        "Chains moved",
        "share",
        Neither,
        "Share of the hidden units of the persistent chains that the last update changed. Near 0 the chains are stuck.",
    ),
    figure(
        "swap_rate",
        "Swap rate",
        "share",
        Higher,
        "How often tempered chains swap between the two neighbours that do so least.",
    ),
    figure(
        "update_ratio",
        "Update ratio",
        "share",
        Neither,
        "Norm of the last weight update over the norm of the weights. About 0.001 is healthy.",
    ),
    figure(
        "top_update_ratio",
        "Update ratio of the top",
        "share",
        Neither,
        "Norm of the last update of the top's weights over their norm. About 0.001 is healthy.",
    ),
    figure(
        "generative_update_ratio",
        "Update ratio of generative weights",
        "share",
        Neither,
        "Norm of the last update of a layer's generative weights over their norm.",
    ),
    figure(
        "recognition_update_ratio",
        "Update ratio of recognition weights",
        "share",
        Neither,
        "Norm of the last update of a layer's recognition weights over their norm.",
    ),
    figure("weight_norm", "Weight norm", "", Neither, "Euclidean norm of all weights."),
    figure(
        "generative_cost",
        "Generative cost of a layer",
        "nats per sample",
        Lower,
        "How well the units of a layer are predicted from those above them. The wake phase lowers it.",
    ),
    figure(
        "recognition_cost",
        "Recognition cost of a layer",
        "nats per sample",
        Lower,
        "How well the recognition weights find the units that a fantasy was generated from. The sleep phase lowers it.",
    ),
    figure(
        "recognition_entropy",
        "Recognition entropy of a layer",
        "nats per sample",
        Neither,
        "How undecided recognition is about the units of a layer.",
    ),
    figure("learning_rate", "Learning rate", "", Neither, "Step size in the epoch."),
    figure("wake_rate", "Wake rate", "", Neither, "Step size of the generative weights in the epoch."),
    figure("sleep_rate", "Sleep rate", "", Neither, "Step size of the recognition weights in the epoch."),
    figure("top_rate", "Top rate", "", Neither, "Step size of the top in the epoch."),
    figure("momentum", "Momentum", "", Neither, "Momentum in the epoch."),
    figure("top_steps", "Gibbs steps of the top", "steps", Neither, "Gibbs steps that the top makes for an update."),
    figure("best_epoch", "Best epoch", "", Neither, "The epoch with the best model so far on the validation samples."),
    figure("samples_per_second", "Speed", "samples/s", Higher, "Training samples a second, measurements included."),
    figure("seconds", "Time of an epoch", "s", Lower, "Wall time of the epoch."),
];

/// The figure of a name as `metrics.jsonl` or a checkpoint has it: endings and the number of a layer are left out.
#[must_use]
pub fn figure_of(name: &str) -> Option<&'static Figure> {
    let of = |name: &str| FIGURES.iter().find(|figure| figure.name == name);
    let bare = without_layer(name);
    let stem = ENDINGS.iter().find_map(|(ending, _)| bare.strip_suffix(ending)).unwrap_or(bare);
    of(bare).or_else(|| of(stem))
}

/// `divergence` of `layer_1_divergence`.
fn without_layer(name: &str) -> &str {
    let rest = name.strip_prefix("layer_").and_then(|rest| rest.split_once('_'));
    rest.filter(|(layer, _)| layer.bytes().all(|c| c.is_ascii_digit())).map_or(name, |(_, name)| name)
}

/// What a name is called in a sentence: `Label error (validation)`. Names in files count layers from 0, as tensors do;
/// words count them from 1.
#[must_use]
pub fn called(name: &str) -> String {
    let bare = without_layer(name);
    let layer = name.strip_prefix("layer_").filter(|_| bare != name).and_then(|rest| rest.split_once('_'));
    let title = figure_of(name).map_or_else(|| bare.replace('_', " "), |figure| figure.title.to_string());
    let of = ENDINGS.iter().find_map(|(ending, _)| bare.ends_with(ending).then_some(&ending[1..]));
    let of = match of.filter(|_| figure_of(name).is_none_or(|figure| figure.name != bare)) {
        Some("train") => " (training)",
        Some("valid") => " (validation)",
        Some(_) => " (test)",
        None => "",
    };
    let layer = layer.and_then(|(layer, _)| layer.parse::<u64>().ok());
    let layer = layer.map_or(String::new(), |layer| format!(", layer {}", layer.saturating_add(1)));
    format!("{title}{layer}{of}")
}

/// A value for people: label errors in per cent, others with as many digits as tell them apart.
#[must_use]
pub fn shown(name: &str, value: f64) -> String {
    let figure = figure_of(name);
    let (value, unit) = match figure.map_or("", |figure| figure.unit) {
        "%" => (100.0 * value, " %"),
        _ => (value, ""),
    };
    format!("{}{unit}", number(value))
}

/// A number with five significant digits at most.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    let text = if !value.is_finite() {
        return format!("{value}");
    } else if size != 0.0 && !(1e-3..1e9).contains(&size) {
        return format!("{value:.2e}");
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        let digits = (3.0 - size.log10().floor()).clamp(0.0, 5.0) as usize;
        format!("{value:.digits$}")
    };
    // The typographic minus is as wide as a digit.
    text.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_found_by_any_of_its_names() {
        let name = |name| figure_of(name).map(|figure| figure.name);
        assert_eq!(name("label_error_valid"), Some("label_error"));
        assert_eq!(name("layer_12_divergence"), Some("divergence"));
        assert_eq!(name("layer_0_reconstruction_cost_valid"), Some("reconstruction_cost"));
        assert_eq!(name("free_energy_gap"), Some("free_energy_gap"));
        assert_eq!(name("layer_x_divergence"), None);
        assert_eq!(called("layer_0_reconstruction_cost_valid"), "Reconstruction cost, layer 1 (validation)");
        assert_eq!(called("something_new"), "something new");
    }

    #[test]
    fn no_two_figures_share_a_name_and_all_have_a_sentence() {
        for (place, figure) in FIGURES.iter().enumerate() {
            assert!(FIGURES[..place].iter().all(|other| other.name != figure.name), "{}", figure.name);
            assert!(figure.meaning.ends_with('.') && !figure.title.is_empty(), "{}", figure.name);
        }
    }

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 12.0, 71.8345, 0.012_345, 1e-5, 123_456.7, -91.25, f64::NAN].map(number);
        assert_eq!(shown, ["0", "12", "71.83", "0.01235", "1.00e-5", "123457", "\u{2212}91.25", "NaN"]);
        assert_eq!(super::shown("label_error_valid", 0.0125), "1.250 %");
    }
}
