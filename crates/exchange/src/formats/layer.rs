//! Layers of one kind of units in double precision, as other programs keep them: `U(x) = g x²/2 - b x`, and below 0
//! `g- x²/2 - b- x`.

use crate::error::{Error, Result};
use crate::file::File;
use crate::format::Format;
use candle_core::Device;
use deepbelief_kernels::{Fields, Parameters};
use deepbelief_rbm::{Layers, Rbm, Segment, UnitKind, Units};
use deepbelief_stack::Dbn;

/// The fields of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) b: f64,
    pub(crate) g: f64,
    pub(crate) b_below: f64,
    pub(crate) g_below: f64,
}

impl Column {
    /// Of a unit that has a bias alone.
    pub(crate) fn of(b: f64) -> Self {
        Self { b, g: 1.0, b_below: 0.0, g_below: 1.0 }
    }
}

/// Units of one kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    pub(crate) kind: UnitKind,
    pub(crate) levels: usize,
    pub(crate) columns: Vec<Column>,
}

impl Layer {
    pub(crate) fn biased(kind: UnitKind, levels: usize, biases: &[f64]) -> Self {
        Self { kind, levels, columns: biases.iter().map(|&b| Column::of(b)).collect() }
    }

    /// How many units it has.
    pub(crate) fn sites(&self) -> usize {
        self.columns.len() / self.levels
    }

    pub(crate) fn values(&self, of: impl Fn(&Column) -> f64) -> Vec<f64> {
        self.columns.iter().map(of).collect()
    }

    fn parts(&self) -> (Units, Vec<f32>, Fields) {
        let units: Units =
            [Segment { units: self.kind, levels: self.levels, sites: self.sites() }].into_iter().collect();
        let mut fields = Fields::at_rest(&units);
        let narrow = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect::<Vec<_>>();
        let own = [
            self.values(|column| column.g.ln()),
            self.values(|column| column.b_below),
            self.values(|column| column.g_below.ln()),
        ];
        for ((_, field), own) in fields.each_mut().into_iter().zip(own) {
            if !field.is_empty() {
                *field = narrow(own);
            }
        }
        (units, narrow(self.values(|column| column.b)), fields)
    }

    fn of(units: &Units, bias: &[f32], fields: &Fields) -> Option<Self> {
        let [Segment { units: kind, levels, .. }] = *units.segments() else { return None };
        let value = |field: &[f32], at: usize| field.get(at).map_or(0.0, |&x| f64::from(x));
        let column = |(at, &b): (usize, &f32)| Column {
            b: b.into(),
            g: value(&fields.log_precision, at).exp(),
            b_below: value(&fields.bias_below, at),
            g_below: value(&fields.log_precision_below, at).exp(),
        };
        Some(Self { kind, levels, columns: bias.iter().enumerate().map(column).collect() })
    }
}

/// An RBM of two layers and weights [V, H].
pub(crate) fn rbm(visible: &Layer, hidden: &Layer, w: &[f64]) -> Result<Rbm> {
    let ((below, vb, visible_fields), (above, hb, hidden_fields)) = (visible.parts(), hidden.parts());
    let layers = Layers { visible: below, hidden: above };
    let w_rec = w.iter().map(|&w| w as f32).collect();
    let parameters = Parameters { w_rec, hb, vb, visible_fields, hidden_fields, ..Parameters::default() };
    Ok(Rbm::from_parameters(&layers, parameters, &Device::Cpu)?)
}

/// The RBM of a file whose layers, with their axes, are read, and whose array `weights` has the axes of the hidden layer,
/// then those of the visible one.
pub(crate) fn rbm_of(
    file: &File,
    (visible, below): (Layer, Vec<usize>),
    (hidden, above): (Layer, Vec<usize>),
    format: Format,
) -> Result<Rbm> {
    if hidden.kind == UnitKind::Categorical {
        return file.unfit("has Potts units in its hidden layer, which no model here has".into());
    }
    let weights = file.numbers("weights", format)?;
    let expected = [above, below].concat();
    if weights.shape != expected {
        return Err(file.shape("weights", &weights, format!("{expected:?}, as the fields have it")));
    }
    let w = transposed(&weights.values, hidden.columns.len(), visible.columns.len());
    rbm(&visible, &hidden, &w)
}

/// The layers and the weights [V, H] of a net that is one RBM with units of one kind in each layer, for a program.
pub(crate) fn parts(dbn: &Dbn, program: &str) -> Result<(Layer, Layer, Vec<f32>)> {
    let top = dbn.top();
    if dbn.depth() > 1 || top.labels().is_some() {
        let what = if dbn.depth() > 1 { "layers under its top" } else { "a label group" };
        return Err(Error::Option(format!("the model has {what}, and {program} has RBMs alone: export it as npz")));
    }
    let p = top.to_parameters()?;
    let Layers { visible, hidden } = top.layers();
    let layers = Layer::of(visible, &p.vb, &p.visible_fields).zip(Layer::of(hidden, &p.hb, &p.hidden_fields));
    // No program has categorical hidden units.
    let layers = layers.filter(|(_, above)| above.kind != UnitKind::Categorical);
    let (below, above) = layers.ok_or_else(|| no_model(dbn, program))?;
    Ok((below, above, p.w_rec))
}

/// That a program has no model of such units.
pub(crate) fn no_model(dbn: &Dbn, program: &str) -> Error {
    let Layers { visible, hidden } = dbn.top().layers();
    Error::Option(format!(
        "the model has {visible} below {hidden} units, of which {program} has no model: its checkpoint, a safetensors \
         file, holds all of it"
    ))
}

/// `[columns, rows]` of `[rows, columns]`.
pub(crate) fn transposed<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..columns).flat_map(|c| (0..rows).map(move |r| values[r * columns + c])).collect()
}
