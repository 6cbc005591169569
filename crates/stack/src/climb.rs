//! Passes up through finished layers, a batch at a time, in the layout that trains fastest.

use crate::config::Propagate;
use crate::error::{Error, Result};
use deepbelief_kernels::{Batch, Directed, Share, Uniforms, Weights};
use deepbelief_rbm::{Error as RbmError, Rbm, Units, to_tensor};

/// Finished layers, from the bottom.
pub(crate) struct Climb {
    layers: Vec<Directed>,
    /// What each layer passes to the next.
    propagate: Propagate,
    /// The units of the batches.
    visible: Units,
    /// The units under the layer that is computed.
    below: Batch,
    /// The probabilities that states are drawn from.
    p: Batch,
}

impl Climb {
    /// Packs the recognition weights of `rbms`.
    ///
    /// # Errors
    /// [`Error::OthersBelowTop`]; if the tensors are not F32.
    pub(crate) fn new(rbms: &[Rbm], propagate: Propagate) -> Result<Self> {
        if let Some(error) = Error::of_hidden_units(rbms, rbms.len() + 1) {
            return Err(error);
        }
        let pack = |rbm: &Rbm| {
            let weights =
                Weights { w: rbm.w_rec().flatten_all()?.to_vec1()?, b: rbm.hb().to_vec1()?, ..Weights::default() };
            Ok(Directed::new(rbm.visible(), rbm.hidden(), &weights))
        };
        let layers = rbms.iter().map(pack).collect::<Result<_>>()?;
        let visible = rbms.first().map(|rbm| rbm.layers().visible.clone()).unwrap_or_default();
        Ok(Self { layers, propagate, visible, below: Batch::default(), p: Batch::default() })
    }

    /// Bytes held for layers between these numbers of units, from the visible ones up, and batches of `batch` samples.
    pub(crate) fn bytes(units: &[usize], batch: usize) -> u64 {
        let layer = |pair: &[usize]| Directed::bytes(pair[0], pair[1], batch);
        units.windows(2).map(layer).fold(0, u64::saturating_add)
    }

    /// Units of the top layer, over a batch of so many units.
    pub(crate) fn units(&self, visible: usize) -> usize {
        self.layers.last().map_or(visible, Directed::outputs)
    }

    /// Writes the units of the top layer over `batch` to `top`, as probabilities or states; layer l draws from
    /// `draw.layer(l)`. They are, to the bit, those of [`Rbm::sample_h`] from layer to layer.
    ///
    /// # Errors
    /// [`RbmError::Shape`] if the batch does not fit the bottom layer.
    pub(crate) fn climb(&mut self, batch: &Batch, wanted: Propagate, draw: Uniforms, top: &mut Batch) -> Result<()> {
        let expected = self.layers.first().map_or(batch.units(), Directed::inputs);
        if batch.units() != expected {
            let (got, expected) = (vec![batch.units()], vec![expected]);
            return Err(RbmError::Shape { what: "batch to be passed up".into(), got, expected }.into());
        }
        top.clone_from(batch);
        let last = self.layers.len().saturating_sub(1);
        for (index, layer) in self.layers.iter_mut().enumerate() {
            std::mem::swap(&mut self.below, top);
            // Sums over bits are added in another order than those over numbers, which candle's operations take.
            if let Batch::Binary(bits) = &self.below {
                self.below = Batch::Real { rows: bits.rows(), units: bits.units(), values: bits.to_values() };
            }
            if let (0, Batch::Real { values, .. }) = (index, &mut self.below) {
                to_tensor(&self.visible, values);
            }
            let passed_on = if index == last { wanted } else { self.propagate };
            match passed_on {
                Propagate::Probabilities => layer.probabilities(&self.below, top),
                // Drawn from the probabilities themselves: [`Directed::sample`] may round otherwise.
                Propagate::Samples => {
                    layer.probabilities(&self.below, &mut self.p);
                    draw_states(&self.p, draw.layer(index as u8), Share::WHOLE, |row| row as u32, top);
                }
            }
        }
        Ok(())
    }
}

/// Writes states with the probabilities `p`, of the samples of `share` alone; sample s draws from row `row(s)` of `draw`.
/// States stay as they are.
pub(crate) fn draw_states(p: &Batch, draw: Uniforms, share: Share, row: impl Fn(usize) -> u32, states: &mut Batch) {
    let Batch::Real { rows, units, values } = p else { return states.clone_from(p) };
    let bits = states.make_binary(*rows, *units);
    for sample in share.of(*rows).flatten() {
        let p = &values[sample * units..][..*units];
        for (block, chunk) in p.chunks(32).enumerate() {
            let mut padded = [0.0; 32];
            padded[..chunk.len()].copy_from_slice(chunk);
            bits.set_word(sample, block, draw.below(row(sample), block as u32, &padded));
        }
    }
}
