//! A deep belief net in the layout that trains fastest: both directions of every directed layer,
//! and the top.

use crate::config::{TopModel, TuneConfig, Units};
use crate::error::{Result, require};
use crate::sets::{copied, pass};
use crate::top::Top;
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Directed, Direction, Engine, MAX_UNITS, PackedRbm, Uniforms, Weights};
use deepbelief_rbm::{OnDivergence, Rbm};
use deepbelief_stack::{Dbn, Layer};

/// The model in training, on an engine.
pub(crate) struct Net<E: Engine> {
    /// Directed layers upward, bottom first.
    pub(crate) recognition: Vec<E::Directed>,
    /// Directed layers downward, bottom first.
    pub(crate) generative: Vec<E::Directed>,
    pub(crate) top: Top<E>,
}

impl Net<PackedRbm> {
    pub(crate) fn new(dbn: &Dbn, top: TopModel) -> Result<Self> {
        let widest = dbn.sizes().into_iter().chain([dbn.classes()]).max().unwrap_or(0);
        require(widest <= MAX_UNITS, "units of a layer", widest, format!("at most {MAX_UNITS}"))?;
        let units = &dbn.top().layers().hidden;
        let expected = "bernoulli: wake-sleep learns from binary states";
        require(units.is_bernoulli(), "hidden_units of the top", units.kinds(), expected)?;
        let up =
            |layer: &Layer| Ok(Directed::new(layer.visible(), layer.hidden(), &weights_of(layer.w_rec(), layer.hb())?));
        let down =
            |layer: &Layer| Ok(Directed::new(layer.hidden(), layer.visible(), &weights_of(layer.w_gen(), layer.vb())?));
        let top = match top {
            TopModel::Undirected => Top::undirected(dbn.top())?,
            TopModel::Factorial => {
                let bare = is_bare(dbn.top())?;
                require(bare, "top", "factorial", "undirected: the top RBM of this model has weights or labels")?;
                Top::factorial(dbn.top())?
            }
        };
        Ok(Self {
            recognition: dbn.layers().iter().map(up).collect::<Result<_>>()?,
            generative: dbn.layers().iter().map(down).collect::<Result<_>>()?,
            top,
        })
    }
}

impl<E: Engine> Net<E> {
    /// Directed layers.
    pub(crate) fn layers(&self) -> usize {
        self.recognition.len()
    }

    pub(crate) fn visible(&self) -> usize {
        self.recognition.first().map_or(self.top.visible(), Direction::inputs)
    }

    pub(crate) fn dbn(&self) -> Result<Dbn> {
        self.assemble(|set| Ok(set.weights()?), self.top.rbm()?)
    }

    /// The velocities that momentum keeps, in the shape of the model.
    pub(crate) fn velocities(&self) -> Result<Dbn> {
        self.assemble(|set| Ok(set.velocities()?), self.top.velocities()?)
    }

    fn assemble(&self, part: fn(&E::Directed) -> Result<Weights>, top: Rbm) -> Result<Dbn> {
        let tensors = |set: &E::Directed| -> Result<(Tensor, Tensor)> {
            let Weights { w, b } = part(set)?;
            let w = Tensor::from_vec(w, (set.inputs(), set.outputs()), &Device::Cpu)?;
            Ok((w, Tensor::from_vec(b, set.outputs(), &Device::Cpu)?))
        };
        let mut layers = Vec::with_capacity(self.layers());
        for (up, down) in self.recognition.iter().zip(&self.generative) {
            let ((w_rec, hb), (w_gen, vb)) = (tensors(up)?, tensors(down)?);
            layers.push(Layer::from_tensors(w_rec, w_gen, hb, vb)?);
        }
        Ok(Dbn::new(layers, top)?)
    }

    /// The same model and velocities at another place.
    pub(crate) fn copied<F: Engine>(&self, place: &F::Place) -> Result<Net<F>> {
        let sets = |sets: &[E::Directed]| sets.iter().map(|set| copied(place, set)).collect::<Result<_>>();
        Ok(Net {
            recognition: sets(&self.recognition)?,
            generative: sets(&self.generative)?,
            top: self.top.copied(place)?,
        })
    }

    /// The up-pass from `data` to every layer above it, bottom first.
    pub(crate) fn ascend(
        &mut self,
        units: Units,
        data: &E::States,
        draw: Uniforms,
        above: &mut Vec<E::States>,
    ) -> Result<()> {
        for (layer, set) in self.recognition.iter_mut().enumerate() {
            if above.len() == layer {
                above.push(set.output_room()?);
            }
            let (done, next) = above.split_at_mut(layer);
            pass(set, units, done.last().unwrap_or(data), draw.layer(layer as u8 + 1), &mut next[0])?;
        }
        Ok(())
    }

    /// The down-pass from the penultimate units of the last dream, the last of `layers`, to all below them.
    pub(crate) fn descend(
        &mut self,
        (hidden, visible): (Units, Units),
        draw: Uniforms,
        layers: &mut Vec<E::States>,
    ) -> Result<()> {
        if layers.is_empty() {
            for set in &self.generative {
                layers.push(set.output_room()?);
            }
            layers.push(self.top.penultimate_room()?);
        }
        self.top.keep_fantasy(&mut layers[self.generative.len()])?;
        for (layer, set) in self.generative.iter_mut().enumerate().rev() {
            let (below, above) = layers.split_at_mut(layer + 1);
            let units = if layer == 0 { visible } else { hidden };
            pass(set, units, &above[0], draw.layer(layer as u8), &mut below[layer])?;
        }
        Ok(())
    }

    pub(crate) fn set_velocities(&mut self, velocities: &Dbn) -> Result<()> {
        let sets = self.recognition.iter_mut().zip(&mut self.generative);
        for ((up, down), layer) in sets.zip(velocities.layers()) {
            up.set_velocities(&weights_of(layer.w_rec(), layer.hb())?)?;
            down.set_velocities(&weights_of(layer.w_gen(), layer.vb())?)?;
        }
        self.top.set_velocities(velocities.top())
    }
}

/// Whether an RBM is nothing but visible biases.
fn is_bare(rbm: &Rbm) -> Result<bool> {
    let parameters = rbm.to_parameters()?;
    let zero = parameters.w_rec.iter().chain(&parameters.hb).all(|&x| x == 0.0);
    Ok(rbm.hidden() == 1 && zero && rbm.labels().is_none())
}

fn weights_of(w: &Tensor, b: &Tensor) -> Result<Weights> {
    let values = |tensor: &Tensor| tensor.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1();
    Ok(Weights { w: values(w)?, b: values(b)? })
}

/// Bytes a tuner holds for a model of these sizes and batches of `batch` samples, on top of the
/// data: the model packed, its best state and, while a file is written, its copies.
#[must_use]
pub fn peak_memory(sizes: &[usize], batch: usize, config: &TuneConfig) -> u64 {
    let batch = batch.max(config.persistent_chains);
    let pairs: Vec<(usize, usize)> = sizes.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let Some((&(v, h), directed)) = pairs.split_last() else { return 0 };
    let sets = |&(v, h): &(usize, usize)| Directed::bytes(v, h, batch) + Directed::bytes(h, v, batch);
    let packed = directed.iter().map(sets).sum::<u64>() + PackedRbm::bytes(v, h, batch);
    let parameters = directed.iter().map(|(v, h)| 2 * v * h).sum::<usize>() + 2 * v * h;
    // Model, velocities and best model, each as tensors and as bytes of the file; model and velocities once
    // more where an epoch may be begun anew.
    let again = if config.on_divergence == OnDivergence::HalveLr { 2 } else { 0 };
    packed + (3 * 2 + again) * 4 * parameters as u64
}
