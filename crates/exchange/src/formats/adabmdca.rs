//! Potts models of adabmDCA: fields h and couplings J of pairs of sites, with the energy
//! `-sum_i h_i(v_i) - sum_{i<j} J_ij(v_i, v_j)`. Their file is a text (`containers/potts.rs`).
//!
//! An RBM of categorical units below Gaussian ones is such a model: without its hidden units it has
//! `J_ij(a, b) = sum_u W_iu(a) W_ju(b) / g_u`. A Potts model is such an RBM, with weights that `factor.rs` finds. Both ways
//! the free energy of the RBM is the energy of the Potts model, its constant included.

use super::factor::{Factor, dot, factor};
use super::layer::{Layer, parts, rbm};
use crate::containers::potts::{COUPLINGS, FIELDS, LETTERS, MOST_FIELDS};
use crate::error::{Error, Result};
use crate::file::File;
use crate::format::{Format, Written};
use deepbelief_data::Alphabet;
use deepbelief_rbm::{Rbm, UnitKind};
use deepbelief_stack::Dbn;
use std::f64::consts::TAU;
use std::io::{self, Write};

const FORMAT: Format = Format::Adabmdca;

/// Alphabets whose letters have an order here, which is not adabmDCA's.
const NAMED: [&str; 3] = ["protein", "dna", "rna"];

pub(crate) fn is(file: &File) -> bool {
    file.has(COUPLINGS)
}

/// The model, and its letters in the order of the levels, where the file has letters.
pub(crate) fn rbms(file: &File) -> Result<(Vec<Rbm>, Option<Alphabet>)> {
    if !is(file) {
        return Ok((Vec::new(), None));
    }
    let (fields, couplings) = (file.numbers(FIELDS, FORMAT)?, file.numbers(COUPLINGS, FORMAT)?);
    let &[sites, levels] = fields.shape.as_slice() else {
        return Err(file.shape(FIELDS, &fields, "[L, q]".into()));
    };
    if !(1..=MOST_FIELDS).contains(&(sites * levels)) {
        return Err(file.shape(FIELDS, &fields, format!("[L, q], 1 to {MOST_FIELDS} fields")));
    }
    if couplings.shape != [sites, levels, sites, levels] {
        return Err(file.shape(COUPLINGS, &couplings, format!("{:?}", [sites, levels, sites, levels])));
    }
    let letters: Option<Alphabet> = match file.text(LETTERS) {
        Some(text) => Some(alphabet(file, &text, levels)?),
        None => None,
    };
    let order = order(file.text(LETTERS).as_deref(), letters.as_ref(), levels);
    // Where a row of the model stands in the file.
    let place = |row: usize| row - row % levels + order[row % levels];
    let n = sites * levels;
    let coupling = |row: usize, column: usize| couplings.values[place(row) * n + place(column)];
    // Levels of one site have a field in a matrix; a text has none, and no triangles that differ.
    let mut h: Vec<f64> = (0..n).map(|row| fields.values[place(row)] + 0.5 * coupling(row, row)).collect();
    let symmetric = |row: usize, column: usize| {
        let same_site = row / levels == column / levels;
        if same_site { 0.0 } else { f64::midpoint(coupling(row, column), coupling(column, row)) }
    };
    let mut j: Vec<f64> = Vec::with_capacity(n * n);
    for row in 0..n {
        j.extend((0..n).map(|column| symmetric(row, column)));
    }
    drop(couplings);
    to_zero_sum(&mut j, &mut h, levels);
    Ok((vec![of_potts(h, j, levels)?], letters))
}

/// The letters in this project's order, if they are those of an alphabet that has one.
fn alphabet(file: &File, text: &str, levels: usize) -> Result<Alphabet> {
    let mut named = NAMED.iter().filter_map(|name| name.parse::<Alphabet>().ok());
    let of_named = |alphabet: Alphabet| {
        let kept: String = alphabet.letters().chars().filter(|&letter| text.contains(letter)).collect();
        let is_whole = kept == alphabet.letters() || kept == alphabet.letters().replace('-', "");
        (is_whole && kept.len() == text.len()).then_some(kept)
    };
    let letters = named.find_map(of_named).unwrap_or_else(|| text.to_string());
    match letters.parse::<Alphabet>() {
        Ok(alphabet) if alphabet.len() == levels => Ok(alphabet),
        Ok(_) => file.unfit(format!("has {levels} levels a site and the letters {text}")),
        Err(error) => file.unfit(format!("has letters of which there is no alphabet: {error}")),
    }
}

/// Which level of the file is each level of the model.
fn order(text: Option<&str>, letters: Option<&Alphabet>, levels: usize) -> Vec<usize> {
    match text.zip(letters) {
        Some((text, letters)) => letters.letters().chars().filter_map(|letter| text.find(letter)).collect(),
        None => (0..levels).collect(),
    }
}

/// Puts the blocks of pairs of sites into the zero-sum gauge; what that takes from them, the fields get.
fn to_zero_sum(j: &mut [f64], h: &mut [f64], levels: usize) {
    let n = h.len();
    let mut values = Vec::new();
    for row_site in (0..n).step_by(levels) {
        for column_site in (row_site + levels..n).step_by(levels) {
            for (row, h) in (row_site..).zip(&mut h[row_site..][..levels]) {
                let block = &mut j[row * n + column_site..][..levels];
                let mean = block.iter().sum::<f64>() / levels as f64;
                for x in block {
                    *x -= mean;
                }
                *h += mean;
            }
            for (column, h) in (column_site..).zip(&mut h[column_site..][..levels]) {
                values.clear();
                values.extend((row_site..row_site + levels).map(|row| j[row * n + column]));
                let mean = values.iter().sum::<f64>() / levels as f64;
                *h += mean;
                for (row, value) in (row_site..).zip(&values) {
                    j[row * n + column] = value - mean;
                    j[column * n + row] = value - mean;
                }
            }
        }
    }
}

/// The RBM of fields and couplings in the zero-sum gauge.
fn of_potts(mut h: Vec<f64>, j: Vec<f64>, levels: usize) -> Result<Rbm> {
    let Factor { columns, w } = factor(j, levels);
    // The fields are those that the weights as 32-bit floats leave.
    let w: Vec<f64> = w.into_iter().map(|w| f64::from(w as f32)).collect();
    // An integral over each hidden unit, which the free energy has.
    let integrals = columns as f64 * 0.5 * TAU.ln() / (h.len() / levels) as f64;
    for (h, w) in h.iter_mut().zip(w.chunks_exact(columns)) {
        *h -= 0.5 * dot(w, w) + integrals;
    }
    let visible = Layer::biased(UnitKind::Categorical, levels, &h);
    rbm(&visible, &Layer::biased(UnitKind::Gaussian, 1, &vec![0.0; columns]), &w)
}

/// A Potts model that is an RBM.
pub(crate) struct Potts {
    sites: usize,
    levels: usize,
    h: Vec<f64>,
    hidden: usize,
    /// Weights over the roots of the precisions, [V, H].
    w: Vec<f64>,
}

/// The Potts model of a net that is an RBM of categorical units below Gaussian ones.
pub(crate) fn potts(dbn: &Dbn, letters: &Alphabet) -> Result<Potts> {
    let (visible, above, w) = parts(dbn, FORMAT.name())?;
    if visible.kind != UnitKind::Categorical || above.kind != UnitKind::Gaussian {
        let layers = dbn.top().layers();
        return Err(Error::Option(format!(
            "the model has {} below {} units, and {} has couplings of pairs of sites alone: an RBM of categorical units \
             below Gaussian ones is such a model",
            layers.visible,
            layers.hidden,
            FORMAT.name()
        )));
    }
    if letters.len() != visible.levels {
        let (levels, count) = (visible.levels, letters.len());
        return Err(Error::Option(format!("the model has {levels} levels a site, and there are {count} letters")));
    }
    let (hidden, sites) = (above.columns.len(), visible.sites());
    let roots = above.values(|column| column.g.sqrt());
    let means: Vec<f64> = above.columns.iter().zip(&roots).map(|(column, root)| column.b / root).collect();
    let integrals: f64 = above.columns.iter().map(|column| 0.5 * (TAU / column.g).ln()).sum();
    let constant = (0.5 * dot(&means, &means) + integrals) / sites as f64;
    let w: Vec<f64> =
        w.chunks_exact(hidden).flat_map(|row| row.iter().zip(&roots).map(|(&w, root)| f64::from(w) / root)).collect();
    let rows = visible.columns.iter().zip(w.chunks_exact(hidden));
    let h = rows.map(|(column, w)| column.b + dot(w, &means) + 0.5 * dot(w, w) + constant).collect();
    Ok(Potts { sites, levels: visible.levels, h, hidden, w })
}

impl Potts {
    /// Writes the text in the order that adabmDCA has.
    pub(crate) fn write(&self, file: &mut dyn Write, letters: &str) -> io::Result<()> {
        let Self { sites, levels, h, hidden, w } = self;
        let row = |site: usize, level: usize| &w[(site * levels + level) * hidden..][..*hidden];
        for i in 0..*sites {
            for j in i + 1..*sites {
                for (level_a, a) in letters.chars().enumerate() {
                    for (level_b, b) in letters.chars().enumerate() {
                        let coupling = dot(row(i, level_a), row(j, level_b)) as f32;
                        writeln!(file, "J {i} {j} {a} {b} {coupling:?}")?;
                    }
                }
            }
        }
        for (i, fields) in h.chunks_exact(*levels).enumerate() {
            for (a, &field) in letters.chars().zip(fields) {
                writeln!(file, "h {i} {a} {:?}", field as f32)?;
            }
        }
        file.flush()
    }

    /// What [`Potts::write`] writes.
    pub(crate) fn written(&self) -> Vec<Written> {
        let axes = [self.sites, self.levels];
        vec![(COUPLINGS.into(), [axes, axes].concat()), (FIELDS.into(), axes.into())]
    }
}
