//! The biases along an annealing path.
//!
//! The weights of the model at inverse temperature β are β W. Its biases are free: any curve that ends at the
//! RBM's own biases gives an exact method, and a bad one an exact method that never converges. Where the biases
//! at β = 0 do not hold the units at the activities that they have in the model, the path crosses models that
//! look like neither end, and may cross them by a leap that no number of temperatures makes small.
//!
//! | path | biases at β |
//! |---|---|
//! | [`AnnealPath::visible`] | visible `(1-β) a + β vb`, hidden `β hb` (Salakhutdinov & Murray 2008) |
//! | [`AnnealPath::independent`] | visible `(1-β) a + β vb`, hidden `(1-β) c + β hb` |
//! | [`AnnealPath::matched`] | at some knots fitted so that every unit keeps its mean, and straight between them |
//!
//! a and c are the biases of independent units that have the means which these have over data, the log odds of
//! Bernoulli units. Of hidden units of other kinds c is what the mean of their inputs makes of hb. The precision of
//! Gaussian visible units goes from 1, that of the data, to the RBM's; all other fields are the RBM's all along. Spins
//! are bits here.

use super::runs::{AnnealConfig, FIT, draws, in_bits, run, starts};
use crate::error::{Error, Result, require_bernoulli};
use crate::model::rbm::Rbm;
use crate::units::fit::{independent_fit, log_odds};
use crate::units::layer::LayerUnits;
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Betas, BiasLine, PathBiases, Tempering, UnitKind};

/// Mean activities of the units of an RBM over data, a label that [`Rbm::joined`] has as a unit among them.
#[derive(Clone, Debug, PartialEq)]
pub struct Means {
    /// Of the visible units.
    pub visible: Vec<f32>,
    /// Of the hidden units given the visible ones.
    pub hidden: Vec<f32>,
}

impl Means {
    /// Over visible states `v` `[samples, V]` (with `labels`, where there is a label group); the hidden states
    /// are drawn once for each sample.
    ///
    /// # Errors
    /// As [`super::reverse_annealed_importance`].
    pub fn of(rbm: &Rbm, v: &Batch, labels: &[u32], config: &AnnealConfig) -> Result<Self> {
        let (v, labels) = starts(rbm, v, labels)?;
        let config = AnnealConfig { chains: v.rows().max(2), ..config.clone() };
        let hidden = run(&in_bits(rbm)?.0, &config, |chains| {
            chains.start_from(&v, labels)?;
            chains.anneal(Betas::All(1.0), Betas::All(1.0), Some(&draws(config.seed, FIT, 0)))?;
            Ok(chains.hidden_states()?)
        })?;
        Ok(Self { visible: means(&v), hidden: means(&hidden) })
    }
}

/// The mean of each unit over rows of states.
fn means(states: &Batch) -> Vec<f32> {
    let mut sums = vec![0.0f32; states.units()];
    for row in states.to_values().chunks_exact(states.units().max(1)) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    sums.iter().map(|sum| sum / states.rows().max(1) as f32).collect()
}

/// The biases that the visible units of an RBM on their own have for these means: log odds of bits, spins among them,
/// held away from infinity; log frequencies of levels; the means of Gaussian units.
///
/// # Errors
/// [`Error::Config`] for means that such units cannot have.
pub fn base_rates(rbm: &Rbm, means: &[f32]) -> Result<Vec<f32>> {
    independent_fit(&in_bits(rbm)?.0.layers().visible, means)
}

/// The same of its hidden units, which none needs for those that are not bits: they are where the mean of their inputs
/// takes them.
pub(super) fn hidden_rates(rbm: &Rbm, means: &Means) -> Result<Vec<f32>> {
    let (p, hidden) = (rbm.to_parameters()?, rbm.hidden());
    let mut inputs: Vec<f64> = vec![0.0; hidden];
    if !rbm.layers().hidden.is_bernoulli() {
        for (row, &mean) in p.w_rec.chunks_exact(hidden.max(1)).zip(&means.visible) {
            inputs.iter_mut().zip(row).for_each(|(sum, &w)| *sum += f64::from(mean) * f64::from(w));
        }
    }
    let mut rates = p.hb;
    for (segment, columns) in rbm.layers().hidden.each() {
        for column in columns {
            rates[column] = match segment.units {
                UnitKind::Bernoulli => log_odds(means.hidden[column]),
                _ => rates[column] + inputs[column] as f32,
            };
        }
    }
    Ok(rates)
}

/// Biases at some inverse temperature.
#[derive(Clone, Debug, PartialEq)]
struct Knot {
    beta: f32,
    visible: Vec<f32>,
    hidden: Vec<f32>,
    /// g of visible columns, where some are Gaussian.
    precision: Vec<f32>,
}

/// The biases along a path: given at knots from β = 0 to β = 1, straight in between.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnealPath(Vec<Knot>);

/// Knots of the matched path between its ends.
const KNOTS: u16 = 15;

/// Gibbs steps that fit the biases of a knot; those of the second half count.
const FITTING: u32 = 200;

impl AnnealPath {
    /// From biases at β = 0 to those of an RBM without spins.
    pub(super) fn straight(rbm: &Rbm, visible: Vec<f32>, hidden: Vec<f32>) -> Result<Self> {
        if visible.len() != rbm.visible() || hidden.len() != rbm.hidden() {
            let (got, expected) = (vec![visible.len(), hidden.len()], vec![rbm.visible(), rbm.hidden()]);
            return Err(Error::Shape { what: "biases at the start of the path".into(), got, expected });
        }
        let end = rbm.to_parameters()?;
        let g: Vec<f32> = end.visible_fields.log_precision.iter().map(|&log_g| libm::expf(log_g)).collect();
        let precision = vec![1.0; g.len()];
        Ok(Self(vec![
            Knot { beta: 0.0, visible, hidden, precision },
            Knot { beta: 1.0, visible: end.vb, hidden: end.hb, precision: g },
        ]))
    }

    /// The published path: from independent visible units with biases `base` ([`base_rates`]) and hidden units
    /// that are on half of the time.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is not one bias a visible unit.
    pub fn visible(rbm: &Rbm, base: &[f32]) -> Result<Self> {
        let rbm = &in_bits(rbm)?.0;
        Self::straight(rbm, base.to_vec(), vec![0.0; rbm.hidden()])
    }

    /// From fair units on both sides: visible biases of 0.
    ///
    /// # Errors
    /// If tensors cannot be made.
    pub fn fair(rbm: &Rbm) -> Result<Self> {
        let rbm = &in_bits(rbm)?.0;
        Self::straight(rbm, vec![0.0; rbm.visible()], vec![0.0; rbm.hidden()])
    }

    /// From independent units with these means on both sides.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is not one mean a unit.
    pub fn independent(rbm: &Rbm, means: &Means) -> Result<Self> {
        let rbm = &in_bits(rbm)?.0;
        if means.visible.len() != rbm.visible() || means.hidden.len() != rbm.hidden() {
            let (got, expected) = (vec![means.visible.len(), means.hidden.len()], vec![rbm.visible(), rbm.hidden()]);
            return Err(Error::Shape { what: "means of the units".into(), got, expected });
        }
        Self::straight(rbm, base_rates(rbm, &means.visible)?, hidden_rates(rbm, means)?)
    }

    /// A path on which every unit keeps these means, as nearly as its biases at some knots can be fitted by
    /// chains of Gibbs steps. The ladder and the burn-in of `config` play no part.
    ///
    /// # Errors
    /// As [`super::annealed_importance`]; [`Error::Shape`] if there is not one mean a unit.
    pub fn matched(rbm: &Rbm, means: &Means, config: &AnnealConfig) -> Result<Self> {
        let rbm = &in_bits(rbm)?.0;
        require_bernoulli(rbm.layers(), "bernoulli or spin: their biases are fitted; use the path independent")?;
        let mut path = Self::independent(rbm, means)?;
        let between = run(rbm, config, |chains| {
            let mut knots = Vec::new();
            chains.set_biases(&path.stretch(0))?;
            chains.start(config.chains, &draws(config.seed, FIT, 1))?;
            let mut last = path.0[0].clone();
            for knot in 1..=KNOTS {
                last.beta = f32::from(knot) / f32::from(KNOTS + 1);
                last = fit(chains, last, means, config.seed, u32::from(knot) * FITTING)?;
                knots.push(last.clone());
            }
            Ok(knots)
        })?;
        path.0.splice(1..1, between);
        Ok(path)
    }

    /// Inverse temperatures of the knots, from 0 to 1.
    pub(super) fn knots(&self) -> impl Iterator<Item = f32> {
        self.0.iter().map(|knot| knot.beta)
    }

    /// The line of the biases between two neighbouring knots, counted from 0.
    pub(super) fn stretch(&self, index: usize) -> PathBiases {
        let (from, to) = (&self.0[index], &self.0[index + 1]);
        let line = |start: &[f32], end: &[f32]| {
            if to.beta - from.beta >= 1.0 {
                return BiasLine::between(start, end);
            }
            let slope: Vec<f32> = start.iter().zip(end).map(|(a, b)| (b - a) / (to.beta - from.beta)).collect();
            let offset = start.iter().zip(&slope).map(|(a, slope)| a - from.beta * slope).collect();
            BiasLine { offset, slope }
        };
        PathBiases {
            visible: line(&from.visible, &to.visible),
            hidden: line(&from.hidden, &to.hidden),
            precision: (!to.precision.is_empty()).then(|| line(&from.precision, &to.precision)),
        }
    }

    /// The line that holds from β towards `to`, where one begins at β.
    pub(super) fn line_from(&self, beta: f32, to: f32) -> Option<PathBiases> {
        let knot = self.knots().position(|at| at == beta)?;
        let stretch = if to < beta { knot.checked_sub(1)? } else { knot };
        (stretch + 1 < self.0.len()).then(|| self.stretch(stretch))
    }

    /// The line that holds at β.
    pub(super) fn line_at(&self, beta: f32) -> Option<PathBiases> {
        // A path of one line has it from the start.
        let above = self.knots().position(|knot| knot > beta).filter(|_| self.0.len() > 2)?;
        above.checked_sub(1).map(|stretch| self.stretch(stretch))
    }

    /// ln Z at β = 0 of an RBM without spins.
    pub(super) fn base_log_partition(&self, rbm: &Rbm) -> Result<f64> {
        if rbm.layers().are_bernoulli() {
            return Ok(self.stretch(0).base_log_partition(rbm.classes()));
        }
        let (rbm, start) = (rbm.to_device(&Device::Cpu)?.to_dtype(DType::F64)?, &self.0[0]);
        let tensor = |values: &[f32]| Tensor::from_slice(values, values.len(), &Device::Cpu)?.to_dtype(DType::F64);
        let (mut below, mut above) = (rbm.visible_fields().clone(), rbm.hidden_fields().clone());
        if !start.precision.is_empty() {
            below.log_precision = Some(tensor(&start.precision)?.log()?);
        }
        let (vb, hb) = (tensor(&start.visible)?, tensor(&start.hidden)?);
        if let Some(bias) = &above.bias_below {
            above.bias_below = Some((bias + (&hb - rbm.hb())?)?);
        }
        let of = |units, bias: &Tensor, fields| -> Result<f64> {
            let zeros = bias.zeros_like()?.unsqueeze(0)?;
            Ok(LayerUnits { units, bias, fields }.cgf(&zeros)?.sum_all()?.to_scalar::<f64>()?)
        };
        let layers = rbm.layers();
        Ok(of(&layers.visible, &vb, &below)? + of(&layers.hidden, &hb, &above)?)
    }
}

/// Biases at the inverse temperature of `knot` that give the units their means: stochastic approximation from
/// those of `knot`, along with the chains. A unit on its own is where it should be after one step at full length.
fn fit(chains: &mut dyn Tempering, mut knot: Knot, means: &Means, seed: u64, first: u32) -> Result<Knot> {
    let (mut visible, mut hidden) = (vec![0.0; knot.visible.len()], vec![0.0; knot.hidden.len()]);
    for step in 0..FITTING {
        let still = |biases: &[f32]| BiasLine { offset: biases.to_vec(), slope: vec![0.0; biases.len()] };
        chains.set_biases(&PathBiases {
            visible: still(&knot.visible),
            hidden: still(&knot.hidden),
            precision: None,
        })?;
        chains.anneal(Betas::All(knot.beta), Betas::All(knot.beta), Some(&draws(seed, FIT, first + step)))?;
        let rate = 1.0 / (3.0 + step as f32 / 10.0);
        approach(&mut knot.visible, &self::means(&chains.states()?), &means.visible, rate);
        approach(&mut knot.hidden, &self::means(&chains.hidden_states()?), &means.hidden, rate);
        if step >= FITTING / 2 {
            add(&mut visible, &knot.visible);
            add(&mut hidden, &knot.hidden);
        }
    }
    Ok(Knot { visible, hidden, ..knot })
}

/// Moves biases by what the means lack, as Newton's method does for units on their own.
fn approach(biases: &mut [f32], found: &[f32], wanted: &[f32], rate: f32) {
    for ((bias, found), wanted) in biases.iter_mut().zip(found).zip(wanted) {
        let wanted = wanted.clamp(1e-3, 1.0 - 1e-3);
        *bias += (rate * (wanted - found) / (wanted * (1.0 - wanted)).max(0.02)).clamp(-1.0, 1.0);
    }
}

/// Adds what a mean over the second half of a fit takes of one step.
fn add(mean: &mut [f32], biases: &[f32]) {
    let share = 1.0 / (FITTING - FITTING / 2) as f32;
    mean.iter_mut().zip(biases).for_each(|(mean, bias)| *mean += share * bias);
}
