//! What a training did, drawn: curves as SVG and PNG, and one self-contained HTML page a run.
//!
//! The crate draws numbers. It knows no models and no trainings: the program opens those and hands over what they say
//! as a [`Content`]; [`page()`] makes the page of it, [`compare`] that of several.

mod canvas;
pub mod chart;
mod colours;
mod content;
pub mod figures;
mod metrics;
pub mod observed;
mod on_sites;
mod page;
mod sixel;
mod traces;
mod verdict;
mod weights;

pub use canvas::{CHARACTER, Canvas, Colour, LINE};
pub use colours::diverging;
pub use content::{Content, DATA_HASH, Drawn, Next, Setting, State};
pub use metrics::{LayerMetrics, Metrics};
pub use on_sites::{COMPARED, Compared, Difference, Fault, Moments, OnSites, Wrong};
pub use page::{compare, page};
pub use traces::{NONE, Traces};
pub use verdict::{Basis, FEW_SAMPLES, Finding, Headline, Tone, Verdict, judge};
pub use weights::{LayerView, MOST_PIXELS, Weights, dead_filters, robust_limit};
