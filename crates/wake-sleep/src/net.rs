//! A deep belief net in the layout that trains fastest: both directions of every directed layer,
//! and the top.

use crate::config::{TopModel, TuneConfig, Units};
use crate::error::{Result, require};
use crate::sets::{copied, pass};
use crate::top::Top;
use candle_core::{Device, Tensor};
use deepbelief_kernels::{CpuDirection, Direction, Engine, MAX_UNITS, PackedRbm, Uniforms, Weights};
use deepbelief_rbm::{FieldTensors, OnDivergence, Rbm, UnitKind};
use deepbelief_stack::{Dbn, Layer};

/// The model in training, on an engine.
pub(crate) struct Net<E: Engine> {
    /// Directed layers upward, bottom first.
    pub(crate) recognition: Vec<E::Directed>,
    /// Directed layers downward, bottom first.
    pub(crate) generative: Vec<E::Directed>,
    pub(crate) top: Top<E>,
}

/// Checks that wake-sleep learns such a net: other visible units than Bernoulli ones are learned by directed layers, of
/// which a net of one layer has none.
///
/// # Errors
/// If it does not.
pub fn require_tunable(dbn: &Dbn) -> Result<()> {
    let units = &dbn.top().layers().visible;
    let expected =
        "bernoulli in a net of one layer: wake-sleep learns other visible units in nets of two layers or more";
    require(units.is_bernoulli(), "visible_units", units.kinds(), expected)
}

impl Net<PackedRbm> {
    pub(crate) fn new(dbn: &Dbn, top: TopModel) -> Result<Self> {
        let widest = dbn.sizes().into_iter().chain([dbn.classes()]).max().unwrap_or(0);
        require(widest <= MAX_UNITS, "units of a layer", widest, format!("at most {MAX_UNITS}"))?;
        let units = &dbn.top().layers().hidden;
        let expected = "bernoulli: wake-sleep learns from binary states";
        require(units.is_bernoulli(), "hidden_units of the top", units.kinds(), expected)?;
        require_tunable(dbn)?;
        let above = |layer: &Layer| deepbelief_rbm::Units::of(UnitKind::Bernoulli, layer.hidden());
        let up = |layer: &Layer| Ok(CpuDirection::new(layer.visible_units(), &above(layer), &upward(layer)?));
        let down = |layer: &Layer| Ok(CpuDirection::new(&above(layer), layer.visible_units(), &downward(layer)?));
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

    pub(crate) fn visible_units(&self) -> deepbelief_rbm::Units {
        let of_top = || deepbelief_rbm::Units::of(UnitKind::Bernoulli, self.top.visible());
        self.recognition.first().map_or_else(of_top, Direction::inputs)
    }

    pub(crate) fn dbn(&self) -> Result<Dbn> {
        self.assemble(|set| Ok(set.weights()?), self.top.rbm()?)
    }

    /// The velocities that momentum keeps, in the shape of the model.
    pub(crate) fn velocities(&self) -> Result<Dbn> {
        self.assemble(|set| Ok(set.velocities()?), self.top.velocities()?)
    }

    fn assemble(&self, part: fn(&E::Directed) -> Result<Weights>, top: Rbm) -> Result<Dbn> {
        let tensors = |set: &E::Directed| -> Result<(Tensor, Tensor, FieldTensors)> {
            let Weights { w, b, fields } = part(set)?;
            let w = Tensor::from_vec(w, (set.inputs().columns(), b.len()), &Device::Cpu)?;
            let fields = FieldTensors::from_fields(&fields, &Device::Cpu)?;
            Ok((w, Tensor::from_slice(&b, b.len(), &Device::Cpu)?, fields))
        };
        let mut layers = Vec::with_capacity(self.layers());
        for (up, down) in self.recognition.iter().zip(&self.generative) {
            let ((w_rec, hb, _), (w_gen, vb, fields)) = (tensors(up)?, tensors(down)?);
            layers.push(Layer::from_tensors(w_rec, w_gen, hb, vb)?.with_visible_units(down.outputs(), fields)?);
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
            up.set_velocities(&upward(layer)?)?;
            down.set_velocities(&downward(layer)?)?;
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

/// The recognition weights of a layer.
fn upward(layer: &Layer) -> Result<Weights> {
    Ok(Weights { w: values(layer.w_rec())?, b: values(layer.hb())?, ..Weights::default() })
}

/// Its generative ones.
fn downward(layer: &Layer) -> Result<Weights> {
    let fields = layer.visible_fields().to_fields()?;
    Ok(Weights { w: values(layer.w_gen())?, b: values(layer.vb())?, fields })
}

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1()?)
}

/// Bytes a tuner holds for a model of these sizes over visible units of these kinds and batches of `batch` samples, on
/// top of the data: the model packed, its best state and, while a file is written, its copies.
#[must_use]
pub fn peak_memory(sizes: &[usize], visible: &deepbelief_rbm::Units, batch: usize, config: &TuneConfig) -> u64 {
    let bits = |units| deepbelief_rbm::Units::of(UnitKind::Bernoulli, units);
    let batch = batch.max(config.persistent_chains);
    let pairs: Vec<(usize, usize)> = sizes.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let Some((&(v, h), directed)) = pairs.split_last() else { return 0 };
    let sets = |(layer, &(v, h)): (usize, &(usize, usize))| {
        let (below, above) = (if layer == 0 { visible.clone() } else { bits(v) }, bits(h));
        CpuDirection::bytes(&below, &above, batch) + CpuDirection::bytes(&above, &below, batch)
    };
    let packed = directed.iter().enumerate().map(sets).sum::<u64>() + PackedRbm::bytes(v, h, batch);
    let parameters = directed.iter().map(|(v, h)| 2 * v * h).sum::<usize>() + 2 * v * h;
    // Model, velocities and best model, each as tensors and as bytes of the file; model and velocities once
    // more where an epoch may be begun again.
    let again = if config.on_divergence == OnDivergence::HalveLr { 2 } else { 0 };
    packed + (3 * 2 + again) * 4 * parameters as u64
}
