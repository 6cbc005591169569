//! A page in which a model lives: one HTML file that recognises what one draws, dreams and completes pictures, or that
//! shows how the columns of a table are distributed given some of them.
//!
//! The file has everything in it, asks nobody for anything, and says so in its content-security policy: no request, no
//! code but its own. The model's weights are float16 numbers (`weights.rs`). Its scripts are the plain
//! ECMAScript modules under `assets`, joined into one (`scripts.rs`); the sampling among them draws the random
//! numbers of the program, in the program's order, so that the page shows the samples of `dbn sample` with the same
//! seed as far as float16 allows.

mod columns;
mod error;
mod html;
mod page;
mod scripts;
mod weights;

pub use columns::{Column, Values};
pub use error::{Error, Result};
pub use page::{About, Example, page, require_units_of_pictures, require_units_of_tables};
