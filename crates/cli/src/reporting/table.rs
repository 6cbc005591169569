//! What a model makes of samples that are no pictures: rows, reconstructions and samples as the data's cells, and how
//! the values of columns, and pairs of units, are distributed in data and in samples.

use crate::failure::Result;
use crate::pictures::{Gallery, values};
use candle_core::{Device, Tensor};
use deepbelief_data::{Block, BlockValues, Schema};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::to_batch;
use deepbelief_report::observed::{Correlations, Marginal, Table};
use deepbelief_stack::{Chains, Dbn};

/// Rows shown, and samples drawn to compare.
const SHOWN: usize = 8;
const DRAWN: usize = 500;
/// Gibbs steps that they come from.
const STEPS: u32 = 200;
/// Ranges that the numbers of a column are counted in.
const RANGES: usize = 12;
/// Units whose correlations are compared, and columns that are shown, at most.
const MOST_UNITS: usize = 60;
const MOST_COLUMNS: usize = 60;

/// What a net makes of a table; none for pictures. Samples are drawn where the look is thorough, else they are those
/// of `before`.
pub(super) fn of(
    dbn: &Dbn,
    gallery: &Gallery,
    seed: u64,
    thorough: bool,
    before: Option<&Table>,
) -> Result<Option<Table>> {
    let Some(columns) = gallery.columns.as_ref().filter(|columns| columns.units() == dbn.visible()) else {
        return Ok(None);
    };
    let units = dbn.visible();
    let rows = gallery.crowd.values.len() / units.max(1);
    let data = &gallery.crowd.values[..rows * units];
    let shown = rows.min(SHOWN);
    let reconstructed = if shown == 0 { Vec::new() } else { reconstructed(dbn, &data[..shown * units], shown)? };
    let mut table = Table {
        columns: names(columns),
        data: cells(columns, &data[..shown * units]),
        reconstructions: cells(columns, &reconstructed),
        of: gallery.crowd.of.into(),
        ..before.cloned().unwrap_or_default()
    };
    if thorough {
        let mut samples = sampled(dbn, seed)?;
        columns.draw(&mut samples, Uniforms::new(seed, Stream::Picture, STEPS));
        table.samples = cells(columns, &samples[..SHOWN.min(DRAWN) * units]);
        table.compared = (rows, DRAWN);
        table.marginals = if rows == 0 { Vec::new() } else { marginals(columns, data, &samples) };
        table.correlations = (rows > 2).then(|| correlations(columns, data, &samples));
    }
    Ok(Some(table))
}

fn reconstructed(dbn: &Dbn, data: &[f32], rows: usize) -> Result<Vec<f32>> {
    let v = Tensor::from_slice(data, (rows, dbn.visible()), &Device::Cpu)?;
    let mut made = values(&dbn.reconstruct(&v)?)?;
    to_batch(dbn.visible_units(), &mut made);
    Ok(made)
}

/// States of chains, or probabilities of Bernoulli units.
fn sampled(dbn: &Dbn, seed: u64) -> Result<Vec<f32>> {
    let mut chains = Chains::new(dbn, DRAWN, None, seed)?;
    chains.advance(STEPS)?;
    if dbn.visible_units().is_bernoulli() {
        return values(&chains.show()?);
    }
    let mut states = values(&chains.show_states()?)?;
    to_batch(dbn.visible_units(), &mut states);
    Ok(states)
}

fn names(columns: &Schema) -> Vec<String> {
    columns.decode(&[]).into_iter().take(MOST_COLUMNS).flat_map(|block| block.names).collect()
}

/// Rows of cells, as the data have them.
fn cells(columns: &Schema, values: &[f32]) -> Vec<Vec<String>> {
    let rows = values.len() / columns.units().max(1);
    let texts: Vec<Vec<String>> = columns.decode(values).iter().take(MOST_COLUMNS).map(texts).collect();
    (0..rows).map(|row| texts.iter().map(|column| column[row].clone()).collect()).collect()
}

/// The cells of a column. What is less than the rounding of its greatest number in 32 bits, as it passes through the model's
/// units, is 0.
fn texts(block: &Block) -> Vec<String> {
    let numbers = |values: &[f64]| {
        let nothing = f64::from(f32::EPSILON) * values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        values.iter().map(|&x| short(if x.abs() <= nothing { 0.0 } else { x })).collect()
    };
    match &block.values {
        BlockValues::Floats(values) => numbers(&values.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>()),
        BlockValues::Doubles(values) => numbers(values),
        BlockValues::Whole(values) => values.iter().map(ToString::to_string).collect(),
        BlockValues::Texts { texts, places } => places.iter().map(|&place| texts[place as usize].clone()).collect(),
    }
}

/// A number with five digits, or with all before its point.
fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let digits = (4.0 - x.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{x:.digits$}");
    let kept = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    kept.into()
}

fn marginals(columns: &Schema, data: &[f32], samples: &[f32]) -> Vec<Marginal> {
    let (a, b) = (columns.decode(data), columns.decode(samples));
    a.iter().zip(&b).take(MOST_COLUMNS).map(|(a, b)| marginal(a, b)).collect()
}

/// The values of a column: each by itself where there are few, ranges of numbers else.
fn marginal(data: &Block, samples: &Block) -> Marginal {
    let name = data.names.concat();
    let number = |block: &Block| -> Option<Vec<f64>> {
        Some(match &block.values {
            BlockValues::Floats(values) => values.iter().map(|&x| f64::from(x)).collect(),
            BlockValues::Doubles(values) => values.clone(),
            BlockValues::Whole(values) => values.iter().map(|&x| x as f64).collect(),
            BlockValues::Texts { .. } => return None,
        })
    };
    if let (Some(a), Some(b)) = (number(data), number(samples)) {
        let mut different: Vec<f64> = a.iter().chain(&b).copied().collect();
        different.sort_by(f64::total_cmp);
        different.dedup();
        if different.len() > RANGES {
            return ranges(name, &a, &b);
        }
    }
    let (a, b) = (texts(data), texts(samples));
    let mut known: Vec<&String> = a.iter().chain(&b).collect();
    // Numbers by their size, names by the alphabet.
    let size = |text: &str| text.parse::<f64>().unwrap_or(f64::INFINITY);
    known.sort_by(|a, b| size(a.as_str()).total_cmp(&size(b.as_str())).then(a.cmp(b)));
    known.dedup();
    let share = |all: &[String]| -> Vec<f64> {
        let mut counts = std::collections::HashMap::new();
        for text in all {
            *counts.entry(text).or_insert(0usize) += 1;
        }
        known.iter().map(|text| counts.get(text).copied().unwrap_or(0) as f64 / all.len().max(1) as f64).collect()
    };
    Marginal { data: share(&a), samples: share(&b), values: known.iter().map(ToString::to_string).collect(), name }
}

/// Numbers in ranges of one width over those of the data; what lies beyond is counted in the ends.
fn ranges(name: String, data: &[f64], samples: &[f64]) -> Marginal {
    let finite = || data.iter().copied().filter(|x| x.is_finite());
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    let (low, high) = if low < high { (low, high) } else { (low - 0.5, low + 0.5) };
    let width = (high - low) / RANGES as f64;
    let share = |all: &[f64]| -> Vec<f64> {
        let mut counts = vec![0usize; RANGES];
        for x in all {
            counts[(((x - low) / width).max(0.0) as usize).min(RANGES - 1)] += 1;
        }
        counts.into_iter().map(|count| count as f64 / all.len().max(1) as f64).collect()
    };
    let digits = (1.0 - width.log10().floor()).clamp(0.0, 6.0) as usize;
    let value = |range: usize| format!("{:.digits$}", low + width * (range as f64 + 0.5));
    Marginal { name, values: (0..RANGES).map(value).collect(), data: share(data), samples: share(samples) }
}

/// Correlations of every pair of units, those of one categorical column left out, which exclude each other.
fn correlations(columns: &Schema, data: &[f32], samples: &[f32]) -> Correlations {
    let units = columns.units();
    let names: Vec<String> = columns.unit_names().into_iter().take(MOST_UNITS).collect();
    let shown = names.len();
    let choices = columns.choices();
    let alike = |a: usize, b: usize| choices.iter().any(|choice| choice.contains(&a) && choice.contains(&b));
    let (a, b) = (standardised(data, units, shown), standardised(samples, units, shown));
    let of = |all: &[Vec<f64>], i: usize, j: usize| {
        all[i].iter().zip(&all[j]).map(|(x, y)| x * y).sum::<f64>() / all[i].len().max(1) as f64
    };
    let varies = |all: &[Vec<f64>], i: usize| all[i].iter().any(|&x| x != 0.0);
    let pairs = (0..shown).flat_map(|i| (i + 1..shown).map(move |j| (i, j)));
    let pairs = pairs
        .filter(|&(i, j)| !alike(i, j) && varies(&a, i) && varies(&a, j))
        .map(|(i, j)| (i, j, of(&a, i, j), of(&b, i, j)))
        .collect();
    Correlations { names, pairs }
}

/// Columns of mean 0 and variance 1; zeros where a column does not vary.
fn standardised(values: &[f32], units: usize, shown: usize) -> Vec<Vec<f64>> {
    (0..shown)
        .map(|unit| {
            let column: Vec<f64> = values.chunks_exact(units).map(|row| f64::from(row[unit])).collect();
            let n = column.len().max(1) as f64;
            let mean = column.iter().sum::<f64>() / n;
            let deviation = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
            column.iter().map(|x| if deviation > 1e-9 { (x - mean) / deviation } else { 0.0 }).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[f32]) -> Block {
        Block::column("x", BlockValues::Floats(values.to_vec()))
    }

    #[test]
    fn few_values_are_counted_by_themselves_and_many_in_ranges() {
        let marginal = super::marginal(&numbers(&[2.0, 10.0, 2.0, 2.0]), &numbers(&[10.0, 10.0, 2.0, 3.0]));
        assert_eq!(marginal.values, ["2", "3", "10"]);
        assert_eq!((marginal.data, marginal.samples), (vec![0.75, 0.0, 0.25], vec![0.25, 0.25, 0.5]));
        let many: Vec<f32> = (0..=120u8).map(f32::from).collect();
        let marginal = super::marginal(&numbers(&many), &numbers(&[-1000.0, 1000.0, 61.0, 62.0]));
        assert_eq!((marginal.values.len(), marginal.samples[0], marginal.samples[11]), (12, 0.25, 0.25));
        assert!((marginal.data.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn numbers_of_cells_are_short() {
        let shown = [68.3f32.into(), 159.0, -0.5, 0.0, 123_456.78, 1e-9, 2.0 / 3.0].map(short);
        assert_eq!(shown, ["68.3", "159", "-0.5", "0", "123457", "0.000000001", "0.66667"]);
    }

    #[test]
    fn correlations_are_those_of_the_values() {
        let columns = Schema::of_scale(3, deepbelief_data::Scale::None);
        let data = [0.0, 1.0, 0.5, 1.0, 0.0, 0.5, 0.0, 1.0, 0.5, 1.0, 0.0, 0.5];
        let found = correlations(&columns, &data, &data);
        assert_eq!(found.pairs.len(), 1, "a unit that does not vary has none");
        let (a, b, of_data, of_samples) = found.pairs[0];
        assert_eq!((a, b), (0, 1));
        assert!((of_data + 1.0).abs() < 1e-9 && of_data == of_samples);
    }
}
