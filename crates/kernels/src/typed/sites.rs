//! Categorical units: from the inputs of a layer to the level of each, by tiles in which the lanes are 32 samples.

use super::layer::{Layer, Site};
use super::panel::Target;
use crate::products::panels::Activations;
use crate::products::scratch::Scratch;
use crate::products::transpose::transpose;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::{Level, dispatch, row_by_row};
use crate::units::categorical;
use rayon::prelude::*;
use std::ops::Range;

/// The column of the uniform of a layer's first categorical unit: beyond those of all columns.
pub(crate) const FIRST_UNIFORM: usize = 1 << 16;

/// The level of each categorical unit, `[block of 32 samples][unit][sample]`.
pub(crate) type Levels = Vec<[u32; BLOCK]>;

/// Draws the categorical units of so many samples from the inputs of all columns.
pub(crate) fn draw(level: Level, layer: &Layer, inputs: &Activations, draw: Uniforms, samples: usize) -> Levels {
    let sites = layer.sites.len();
    let mut levels = vec![[0; BLOCK]; sites * samples.div_ceil(BLOCK)];
    levels.par_chunks_mut(sites.max(1)).enumerate().with_max_len(1).for_each(|(block, levels)| {
        let samples = block * BLOCK..samples.min((block + 1) * BLOCK);
        let mut tiles = Scratch::new(layer.categorical.len() * BLOCK);
        logits(level, layer, inputs, &samples, &mut tiles);
        let mut uniforms = [ZERO; BLOCK];
        for (group, (levels, sites)) in levels.chunks_mut(BLOCK).zip(layer.sites.chunks(BLOCK)).enumerate() {
            uniforms_of(level, draw, samples.start, FIRST_UNIFORM / BLOCK + group, &mut uniforms);
            for ((level_of, site), u) in levels.iter_mut().zip(sites).zip(&uniforms) {
                categorical::draw(level, &mut tiles[rows(layer, *site)], u, level_of);
            }
        }
    });
    levels
}

/// The probabilities of all levels: tiles `[block of 32 samples][column][sample]` of the panels with categorical units.
pub(crate) fn probabilities(level: Level, layer: &Layer, inputs: &Activations, samples: usize) -> Vec<Row> {
    let height = layer.categorical.len() * BLOCK;
    let mut all = vec![ZERO; height * samples.div_ceil(BLOCK)];
    all.par_chunks_mut(height.max(1)).enumerate().with_max_len(1).for_each(|(block, tiles)| {
        let samples = block * BLOCK..samples.min((block + 1) * BLOCK);
        logits(level, layer, inputs, &samples, tiles);
        for site in &layer.sites {
            categorical::softmax(level, &mut tiles[rows(layer, *site)]);
        }
    });
    all
}

/// Where the tiles have the columns of a unit.
pub(crate) fn rows(layer: &Layer, site: Site) -> Range<usize> {
    let first = site.first - layer.categorical.start * BLOCK;
    first..first + site.levels
}

/// Inputs and biases of the panels with categorical units, a row a column, a lane a sample; at most 32 of these.
pub(crate) fn logits(level: Level, layer: &Layer, inputs: &Activations, samples: &Range<usize>, tiles: &mut [Row]) {
    let mut rows = [ZERO; BLOCK];
    for (tile, at) in tiles.chunks_exact_mut(BLOCK).zip(layer.categorical.clone()) {
        plus(level, &inputs.panel(at)[samples.clone()], &layer.panels[at].levels, &mut rows);
        transpose(level, &rows, tile);
    }
}

dispatch! {
    fn plus(x: &[Row], bias: &Row, out: &mut [Row; BLOCK]) {
        for (x, out) in x.iter().zip(out) {
            row_by_row();
            for i in 0..BLOCK {
                out.0[i] = x.0[i] + bias.0[i];
            }
        }
    }
}

/// The uniforms of a block of columns for 32 samples from `first` on, a row a column.
fn uniforms_of(level: Level, draw: Uniforms, first: usize, block: usize, out: &mut [Row; BLOCK]) {
    let mut rows = [ZERO; BLOCK];
    by_sample(level, draw, first, block, &mut rows);
    transpose(level, &rows, out);
}

dispatch! {
    fn by_sample(draw: Uniforms, first: usize, block: usize, rows: &mut [Row; BLOCK]) {
        draw.rows(first, block, BLOCK, #[inline(always)] |s, u| rows[s].0 = *u);
    }
}

/// Turns on the columns of a panel that are the levels of categorical units; they were off.
pub(crate) fn set_levels(level: Level, layer: &Layer, panel: usize, levels: &Levels, target: Target<'_>) {
    let (from, sites) = (panel * BLOCK, layer.sites.len());
    let overlaps = |site: &Site| site.first < from + BLOCK && site.first + site.levels > from;
    let first = layer.sites.partition_point(|site| site.first + site.levels <= from);
    let own = layer.sites[first..].iter().take_while(|site| overlaps(site)).enumerate();
    match target {
        Target::Words(words) => {
            for (at, site) in own {
                for (block, words) in words.chunks_mut(BLOCK).enumerate() {
                    let base = (site.first as u32).wrapping_sub(from as u32);
                    turn_on(level, &levels[block * sites + first + at], base, words);
                }
            }
        }
        Target::Rows(rows) => {
            for (at, site) in own {
                for (s, row) in rows.iter_mut().enumerate() {
                    let column = site.first + levels[s / BLOCK * sites + first + at][s % BLOCK] as usize;
                    if column >= from && column < from + BLOCK {
                        row.0[column - from] = 1.0;
                    }
                }
            }
        }
    }
}

dispatch! {
    /// Turns bit `base + level` of each word on, where it is one of the 32.
    fn turn_on(levels: &[u32; BLOCK], base: u32, words: &mut [u32]) {
        for (word, level) in words.iter_mut().zip(levels) {
            let bit = base.wrapping_add(*level);
            *word |= u32::from(bit < 32) << (bit & 31);
        }
    }
}

/// Copies the probabilities of the levels in a panel from their tiles.
pub(crate) fn set_probabilities(level: Level, layer: &Layer, panel: usize, tiles: &[Row], rows: &mut [Row]) {
    if !layer.categorical.contains(&panel) {
        return;
    }
    let (height, from) = (layer.categorical.len() * BLOCK, (panel - layer.categorical.start) * BLOCK);
    let mut lanes = [false; BLOCK];
    for site in &layer.sites {
        for column in site.columns().filter(|column| column / BLOCK == panel) {
            lanes[column % BLOCK] = true;
        }
    }
    let mut back = [ZERO; BLOCK];
    for (rows, tiles) in rows.chunks_mut(BLOCK).zip(tiles.chunks_exact(height)) {
        transpose(level, &tiles[from..from + BLOCK], &mut back);
        for (row, back) in rows.iter_mut().zip(&back) {
            for (lane, on) in lanes.iter().enumerate() {
                if *on {
                    row.0[lane] = back.0[lane];
                }
            }
        }
    }
}
