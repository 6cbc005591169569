//! How a state's file holds what methods of training remember: nothing where a method is not in use.

use crate::error::Result;
use crate::files::tensors::Reader;
use crate::files::written_units::fields;
use crate::likelihood::LogZState;
use crate::sampling::state::SamplerState;
use crate::sampling::tempering::LadderState;
use crate::sampling::trajectory::TrajectoryState;
use crate::training::config::MOST_TEMPERATURES;
use crate::training::imputed::Imputed;
use candle_core::{Device, Tensor};
use deepbelief_kernels::{AdamMemory, Batch, Bits, Fields, Layers, Offsets, Parameters};
use serde::{Deserialize, Serialize};

/// What of it a file holds, in its header.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StateEntry {
    offsets: bool,
    fast: bool,
    average: bool,
    /// Replicas and temperatures of tempered chains.
    ladders: Option<[usize; 2]>,
    /// Models, and chains of each.
    trajectory: Option<[usize; 2]>,
    path: Option<LogZEntry>,
    /// Samples with missing values, and these.
    #[serde(skip_serializing_if = "Option::is_none")]
    imputed: Option<[usize; 2]>,
    /// Steps of Adam.
    #[serde(skip_serializing_if = "Option::is_none")]
    adam: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogZEntry {
    chains: usize,
    log_z: f64,
    /// None where it is infinite.
    variance: Option<f64>,
    steps: u32,
    /// Whether the path starts at hidden units that are not fair.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    hidden_base: bool,
}

impl StateEntry {
    /// Whether there is nothing to tell.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What parameters there are.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    pub(crate) layers: &'a Layers,
    /// Of the label group, 0 without one.
    pub(crate) classes: usize,
    /// Whether the file has other fields of units than biases.
    pub(crate) fields: bool,
}

impl Form<'_> {
    /// Visible and hidden columns.
    fn sizes(self) -> (usize, usize) {
        (self.layers.visible.columns(), self.layers.hidden.columns())
    }

    /// Parameters' tensors, by `{prefix}{name}`, but for fields.
    fn shapes(self) -> Vec<(&'static str, Vec<usize>)> {
        let ((visible, hidden), classes) = (self.sizes(), self.classes);
        let mut shapes = vec![("w_rec", vec![visible, hidden]), ("hb", vec![hidden]), ("vb", vec![visible])];
        if classes > 0 {
            shapes.extend([("label_w", vec![classes, hidden]), ("label_b", vec![classes])]);
        }
        shapes
    }
}

/// Tensors for a file.
pub(crate) struct Tensors<'a> {
    pub(crate) form: Form<'a>,
    pub(crate) named: Vec<(String, Tensor)>,
}

impl Tensors<'_> {
    pub(crate) fn push(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<()> {
        self.named.push((name.to_string(), Tensor::from_slice(values, shape, &Device::Cpu)?));
        Ok(())
    }

    pub(crate) fn push_parameters(&mut self, prefix: &str, p: &Parameters) -> Result<()> {
        let values = [&p.w_rec, &p.hb, &p.vb, &p.label_w, &p.label_b];
        for ((name, shape), values) in self.form.shapes().iter().zip(values) {
            self.push(&format!("{prefix}{name}"), shape, values)?;
        }
        let sides = [("visible", &p.visible_fields), ("hidden", &p.hidden_fields)];
        if !self.form.fields {
            return Ok(());
        }
        for (side, fields) in sides {
            for (name, values) in fields.each().into_iter().filter(|(_, values)| !values.is_empty()) {
                self.push(&format!("{prefix}{side}.{name}"), &[values.len()], values)?;
            }
        }
        Ok(())
    }

    fn push_states(&mut self, prefix: &str, v: &Batch, labels: &[u32]) -> Result<()> {
        self.push(&format!("{prefix}v"), &[v.rows(), v.units()], &v.to_values())?;
        self.push(&format!("{prefix}labels"), &[labels.len()], &floats(labels))
    }

    pub(crate) fn push_memory(&mut self, memory: &SamplerState, path: Option<&LogZState>) -> Result<StateEntry> {
        let SamplerState { offsets, fast, average, ladders, trajectory, imputed: Imputed(imputed), adam } = memory;
        if let Some(Offsets { visible, hidden, labels }) = offsets {
            self.push("offsets.visible", &[visible.len()], visible)?;
            self.push("offsets.hidden", &[hidden.len()], hidden)?;
            self.push("offsets.labels", &[labels.len()], labels)?;
        }
        let squares = adam.as_ref().map(|adam| &adam.squares);
        for (prefix, parameters) in [("fast.", fast.as_ref()), ("average.", average.as_ref()), ("squares.", squares)] {
            if let Some(parameters) = parameters {
                self.push_parameters(prefix, parameters)?;
            }
        }
        if let Some(LadderState { base, betas, rungs, rates, v, labels }) = ladders {
            self.push("ladders.base", &[base.len()], base)?;
            self.push("ladders.betas", &[betas.len()], betas)?;
            self.push("ladders.rungs", &[rungs.len()], &floats(rungs))?;
            self.push("ladders.rates", &[rates.len()], rates)?;
            self.push_states("ladders.", v, labels)?;
        }
        if let Some(TrajectoryState { models, rates, chains }) = trajectory {
            self.push("trajectory.rates", &[rates.len()], rates)?;
            for (at, parameters) in models.iter().enumerate() {
                self.push_parameters(&format!("trajectory.{at}."), parameters)?;
            }
            for (at, (v, labels)) in chains.iter().enumerate() {
                self.push_states(&format!("trajectory.{at}."), v, labels)?;
            }
        }
        let imputed_values: Vec<f32> = imputed.values().flatten().copied().collect();
        if !imputed.is_empty() {
            let counts: Vec<u32> = imputed.values().map(|values| values.len() as u32).collect();
            // In halves, which 32-bit floats hold exactly.
            let halves: Vec<u32> = imputed.keys().flat_map(|sample| [sample >> 16, sample & 0xffff]).collect();
            self.push("imputed.samples", &[imputed.len(), 2], &floats(&halves))?;
            self.push("imputed.counts", &[counts.len()], &floats(&counts))?;
            self.push("imputed.values", &[imputed_values.len()], &imputed_values)?;
        }
        if let Some(path) = path {
            self.push("path.base", &[path.base.len()], &path.base)?;
            if path.hidden_base.iter().any(|&bias| bias != 0.0) {
                self.push("path.hidden_base", &[path.hidden_base.len()], &path.hidden_base)?;
            }
            self.push_parameters("path.", &path.parameters)?;
            self.push_states("path.", &path.v, &path.labels)?;
        }
        Ok(StateEntry {
            offsets: offsets.is_some(),
            fast: fast.is_some(),
            average: average.is_some(),
            ladders: ladders.as_ref().map(|ladders| [ladders.rungs.len(), ladders.betas.len()]),
            trajectory: trajectory.as_ref().map(|along| [along.models.len(), along.chains[0].0.rows()]),
            path: path.map(|path| LogZEntry {
                chains: path.v.rows(),
                log_z: path.log_z,
                variance: Some(path.variance).filter(|variance| variance.is_finite()),
                steps: path.steps,
                hidden_base: path.hidden_base.iter().any(|&bias| bias != 0.0),
            }),
            imputed: (!imputed.is_empty()).then_some([imputed.len(), imputed_values.len()]),
            adam: adam.as_ref().map(|adam| adam.steps),
        })
    }
}

/// The parts of a file.
pub(crate) struct Parts<'a> {
    pub(crate) file: &'a Reader<'a>,
    pub(crate) form: Form<'a>,
}

impl Parts<'_> {
    pub(crate) fn parameters(&self, prefix: &str) -> Result<Parameters> {
        let mut values = Vec::new();
        for (name, shape) in self.form.shapes() {
            values.push(self.file.values(&format!("{prefix}{name}"), &shape)?);
        }
        let mut values = values.into_iter();
        let mut next = || values.next().unwrap_or_default();
        let (w_rec, hb, vb, label_w, label_b) = (next(), next(), next(), next(), next());
        let of = |side: &str, units| -> Result<Fields> {
            let read = || fields(self.file, &format!("{prefix}{side}."), units);
            if self.form.fields { read() } else { Ok(Fields::at_rest(units)) }
        };
        let Layers { visible, hidden } = self.form.layers;
        let (visible_fields, hidden_fields) = (of("visible", visible)?, of("hidden", hidden)?);
        Ok(Parameters { w_rec, hb, vb, visible_fields, hidden_fields, label_w, label_b })
    }

    /// Visible states and labels of chains.
    fn states(&self, prefix: &str, rows: usize) -> Result<(Batch, Vec<u32>)> {
        let ((visible, _), classes) = (self.form.sizes(), self.form.classes);
        let v = self.file.values(&format!("{prefix}v"), &[rows, visible])?;
        let labelled = if classes > 0 { rows } else { 0 };
        let labels = self.integers(&format!("{prefix}labels"), labelled, classes)?;
        let v = if self.form.layers.visible.is_discrete() {
            Batch::Binary(Bits::from_values(rows, visible, &v))
        } else {
            Batch::Real { rows, units: visible, values: v }
        };
        Ok((v, labels))
    }

    /// Integers below a bound.
    fn integers(&self, name: &str, len: usize, below: usize) -> Result<Vec<u32>> {
        self.numbers(name, &[len], below)
    }

    /// The same of any shape.
    fn numbers(&self, name: &str, shape: &[usize], below: usize) -> Result<Vec<u32>> {
        let values = self.file.values(name, shape)?;
        match values.iter().find(|&&x| x < 0.0 || x >= below as f32 || x.fract() != 0.0) {
            Some(x) => self.file.refuse(format!("tensor '{name}' holds {x}, expected integers below {below}")),
            None => Ok(values.into_iter().map(|x| x as u32).collect()),
        }
    }

    pub(crate) fn memory(&self, contents: &StateEntry) -> Result<(SamplerState, Option<LogZState>)> {
        let ((visible, hidden), classes) = (self.form.sizes(), self.form.classes);
        let get = |name: &str, len: usize| self.file.values(name, &[len]);
        let offsets = || -> Result<Offsets> {
            Ok(Offsets {
                visible: get("offsets.visible", visible)?,
                hidden: get("offsets.hidden", hidden)?,
                labels: get("offsets.labels", classes)?,
            })
        };
        let ladders = |[replicas, temperatures]: [usize; 2]| -> Result<LadderState> {
            if !(2..=MOST_TEMPERATURES).contains(&temperatures) || !replicas.is_multiple_of(temperatures) {
                self.file.refuse(format!("has {replicas} replicas at {temperatures} temperatures"))?;
            }
            let rungs = self.integers("ladders.rungs", replicas, temperatures)?;
            let betas = get("ladders.betas", temperatures)?;
            let complete = |ladder: &[u32]| (0..temperatures as u32).all(|rung| ladder.contains(&rung));
            if !rungs.chunks(temperatures).all(complete) || !betas.iter().all(|beta| (0.0..=1.0).contains(beta)) {
                self.file.refuse("holds ladders of temperatures that are none".into())?;
            }
            let (v, labels) = self.states("ladders.", replicas)?;
            let (base, rates) = (get("ladders.base", visible)?, get("ladders.rates", temperatures - 1)?);
            Ok(LadderState { base, betas, rungs, rates, v, labels })
        };
        let trajectory = |[models, chains]: [usize; 2]| -> Result<TrajectoryState> {
            if !(2..=MOST_TEMPERATURES).contains(&models) {
                self.file.refuse(format!("has {models} models of a trajectory"))?;
            }
            let name = |at: usize| format!("trajectory.{at}.");
            Ok(TrajectoryState {
                models: (0..models).map(|at| self.parameters(&name(at))).collect::<Result<_>>()?,
                rates: get("trajectory.rates", models - 1)?,
                chains: (0..models).map(|at| self.states(&name(at), chains)).collect::<Result<_>>()?,
            })
        };
        let path = |header: &LogZEntry| -> Result<LogZState> {
            let (v, labels) = self.states("path.", header.chains)?;
            let LogZEntry { log_z, steps, .. } = *header;
            let variance = header.variance.unwrap_or(f64::INFINITY);
            let base = get("path.base", visible)?;
            let hidden_base = if header.hidden_base { get("path.hidden_base", hidden)? } else { vec![0.0; hidden] };
            let parameters = self.parameters("path.")?;
            Ok(LogZState { base, hidden_base, parameters, v, labels, log_z, variance, steps })
        };
        let imputed = |[samples, values]: [usize; 2]| -> Result<Imputed> {
            let halves = self.numbers("imputed.samples", &[samples, 2], 1 << 16)?;
            let counts = self.integers("imputed.counts", samples, visible + 1)?;
            let values = get("imputed.values", values)?;
            if counts.iter().map(|&count| count as usize).sum::<usize>() != values.len() {
                self.file.refuse("holds missing values of other samples".into())?;
            }
            let mut rest = values.as_slice();
            let samples = halves.chunks_exact(2).zip(counts).map(|(half, count)| {
                let (of_sample, others) = rest.split_at(count as usize);
                rest = others;
                (half[0] << 16 | half[1], of_sample.to_vec())
            });
            Ok(Imputed(samples.collect()))
        };
        let adam = |steps| -> Result<AdamMemory> { Ok(AdamMemory { squares: self.parameters("squares.")?, steps }) };
        let memory = SamplerState {
            imputed: contents.imputed.map(imputed).transpose()?.unwrap_or_default(),
            offsets: contents.offsets.then(offsets).transpose()?,
            fast: contents.fast.then(|| self.parameters("fast.")).transpose()?,
            average: contents.average.then(|| self.parameters("average.")).transpose()?,
            ladders: contents.ladders.map(ladders).transpose()?,
            trajectory: contents.trajectory.map(trajectory).transpose()?,
            adam: contents.adam.map(adam).transpose()?,
        };
        Ok((memory, contents.path.as_ref().map(path).transpose()?))
    }
}

fn floats(integers: &[u32]) -> Vec<f32> {
    integers.iter().map(|&x| x as f32).collect()
}
