//! What a state holds of a net in training.

use crate::error::Result;
use candle_core::Tensor;
use deepbelief_kernels::Bits;
use deepbelief_rbm::{LabelGroup, Rbm, Units};
use deepbelief_stack::{Dbn, Layer};

/// What a [`crate::TuneState`] holds of a net in training.
#[derive(Clone, Debug)]
pub struct Learned {
    pub(crate) dbn: Dbn,
    /// What momentum keeps, in the shape of the net.
    pub(crate) velocities: Dbn,
    /// Hidden states of the top's persistent chains, once there are any.
    pub(crate) chains: Option<Bits>,
}

impl Learned {
    /// Units of every layer, from the visible ones to the top.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        self.dbn.sizes()
    }

    /// What the visible units are.
    #[must_use]
    pub fn visible_units(&self) -> &Units {
        self.dbn.visible_units()
    }
}

/// Zeros in the shape of a net.
pub(crate) fn zeros(net: &Dbn) -> Result<Dbn> {
    let zero = Tensor::zeros_like;
    let layer = |layer: &Layer| -> Result<Layer> { Ok(layer.mapped(zero)?) };
    let top = net.top();
    let rbm = Rbm::from_tensors(zero(top.w_rec())?, zero(top.hb())?, zero(top.vb())?)?;
    let rbm = match top.labels() {
        Some(labels) => rbm.with_labels(LabelGroup { w: zero(&labels.w)?, b: zero(&labels.b)? })?,
        None => rbm,
    };
    Ok(Dbn::new(net.layers().iter().map(layer).collect::<Result<_>>()?, rbm)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TuneConfig, Tuner, UpDown};
    use candle_core::Device;
    use deepbelief_kernels::{Batch, Minibatches};
    use deepbelief_rbm::RbmConfig;
    use deepbelief_training::{Monitors, Training};

    struct Ones;

    impl Minibatches for Ones {
        fn samples(&self) -> usize {
            4
        }
        fn units(&self) -> usize {
            6
        }
        fn batches(&self) -> usize {
            1
        }
        fn start_epoch(&mut self, _: u32) {}
        fn fill(&mut self, _: usize, batch: &mut Batch) {
            batch.make_real(4, 6).fill(1.0);
        }
    }

    fn values(dbn: &Dbn) -> Result<Vec<f32>> {
        let tensors = dbn.named_tensors("").into_iter().map(|(_, tensor)| tensor.flatten_all()?.to_vec1::<f32>());
        Ok(tensors.collect::<candle_core::Result<Vec<_>>>()?.concat())
    }

    /// Of a state with velocities, with and without labels: the net is its own, the velocities are zero.
    #[test]
    fn at_rest_nothing_moves() -> Result<()> {
        let rbm = |visible: usize, hidden| {
            Rbm::new(&RbmConfig { hidden, ..Default::default() }, &vec![0.5; visible], &Device::Cpu)
        };
        let top = rbm(5, 8)?;
        let labels = LabelGroup::zeros(2, &top)?;
        for top in [top.clone(), top.with_labels(labels)?] {
            let classes = top.labels().is_some();
            let dbn = Dbn::from_rbms(vec![rbm(6, 5)?, top])?;
            let config = TuneConfig { momentum: 0.5, top_steps: "1x2".parse()?, ..Default::default() };
            let mut tuner = Tuner::new(&dbn, config)?;
            if !classes {
                let mut shown = Batch::default();
                Ones.fill(0, &mut shown);
                tuner.fit(&mut Ones, &Monitors { train: shown, ..Default::default() }, &mut ())?;
                assert!(values(&tuner.snapshot().state()?.learned.velocities)?.iter().any(|&x| x != 0.0));
            }
            let learned = tuner.snapshot().state()?.learned;
            let rested = UpDown::at_rest(learned.clone())?;
            assert!(values(&rested.dbn)? == values(&learned.dbn)?);
            let velocities = values(&rested.velocities)?;
            assert!(velocities.len() == values(&learned.velocities)?.len() && velocities.iter().all(|&x| x == 0.0));
        }
        Ok(())
    }
}
