//! The options of the verbs that train, each defined once, in [`table`]. Flags, environment variables, the keys of a
//! recipe, help, manual pages, completions, and what a checkpoint records follow from the table. What an option is
//! worth when nobody gives it is the default of the library's settings: see [`crate::settings`].

mod arg;
mod lookup;
mod opt;
pub(crate) mod save_every;
mod table;

pub(crate) use arg::{add, given};
pub(crate) use lookup::of_program;
pub(crate) use opt::{Opt, Verb, flag};
pub(crate) use table::SOURCES;
