//! An RBM over discrete visible units, site by site.
//!
//! A site is a visible unit, and has levels: those of a category, 0 and 1 of a Bernoulli unit, -1 and 1 of a spin. At
//! level a it adds `U_i(a)` to the energy and `W_iu(a)` to the input of hidden unit u, so that
//!
//! ```text
//! F(v) = sum_i U_i(v_i) - sum_u cgf_u(sum_i W_iu(v_i))
//! ```

use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor};
use deepbelief_rbm::{Rbm, UnitKind, Units};
use rayon::prelude::*;

/// The level of a site: its number from 0.
pub type Level = u16;

/// Sequences, of one level a site each, and what each weighs.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequences {
    sites: usize,
    levels: Vec<Level>,
    weights: Vec<f64>,
}

impl Sequences {
    /// Levels [sequences, sites], row by row, and the sequences' weights; without these, each weighs 1.
    ///
    /// # Errors
    /// [`Error::Count`] if levels do not fill whole sequences, there is none, or there is not one weight each.
    pub fn new(sites: usize, levels: Vec<Level>, weights: Option<Vec<f64>>) -> Result<Self> {
        let count = levels.len() / sites.max(1);
        if count == 0 || levels.len() != count * sites {
            let expected = format!("{sites} for each of at least one sequence");
            return Err(Error::Count { what: "levels", got: levels.len(), expected });
        }
        let weights = weights.unwrap_or_else(|| vec![1.0; count]);
        if weights.len() != count {
            let expected = format!("{count}, one a sequence");
            return Err(Error::Count { what: "weights of sequences", got: weights.len(), expected });
        }
        Ok(Self { sites, levels, weights })
    }

    /// From values [sequences, columns] of visible units, as minibatches have them: the largest column of a category is its
    /// level; the others are on above one half.
    ///
    /// # Errors
    /// [`Error::Units`] of other than discrete units, [`Error::Count`] as [`Sequences::new`].
    pub fn of_values(units: &Units, values: &[f32], weights: Option<Vec<f64>>) -> Result<Self> {
        require_discrete(units, "reading sequences")?;
        let mut levels = Vec::with_capacity(values.len() / units.columns().max(1) * units.sites());
        for row in values.chunks_exact(units.columns().max(1)) {
            for (segment, columns) in units.each() {
                for x in row[columns].chunks_exact(segment.levels) {
                    levels.push(match segment.units {
                        UnitKind::Categorical => largest(x) as Level,
                        _ => Level::from(x[0] > 0.5),
                    });
                }
            }
        }
        Self::new(units.sites(), levels, weights)
    }

    /// Number of sequences.
    #[must_use]
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there is none, which cannot be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// Sites of a sequence.
    #[must_use]
    pub fn sites(&self) -> usize {
        self.sites
    }

    /// The levels of sequence `n`.
    ///
    /// # Panics
    /// If `n` is not below their number.
    #[must_use]
    pub fn row(&self, n: usize) -> &[Level] {
        &self.levels[n * self.sites..(n + 1) * self.sites]
    }

    /// The levels of each sequence.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[Level]> {
        self.levels.chunks_exact(self.sites)
    }

    /// What each sequence weighs.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Levels site by site: `[sites][sequences]`.
    #[must_use]
    pub fn by_site(&self) -> Vec<Vec<Level>> {
        (0..self.sites).map(|site| self.rows().map(|row| row[site]).collect()).collect()
    }
}

/// The place of the first of the largest values.
fn largest(values: &[f32]) -> usize {
    values.iter().enumerate().fold(0, |best, (at, x)| if *x > values[best] { at } else { best })
}

fn require_discrete(units: &Units, what: &'static str) -> Result<()> {
    if units.is_discrete() {
        return Ok(());
    }
    let expected = "bernoulli, spin or categorical visible units";
    Err(Error::Units { what, got: format!("{units} visible units"), expected })
}

/// An RBM, site by site, in double precision.
#[derive(Clone, Debug)]
pub struct Sites {
    /// Levels of each site.
    levels: Vec<usize>,
    /// The first row of each site in `weights` and `energies`.
    first: Vec<usize>,
    hidden: usize,
    /// `W_iu(a)`, [levels of all sites, hidden].
    weights: Vec<f64>,
    /// `U_i(a)`.
    energies: Vec<f64>,
    /// The same model, for what its hidden units do.
    rbm: Rbm,
}

impl Sites {
    /// The sites of an RBM.
    ///
    /// # Errors
    /// [`Error::Units`] for other than discrete visible units, and beside a label group.
    pub fn of(rbm: &Rbm) -> Result<Self> {
        let units = &rbm.layers().visible;
        require_discrete(units, "an analysis by sites")?;
        if rbm.labels().is_some() {
            let expected = "an RBM without labels, such as one of `dbn pretrain`";
            return Err(Error::Units { what: "an analysis by sites", got: "a label group".into(), expected });
        }
        let rbm = rbm.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        let (hidden, w) = (rbm.hidden(), rbm.w_rec().to_vec2::<f64>()?);
        let b: Vec<f64> = rbm.vb().to_vec1()?;
        let (mut levels, mut first, mut weights, mut energies) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (segment, columns) in rbm.layers().visible.each() {
            for column in columns.step_by(segment.levels) {
                first.push(energies.len());
                let values: &[f64] = match segment.units {
                    UnitKind::Spin => &[-1.0, 1.0],
                    UnitKind::Bernoulli => &[0.0, 1.0],
                    _ => {
                        levels.push(segment.levels);
                        energies.extend(b[column..column + segment.levels].iter().map(|b| -b));
                        w[column..column + segment.levels].iter().for_each(|w| weights.extend(w));
                        continue;
                    }
                };
                levels.push(values.len());
                energies.extend(values.iter().map(|x| -b[column] * x));
                for x in values {
                    weights.extend(w[column].iter().map(|w| w * x));
                }
            }
        }
        if !weights.iter().chain(&energies).all(|x| x.is_finite()) {
            return Err(Error::Setting { name: "a weight", got: "not a number".into(), expected: "finite".into() });
        }
        Ok(Self { levels, first, hidden, weights, energies, rbm })
    }

    /// Number of sites.
    #[must_use]
    pub fn count(&self) -> usize {
        self.levels.len()
    }

    /// Levels of each site.
    #[must_use]
    pub fn levels(&self) -> &[usize] {
        &self.levels
    }

    /// Number of hidden units.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// `W_iu(a)` of all hidden units.
    #[must_use]
    pub fn weights(&self, site: usize, level: usize) -> &[f64] {
        let row = self.first[site] + level;
        &self.weights[row * self.hidden..(row + 1) * self.hidden]
    }

    /// `U_i(a)`, in nats.
    #[must_use]
    pub fn energy(&self, site: usize, level: usize) -> f64 {
        self.energies[self.first[site] + level]
    }

    /// The inputs of all hidden units, `[hidden]`.
    #[must_use]
    pub fn inputs(&self, sequence: &[Level]) -> Vec<f64> {
        let mut inputs = vec![0.0; self.hidden];
        for (site, &level) in sequence.iter().enumerate() {
            inputs.iter_mut().zip(self.weights(site, level.into())).for_each(|(input, w)| *input += w);
        }
        inputs
    }

    /// cgf of every hidden unit of inputs [rows, hidden]: [rows, hidden], in nats.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn cgfs(&self, inputs: Vec<f64>) -> Result<Vec<f64>> {
        let rows = inputs.len() / self.hidden;
        let inputs = Tensor::from_vec(inputs, (rows, self.hidden), &Device::Cpu)?;
        Ok(self.rbm.above().cgfs(&inputs)?.flatten_all()?.to_vec1()?)
    }

    /// Free energies of sequences, in nats.
    ///
    /// # Errors
    /// [`Error::Count`] for sequences of another number of sites; if candle refuses an operation.
    pub fn free_energies(&self, sequences: &Sequences) -> Result<Vec<f64>> {
        self.require_fit(sequences)?;
        let rows: Vec<&[Level]> = sequences.rows().collect();
        let chunks: Vec<Vec<f64>> = rows
            .par_chunks(256)
            .map(|rows| {
                let inputs: Vec<f64> = rows.iter().flat_map(|row| self.inputs(row)).collect();
                let cgfs = self.cgfs(inputs)?;
                let energy = |row: &[Level]| -> f64 {
                    row.iter().enumerate().map(|(site, &level)| self.energy(site, level.into())).sum()
                };
                let hidden = cgfs.chunks_exact(self.hidden).map(|cgfs| cgfs.iter().sum::<f64>());
                Ok(rows.iter().zip(hidden).map(|(row, hidden)| energy(row) - hidden).collect())
            })
            .collect::<Result<_>>()?;
        Ok(chunks.concat())
    }

    /// Refuses sequences that are none of the model's.
    pub(crate) fn require_fit(&self, sequences: &Sequences) -> Result<()> {
        if sequences.sites() != self.count() {
            let expected = format!("{}, as the model has", self.count());
            return Err(Error::Count { what: "sites of a sequence", got: sequences.sites(), expected });
        }
        let most = |site: usize| self.levels[site];
        for row in sequences.rows() {
            if let Some((site, level)) = row.iter().enumerate().find(|&(site, &level)| usize::from(level) >= most(site))
            {
                return Err(Error::Setting {
                    name: "a level",
                    got: format!("{level} at site {site} (from 0)"),
                    expected: format!("below {}", most(site)),
                });
            }
        }
        Ok(())
    }
}
