//! How data are understood: where they come from, which options they are read by, what their labels are, and
//! how values become visible units.

pub(crate) mod conversion;
#[cfg(feature = "formats")]
pub(crate) mod labels;
pub(crate) mod options;
pub(crate) mod pixels;
pub(crate) mod scale;
pub(crate) mod scaling;
pub(crate) mod source;
pub(crate) mod store;
