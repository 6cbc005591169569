//! A page of a model.

use crate::columns::{Column, Shown, shown};
use crate::error::{Error, Result};
use crate::html::Parts;
use crate::scripts;
use crate::weights::{Listed, Weights};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deepbelief_rbm::{UnitKind, Units};
use deepbelief_stack::{Dbn, Layer};
use serde::Serialize;

/// What a page says of its model, and how it draws.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Name of the model.
    pub name: String,
    /// The checkpoint, as one names it to `dbn`.
    pub checkpoint: String,
    /// Name of the data that it learned.
    pub data: String,
    /// What is known of it: a name and a value each.
    pub facts: Vec<(String, String)>,
    /// Names of the classes; empty where they have none.
    pub class_names: Vec<String>,
    /// Width of a picture in pixels.
    pub width: usize,
    /// Height of a picture in pixels.
    pub height: usize,
    /// Seed of the dreams to begin with.
    pub seed: u64,
    /// Whether what is missing is completed with probabilities of pixels instead of their states.
    pub completes_with_probabilities: bool,
    /// Whether drawings are moved and scaled as the digits of MNIST were: twenty pixels high or wide, in the middle.
    pub centred: bool,
    /// Whether chains with a clamped label start at examples of it, where there are some.
    pub starts_at_examples: bool,
    /// Samples to recognise and to complete.
    pub examples: Vec<Example>,
    /// Columns of a table, in the order of their units; none where the model is one of pictures.
    pub columns: Vec<Column>,
    /// Name of the column of the labels.
    pub label_name: String,
}

/// A sample of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its pixels, 0 to 255.
    pub pixels: Vec<u8>,
    /// Its class, where it is known.
    pub label: Option<u32>,
}

/// What the scripts know of the model.
#[derive(Serialize)]
struct Header<'a> {
    name: &'a str,
    checkpoint: &'a str,
    data: &'a str,
    facts: &'a [(String, String)],
    sizes: Vec<usize>,
    /// The sizes that a person calls those of the net.
    named_sizes: Vec<usize>,
    classes: usize,
    class_names: &'a [String],
    width: usize,
    height: usize,
    /// As a text: it may be larger than the whole numbers of a script.
    seed: String,
    completes_with_probabilities: bool,
    centred: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    starts_at_examples: bool,
    tensors: &'a [Listed],
    examples: Examples,
    columns: Vec<Shown<'a>>,
    label_name: &'a str,
    /// Kinds of the top units, from the first on.
    hidden: Vec<Kind>,
}

/// Neighbouring units of one kind.
#[derive(Serialize)]
struct Kind {
    kind: &'static str,
    sites: usize,
}

#[derive(Serialize)]
struct Examples {
    labels: Vec<Option<u32>>,
    pixels: String,
}

/// What the page says while it reads so many weights.
fn loading(weights: usize) -> String {
    let number = match weights {
        0..10_000 => weights.to_string(),
        10_000..1_000_000 => format!("{} thousand", weights / 1000),
        _ => format!("{:.1} million", weights as f64 / 1e6),
    };
    format!("Loading {number} weights\u{2026}")
}

/// The page of a model, as one HTML file.
///
/// # Errors
/// [`Error::Units`] for a model with units that the page does not know, [`Error::Shape`], [`Error::Columns`],
/// [`Error::Example`], [`Error::Range`] for weights that float16 cannot hold.
pub fn page(dbn: &Dbn, about: &About) -> Result<String> {
    let of_pictures = about.columns.is_empty();
    if of_pictures {
        require_pictures(dbn, about)?;
    } else {
        require_table(dbn, about)?;
    }
    let weights = weights(dbn)?;
    let all: Vec<u8> = about.examples.iter().flat_map(|example| example.pixels.iter().copied()).collect();
    let header = serde_json::to_string(&Header {
        name: &about.name,
        checkpoint: &about.checkpoint,
        data: &about.data,
        facts: &about.facts,
        sizes: dbn.sizes(),
        named_sizes: dbn.code_sizes()?,
        classes: dbn.classes(),
        class_names: &about.class_names,
        width: about.width,
        height: about.height,
        seed: about.seed.to_string(),
        completes_with_probabilities: about.completes_with_probabilities,
        centred: about.centred,
        starts_at_examples: about.starts_at_examples,
        tensors: &weights.listed,
        examples: Examples {
            labels: about.examples.iter().map(|example| example.label).collect(),
            pixels: STANDARD.encode(all),
        },
        columns: shown(&about.columns),
        label_name: &about.label_name,
        hidden: kinds(&dbn.top().layers().hidden),
    })?;
    let main = if of_pictures { include_str!("../assets/pictures.html") } else { include_str!("../assets/table.html") };
    let parts = Parts {
        title: &about.name,
        loading: &loading(weights.count()),
        main,
        header: &header,
        weights: &weights.deflated()?,
        engine: &scripts::engine(),
        page: &if of_pictures { scripts::pictures() } else { scripts::table() },
    };
    Ok(parts.file())
}

/// Refuses units that a page of pictures does not sample.
///
/// # Errors
/// [`Error::Units`].
pub fn require_units_of_pictures(dbn: &Dbn) -> Result<()> {
    for (layer, units) in [("visible", dbn.visible_units()), ("top", &dbn.top().layers().hidden)] {
        if !units.is_bernoulli() {
            return Err(Error::Units { known: "Bernoulli", layer, units: units.kinds() });
        }
    }
    Ok(())
}

/// Refuses units that a page of a table does not sample.
///
/// # Errors
/// [`Error::Units`].
pub fn require_units_of_tables(dbn: &Dbn) -> Result<()> {
    let is_known = |kind: UnitKind| matches!(kind, UnitKind::Bernoulli | UnitKind::Gaussian | UnitKind::Spin);
    let (visible, hidden) = (dbn.visible_units(), &dbn.top().layers().hidden);
    if !visible.all(|kind| kind.is_discrete() || kind == UnitKind::Gaussian) {
        let known = "Bernoulli, spin, categorical and Gaussian";
        return Err(Error::Units { known, layer: "visible", units: visible.kinds() });
    }
    if !hidden.all(is_known) {
        let known = "Bernoulli, spin and Gaussian";
        return Err(Error::Units { known, layer: "top", units: hidden.kinds() });
    }
    Ok(())
}

fn require_pictures(dbn: &Dbn, about: &About) -> Result<()> {
    require_units_of_pictures(dbn)?;
    let pixels = dbn.visible();
    if about.width * about.height != pixels {
        return Err(Error::Shape { width: about.width, height: about.height, units: pixels });
    }
    for (index, example) in about.examples.iter().enumerate() {
        if example.pixels.len() != pixels {
            return Err(Error::Example { index, got: example.pixels.len(), expected: pixels });
        }
    }
    Ok(())
}

fn require_table(dbn: &Dbn, about: &About) -> Result<()> {
    let (got, expected) = (about.columns.iter().map(Column::units).sum(), dbn.visible());
    if got != expected {
        return Err(Error::Columns { got, expected });
    }
    require_units_of_tables(dbn)
}

fn kinds(units: &Units) -> Vec<Kind> {
    units.segments().iter().map(|segment| Kind { kind: segment.units.name(), sites: segment.sites }).collect()
}

/// Weights and biases, from the bottom: the way up, and the way down where it is not its transpose.
fn weights(dbn: &Dbn) -> Result<Weights> {
    let mut weights = Weights::default();
    for (level, layer) in dbn.layers().iter().enumerate() {
        weights.half(format!("{level}.rec"), layer.w_rec())?;
        if !layer.is_tied()? {
            weights.half(format!("{level}.gen"), layer.w_gen())?;
        }
        weights.full(format!("{level}.up"), layer.hb())?;
        weights.full(format!("{level}.down"), layer.vb())?;
    }
    let (level, top) = (dbn.layers().len(), dbn.top());
    weights.half(format!("{level}.rec"), top.w_rec())?;
    weights.full(format!("{level}.up"), top.hb())?;
    weights.full(format!("{level}.down"), top.vb())?;
    let visible = dbn.layers().first().map_or(top.visible_fields(), Layer::visible_fields);
    let precisions = [("visible", &visible.log_precision), ("top", &top.hidden_fields().log_precision)];
    for (units, precision) in precisions {
        if let Some(precision) = precision {
            weights.full(format!("{units}.log_precision"), precision)?;
        }
    }
    if let Some(labels) = top.labels() {
        weights.half("label.weights".into(), &labels.w)?;
        weights.full("label.biases".into(), &labels.b)?;
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use deepbelief_rbm::{Rbm, RbmConfig, UnitKind};

    fn about() -> About {
        About { name: "six".into(), width: 3, height: 2, ..About::default() }
    }

    fn net() -> Dbn {
        let rbm = |visible: usize, hidden| {
            let config = RbmConfig { hidden, ..RbmConfig::default() };
            Rbm::new(&config, &vec![0.5; visible], &Device::Cpu).unwrap()
        };
        Dbn::from_rbms(vec![rbm(6, 5), rbm(5, 4)]).unwrap()
    }

    #[test]
    fn a_page_is_one_file_that_asks_for_nothing() {
        let page = page(&net(), &about()).unwrap();
        assert!(page.starts_with("<!doctype html>"));
        for outside in ["http:", "https:", "src=\"", "href=\"h", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains(r#""sizes":[6,5,4]"#));
        assert!(!page.contains("0.gen"), "a tied net has one set of weights");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let told = |about: &About| page(&net(), about).unwrap_err().to_string();
        assert_eq!(told(&About { width: 4, ..about() }), "pictures of 4x2 pixels do not fit 6 visible units");
        let examples = vec![Example { pixels: vec![0; 5], label: None }];
        assert_eq!(told(&About { examples, ..about() }), "example 0 has 5 pixels, expected 6");
    }

    #[test]
    fn other_units_are_refused() {
        let config = RbmConfig { hidden: 4, hidden_units: UnitKind::Gaussian.into(), ..RbmConfig::default() };
        let rbm = Rbm::new(&config, &[0.5; 6], &Device::Cpu).unwrap();
        let refused = page(&Dbn::from_rbms(vec![rbm]).unwrap(), &about()).unwrap_err().to_string();
        assert_eq!(refused, "the page knows Bernoulli units, and the top units of the model are gaussian");
    }
}
