//! What a model did on data when it was looked at last: the file `observed.json` of a run, from which its report shows
//! reconstructions, samples, activities and confusions without reading the data again.

use crate::colours::diverging;
use crate::on_sites::Compared;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// Name of the file.
pub const OBSERVED: &str = "observed.json";

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observed {
    /// The command that the run was started by, as it was typed.
    pub command: Option<String>,
    /// Epochs of all layers that the model had learned.
    pub epochs: usize,
    /// What looked wrong while it learned.
    pub warnings: Vec<Warned>,
    /// What classes are called.
    pub class_names: Vec<String>,
    /// Pictures of samples: reconstructions, fantasies.
    pub sheets: Vec<Sheet>,
    /// What hidden units do, a layer each from the bottom; empty where it is not known.
    pub units: Vec<Units>,
    /// Labels and what they are taken for.
    pub confusion: Option<Confusion>,
    /// Samples that are no pictures.
    pub table: Option<Table>,
    /// Whether the training samples lack values.
    pub gaps: bool,
    /// Training samples; 0 where it is not known.
    pub samples: usize,
    /// How a model of sites compares with independent sites at the end of its training.
    pub compared: Option<Compared>,
}

/// Something that looked wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Warned {
    /// Layer that learned, from 0.
    pub layer: u32,
    /// First epoch that it was seen in.
    pub epoch: u32,
    /// What it is, with its cure.
    pub text: String,
}

/// Tiles in rows and columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sheet {
    /// What it is: `reconstructions` or `fantasies`.
    pub kind: String,
    /// Epochs that the model had learned.
    pub epochs: usize,
    /// A sentence.
    pub title: String,
    /// Above the columns.
    pub column_labels: Vec<String>,
    /// Beside the rows.
    pub row_labels: Vec<String>,
    /// Below each tile of each row.
    pub captions: Vec<Vec<String>>,
    /// Width of a tile in pixels.
    pub width: usize,
    /// Height.
    pub height: usize,
    /// Greys of each tile, as base64.
    pub rows: Vec<Vec<String>>,
}

impl Sheet {
    /// Values in [0, 1] as the file has them.
    #[must_use]
    pub fn greys(values: &[f32]) -> String {
        let greys: Vec<u8> = values.iter().map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
        STANDARD.encode(greys)
    }
}

/// What the hidden units of a layer do on `samples` samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Units {
    /// Samples that were looked at.
    pub samples: usize,
    /// Mean probability, or mean state, of each unit.
    pub activity: Vec<f32>,
    /// Class in whose samples the unit is most active; empty without labels.
    pub class: Vec<u32>,
}

/// A confusion matrix: rows are labels, columns what they are taken for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    /// Which samples: `validation`.
    pub of: String,
    /// How often.
    pub counts: Vec<Vec<usize>>,
}

/// What a model of a table makes of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Some rows of the data.
    pub data: Vec<Vec<String>>,
    /// What the model makes of them.
    pub reconstructions: Vec<Vec<String>>,
    /// Rows that the model draws.
    pub samples: Vec<Vec<String>>,
    /// Which rows of the data these are: `validation`.
    pub of: String,
    /// How many rows of the data, and how many drawn ones, are compared.
    pub compared: (usize, usize),
    /// How often which values occur in a column, of data and of samples.
    pub marginals: Vec<Marginal>,
    /// Correlations of the units.
    pub correlations: Option<Correlations>,
}

/// A column's values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Marginal {
    /// The column.
    pub name: String,
    /// Values, or ranges of numbers.
    pub values: Vec<String>,
    /// Share of the data's rows.
    pub data: Vec<f64>,
    /// Share of the samples.
    pub samples: Vec<f64>,
}

/// Correlations between units, each pair once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Correlations {
    /// What the units are called.
    pub names: Vec<String>,
    /// First and second unit, correlation in the data and in the samples.
    pub pairs: Vec<(usize, usize, f64, f64)>,
}

/// A grey tile as a PNG in a data address; none where the text is no such tile.
pub(crate) fn tile_address(greys: &str, width: usize, height: usize) -> Option<String> {
    let size = width.checked_mul(height).filter(|&size| size > 0)?;
    let greys = STANDARD.decode(greys).ok().filter(|greys| greys.len() == size)?;
    address(&greys, width, height, None)
}

/// Colours of bytes: 0 is minus the limit, 128 is zero, 255 the limit.
fn palette() -> Vec<u8> {
    (0..=255u8).flat_map(|byte| diverging((f32::from(byte) - 128.0) / 127.0)).collect()
}

/// Tiles of weights below each other in columns, as one picture: a share of the limit each.
pub(crate) fn sprite_address(bytes: &[u8], width: usize, height: usize) -> Option<String> {
    address(bytes, width, height, Some(palette()))
}

fn address(bytes: &[u8], width: usize, height: usize, palette: Option<Vec<u8>>) -> Option<String> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    match palette {
        Some(palette) => {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(palette);
        }
        None => encoder.set_color(png::ColorType::Grayscale),
    }
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(bytes).ok()?;
    writer.finish().ok()?;
    Some(format!("data:image/png;base64,{}", STANDARD.encode(file)))
}
