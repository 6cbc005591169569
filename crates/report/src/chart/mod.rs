//! Curves: what a panel shows, how it is laid out, and its forms as SVG and as PNG.

mod axis;
mod layout;
mod panel;
mod panels;
mod raster;
mod sheet;
mod svg;

pub use axis::round_marks;
pub(crate) use axis::{Axis, Scale};
pub(crate) use layout::{geometry, panel_shapes};
pub use panel::{Line, Panel, Tier};
pub(crate) use panels::compared;
pub use panels::panels;
pub use sheet::{Curves, curves, panel_pixels};
pub use svg::escaped;
pub(crate) use svg::{colours, plain, svg};
