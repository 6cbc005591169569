//! `report.html` of a run: what a run folder holds, gathered for the crate that draws it.
//!
//! The page is a function of the folder alone: settings, metrics, checkpoint, and `observed.json`, in which a training
//! leaves what it sees its model do on data. So `dbn report` draws the same page again without the data.

mod alignment;
mod contents;
mod next;
mod observe;
mod reporter;
mod table;
mod weights;

pub(crate) use alignment::{draw_alignment, draw_alignment_again};
pub(crate) use contents::content;
pub(crate) use observe::Look;
pub(crate) use reporter::Reporter;
