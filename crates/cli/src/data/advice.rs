//! What to learn data by, from what they are. Rules, each with its reason:
//!
//! - Hinton, "A practical guide to training restricted Boltzmann machines" (2010): batches of 10 to 100
//!   samples; a tenth as many parameters as it takes bits to tell the training samples apart, where the
//!   bits of a sample are at most the entropies of its units, which gives
//!   `hidden = samples · bits / (10 · (units + 1))`. Grey pictures bear ten times as many ([`OF_PICTURES`]). That grows
//!   with the samples alone, where few columns have little to be learned: two units for each bit of a sample are enough
//!   ([`OF_BITS`]).
//! - Gaussian visible units need rates a tenth of those of binary ones, or less (the guide, section 13.2).
//! - Spins of -1 and 1 are bits with weights four times as large, on either side twice.
//! - An alignment is learned by the recipe for families of sequences ([`family`]).
//! - An update moves what a hidden unit gets from a sample by `rate · units that are on`: rates are such
//!   that this is at most what it is on MNIST.

use crate::data::family;
use crate::data::learners::{Hidden, Learners, RATE};
use crate::data::setting::Setting;
use crate::report::thousands;
use deepbelief_data::{Binarize, Column, Examination, Scale, ValueKind, VisibleUnits};
use deepbelief_kernels::UnitKind;
use deepbelief_rbm::RbmConfig;
use toml::Value;

/// Hidden units that a first training should have, at most: what more are worth is a matter of time.
const MOST_HIDDEN: usize = 500;

/// Samples from which on a stack is given a second layer, and a third. The first number was measured on small digits
/// (`docs/src/deep-belief-nets.md`); the second was not.
const SECOND_LAYER: usize = 1000;
const THIRD_LAYER: usize = 2000;

/// Hidden units for each bit of a sample, at most, where columns are no numbers. Of 4,000 rows of 8 answers by three
/// traits, and of 20 answers by six kinds of people, held-out rows are no more probable by 64, 128 or 440 hidden units
/// (-4.99 to -5.02 and -8.46 to -8.49 nats) than by 16 (-5.00 and -8.43).
const OF_BITS: f64 = 2.0;

/// Bits of the training samples for each weight.
const OF_STATES: f64 = 10.0;
/// The same of pictures whose grey levels are probabilities. Of 210 drawings in 12 x 12 grey pixels 160 hidden units learn what
/// makes others more probable than 16 do (-46 and -56 nats), and mislabel fewer of them (8 and 23 %): `bench/hidden_units.py`.
/// States do not bear as many: rows of answers and DNA that were held out became less probable from 16 units to 40.
const OF_PICTURES: f64 = 1.0;

/// Hidden units at least.
const LEAST_HIDDEN: usize = 16;

/// The same where visible units keep values that are no states.
const RATE_OF_VALUES: f64 = 0.05;

/// The same where visible units are Gaussian: of few samples, whose noise a larger rate learns.
const RATE_OF_NUMBERS: f64 = 0.01;

/// Samples from which on numbers are learned in larger batches and at a rate that grows with the samples, and those where it
/// is the largest. What goes together closely takes large weights, since these are in units of a precision that grows, and
/// small batches at such a rate are noise. Chosen by the likelihood of validation rows and by values removed from further
/// rows, of two tables (`models/REPRODUCTION.md`).
const ENOUGH_NUMBERS: usize = 1000;
const MANY_NUMBERS: usize = 4000;

/// The same under hidden units that are real, which may carry numbers anywhere.
const RATE_UNDER_REAL: f64 = 0.003;

/// Persistent chains of numbers under hidden units that are real, and their Gibbs steps. Chains that start from the data do
/// not reach where such a model has most of its mass, and nothing takes that away.
const CHAINS: i64 = 100;
const STEPS: i64 = 5;

/// Share of a rate that visible spins take: the difference of their two values is twice that of bits, in the gradient and
/// in what a step does.
const SHARE_OF_SPINS: f64 = 0.25;

/// Standard deviation of what a hidden unit gets from standardised columns in the first update, were they independent. Small
/// weights are a saddle of the likelihood, which learning leaves by correlations alone.
const INPUT: f64 = 0.5;

/// Bits of a normal number, to one standard deviation: `log2(2 pi e) / 2`.
const BITS_OF_NUMBER: f64 = 2.05;

/// Units that are on in one of the MNIST digits, for which the rate is the largest.
const ON: f64 = 103.0;

/// Share of the rate that is left in the last epoch.
const FINAL: f64 = 0.05;

/// The same in a stack, whose layers learn from each other.
const FINAL_OF_STACK: f64 = 0.1;

/// Updates of a training: 30 epochs of MNIST have 18,000.
const UPDATES: usize = 10_000;

/// Share of the values near 0 or 1 that makes them probabilities rather than amounts.
pub(crate) const NEAR: f64 = 0.7;

/// Settings to start from.
pub(crate) struct Advice {
    pub(crate) settings: Vec<Setting>,
}

impl Advice {
    /// For one RBM, or for a `stack`, of data that were read as `asked` says.
    pub(crate) fn of(found: &Examination, asked: VisibleUnits, stack: bool, learners: &Learners) -> Self {
        let (binarize, why) = binarize(found, stack);
        let mut settings = Vec::new();
        let mut add = |key, value: Value, reason: String| settings.push(Setting { key, value, reason });
        let (samples, units) = (found.train.samples, found.train.columns.len());
        let (own, numbers) = (!found.units.is_bernoulli(), !found.units.is_discrete());
        if own {
            add("visible_units", asked.to_string().into(), found.units.to_string());
        } else {
            add("scale", found.scale.to_string().into(), scale_reason(found));
        }
        // States are states, and beside numbers nothing is drawn.
        if !own || !numbers && found.kind != ValueKind::Binary {
            add("binarize", binarize.to_string().into(), why.into());
        }
        if let Some(aligned) = found.alignment.as_ref().filter(|_| own && !stack && !learners.descends) {
            let open = |setting: &Setting| !(learners.counted && ["hidden", "hidden_units"].contains(&setting.key));
            settings.extend(family::settings(aligned, samples).into_iter().filter(open));
            return Self { settings };
        }
        let keeps_amounts = !numbers && binarize == Binarize::None && !are_probabilities(found);

        let (hidden, reason) = hidden_units(found);
        // What grey pictures bear more of was measured of the lowest layer.
        let asked = borne(found, OF_STATES).min(of_use(found)) as usize;
        let top = if asked > MOST_HIDDEN { 4 * hidden } else { hidden };
        let layers = match samples {
            ..SECOND_LAYER => vec![hidden],
            SECOND_LAYER..THIRD_LAYER => vec![hidden, top],
            _ => vec![hidden, hidden, top],
        };
        let depth = if stack { learners.depth.unwrap_or(layers.len()) } else { 1 };
        if stack {
            let layers: Vec<Value> = layers.into_iter().map(|hidden| Value::from(hidden as i64)).collect();
            let few = match samples {
                ..SECOND_LAYER => Some(("one layer", SECOND_LAYER)),
                SECOND_LAYER..THIRD_LAYER => Some(("two layers", THIRD_LAYER)),
                _ => None,
            };
            let why = few.map_or(String::new(), |(layers, enough)| {
                format!("; {layers}, for another learns little from fewer than {} samples", thousands(enough))
            });
            add("layers", layers.into(), reason + &why);
        } else if !learners.counted {
            add("hidden", (hidden as i64).into(), reason);
        }
        if keeps_amounts {
            let why = if stack {
                "values that are no states are not drawn as such, nor are features of them"
            } else {
                "values that are no states are not drawn as such"
            };
            add("visible_states", "probabilities".into(), why.into());
        }
        let why = if own { "binary features" } else { "binary features; visible units lie between 0 and 1 too" };
        add("hidden_units", "bernoulli".into(), why.into());

        let classes = found.train.classes.as_ref().map_or(0, Vec::len);
        let share = if numbers && samples >= ENOUGH_NUMBERS { 40 } else { 100 };
        let batch_size = batch_size(samples / share, classes).min(samples);
        let updates = samples.div_ceil(batch_size);
        let reason = match updates {
            1 => "all samples at once, as there are few".into(),
            updates => format!("{} updates an epoch, if no samples are held out for validation", thousands(updates)),
        };
        add("batch_size", (batch_size as i64).into(), reason);
        let epochs = rounded(UPDATES.div_ceil(updates).clamp(30, 500));
        add("epochs", (epochs as i64).into(), format!("{} updates in all", thousands(epochs * updates)));

        // Only the lowest layer learns numbers and spins.
        let bottom_alone = numbers || has_spins(found);
        let of_layers = |bottom: f64, above: &dyn Fn(usize) -> f64| -> Value {
            let values: Vec<f64> = (0..depth).map(|layer| if layer == 0 { bottom } else { above(layer) }).collect();
            if values.iter().all(|value| value == &bottom) { bottom.into() } else { values.into() }
        };
        if numbers && learners.hidden != Hidden::Rectified {
            let start = one_digit(INPUT / (units as f64).sqrt());
            let reason = "larger than usual: from smaller weights, only linear relations between columns are learned";
            add("weight_std", of_layers(start, &|_| RbmConfig::default().weight_std), reason.into());
        }
        // Of a stack of several layers the lowest has Bernoulli hidden units.
        let unbounded = numbers && learners.hidden != Hidden::Discrete && depth == 1;
        if unbounded {
            let reason = "chains from the data do not see where numbers under such hidden units run away to";
            add("persistent_chains", CHAINS.into(), reason.into());
            add("cd_steps", STEPS.into(), "numbers that go together move slowly".into());
        }
        if !learners.adam {
            let (mut rate, mut reason) = largest_rate(found, keeps_amounts, learners.rate(0));
            if unbounded && rate > RATE_UNDER_REAL {
                (rate, reason) = (RATE_UNDER_REAL, "for numbers under hidden units that know no bound".into());
            }
            let above = |layer| if bottom_alone { learners.rate(layer) } else { rate.min(learners.rate(layer)) };
            let reason = if depth > 1 && bottom_alone { format!("{reason}, in the lowest layer") } else { reason };
            add("learning_rate", of_layers(rate, &above), reason);
            let (share, of_it) =
                if stack { (FINAL_OF_STACK, "about a tenth of it") } else { (FINAL, "about a twentieth of it") };
            let last = |rate: f64| one_digit(share * rate);
            add("final_learning_rate", of_layers(last(rate), &|layer| last(above(layer))), of_it.into());
        }
        Self { settings }
    }

    /// What of it a training takes that nobody asked for: all but what the schema says.
    pub(crate) fn left_open(&self, is_said: impl Fn(&str) -> bool) -> toml::Table {
        let open = |setting: &&Setting| !["scale", "visible_units"].contains(&setting.key) && !is_said(setting.key);
        self.settings.iter().filter(open).map(|setting| (setting.key.to_string(), setting.value.clone())).collect()
    }
}

/// Whether columns are spins.
fn has_spins(found: &Examination) -> bool {
    found.units.segments().iter().any(|segment| segment.units == UnitKind::Spin)
}

/// The largest rate of the lowest layer, and why, where its hidden units bear `usual` on the digits. Each kind of visible
/// units allows its own; together they have the smallest.
fn largest_rate(found: &Examination, keeps_amounts: bool, usual: f64) -> (f64, String) {
    let numbers = !found.units.is_discrete();
    let of_spins = if has_spins(found) { SHARE_OF_SPINS * usual } else { f64::INFINITY };
    let many = found.train.samples >= ENOUGH_NUMBERS;
    let of_values = match (numbers, keeps_amounts) {
        (true, _) if many => RATE.min(RATE * found.train.samples as f64 / MANY_NUMBERS as f64),
        (true, _) => RATE_OF_NUMBERS,
        (_, true) => RATE_OF_VALUES,
        _ => RATE,
    };
    let most = of_values.min(usual).min(of_spins);
    let (active, units) = (found.active(), found.train.columns.len());
    let reason = if active > 1.1 * ON {
        format!("lower than usual: about {active:.0} of {units} units are on in a sample, which all move a hidden unit")
    } else if most == of_spins {
        "a quarter of the usual rate: spins differ by 2, where bits differ by 1".into()
    } else if usual < of_values {
        "that of such hidden units".into()
    } else if numbers && many {
        format!("what numbers bear of {} samples, in batches of this size", thousands(found.train.samples))
    } else if numbers {
        "a tenth of the usual rate, for Gaussian visible units of few samples".into()
    } else if keeps_amounts {
        "half the usual rate, for visible units that keep their values".into()
    } else {
        format!("the usual rate: about {active:.0} of {units} units are on in a sample")
    };
    (one_digit(most * (ON / active.max(ON))), reason)
}

/// Why values are scaled as they are.
fn scale_reason(found: &Examination) -> String {
    match found.scale {
        Scale::Auto => "what is inferred of each column: see above".into(),
        Scale::MinMaxColumns => "each column by its own range, as --scale says".into(),
        Scale::Standard => "each column by its mean and standard deviation, as --scale says".into(),
        Scale::None => "the values lie between 0 and 1 already".into(),
        Scale::By255 => "grey levels from 0 to 255 become 0 to 1".into(),
        Scale::MinMax => format!("{} to {} become 0 to 1", found.min, found.max),
        Scale::Range { min, max } if min > max => {
            format!("dark on a light ground: {} become 0 to 1", found.scale.to_string().replace("..", " to "))
        }
        Scale::Range { .. } => {
            format!("{} become 0 to 1", found.scale.to_string().replace("..", " to "))
        }
    }
}

/// Whether values between 0 and 1 are probabilities rather than amounts.
fn are_probabilities(found: &Examination) -> bool {
    matches!(found.kind, ValueKind::Bytes | ValueKind::Unit) && found.train.near_ends >= NEAR
}

/// Whether the values are those of pictures whose grey levels are probabilities.
fn are_grey_pictures(found: &Examination) -> bool {
    are_probabilities(found) && (found.kind == ValueKind::Bytes || found.image.is_some())
}

/// How values become states, and why.
fn binarize(found: &Examination, stack: bool) -> (Binarize, &'static str) {
    match found.kind {
        ValueKind::Constant | ValueKind::Binary => {
            (Binarize::Threshold(0.5), "there are two values, which are states already")
        }
        _ if are_probabilities(found) && stack => {
            (Binarize::None, "most values are near 0 or 1: probabilities, as layers pass to each other")
        }
        _ if are_probabilities(found) => (
            Binarize::Fresh,
            "most values are near 0 or 1: probabilities, of which states are drawn at every presentation",
        ),
        ValueKind::Whole => (
            Binarize::None,
            "whole numbers are kept, as amounts; those that stand for categories should become a column each",
        ),
        ValueKind::Bytes | ValueKind::Unit | ValueKind::Real => {
            (Binarize::None, "values between are amounts rather than probabilities, and are kept")
        }
    }
}

/// Entropies of the units of a sample, were they independent, in bits.
fn bits(found: &Examination) -> f64 {
    let entropy = |p: f64| if p > 0.0 && p < 1.0 { -p * p.log2() - (1.0 - p) * (1.0 - p).log2() } else { 0.0 };
    let of_levels = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
    let of = |(kind, column): (UnitKind, &Column)| match kind {
        _ if column.is_constant() || column.same_as.is_some() => 0.0,
        UnitKind::Categorical => of_levels(column.mean),
        kind if kind.is_discrete() => entropy(found.scaled(column.mean)),
        _ => BITS_OF_NUMBER,
    };
    let kinds = found.units.each().flat_map(|(segment, columns)| columns.map(move |_| segment.units));
    kinds.zip(&found.train.columns).map(of).sum()
}

/// The hidden units that the samples bear by so many of their bits for each weight.
fn borne(found: &Examination, bits_of_weight: f64) -> f64 {
    let (samples, units) = (found.train.samples as f64, found.train.columns.len() as f64);
    samples * bits(found) / bits_of_weight / (units + 1.0)
}

/// The hidden units that a sample has a use for, at most.
fn of_use(found: &Examination) -> f64 {
    // Of numbers a bit is but a measure.
    if found.units.is_discrete() { OF_BITS * bits(found) } else { f64::INFINITY }
}

/// How many hidden units there should be, and why.
fn hidden_units(found: &Examination) -> (usize, String) {
    let (bits_of_weight, share) =
        if are_grey_pictures(found) { (OF_PICTURES, "about") } else { (OF_STATES, "about a tenth") };
    let (bits, by_samples, most) = (bits(found), borne(found, bits_of_weight), of_use(found));
    let asked = by_samples.min(most) as usize;
    let reason = if asked > MOST_HIDDEN {
        "more than enough to start with; the samples would bear more".into()
    } else if by_samples > most {
        format!("two for each bit of a sample ({bits:.0}) are enough; the samples would bear more")
    } else {
        format!("{share} as many weights as bits in the training samples ({bits:.0} each)")
    };
    (rounded(asked.clamp(LEAST_HIDDEN, MOST_HIDDEN)), reason)
}

/// Samples of a batch: a share of all, between 10 and 100, but as many as there are classes.
fn batch_size(share: usize, classes: usize) -> usize {
    let wanted = share.max(classes);
    [10, 20, 50].into_iter().find(|&size| wanted <= size).unwrap_or(100)
}

/// A whole number whose first digits alone count: steps of ten from 100 on.
fn rounded(n: usize) -> usize {
    match n {
        0..20 => n,
        20..100 => n / 5 * 5,
        100..1000 => n / 10 * 10,
        _ => n / 100 * 100,
    }
}

/// A rate with its first digit alone.
fn one_digit(rate: f64) -> f64 {
    format!("{rate:.0e}").parse().unwrap_or(rate)
}

#[cfg(test)]
mod tests;
