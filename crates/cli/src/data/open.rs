//! Opening data in as much memory as there is.

use crate::data::schema_file::SCHEMA;
use crate::failure::{Failure, Result};
use crate::machine::memory::{self, PROGRAM};
use deepbelief_data::{Dataset, LoadOptions, Source};

/// Where a checkpoint's recipe keeps the names of the classes.
pub(crate) const CLASS_NAMES: &str = "class_names";

/// Where it keeps how a CSV file is written, if not with commas and points.
pub(crate) const TEXT_FORM: &str = "text_form";

/// Where it keeps how many samples were held out, if whole clusters were, which may be fewer than were asked for.
pub(crate) const HELD_OUT: &str = "held_out";

/// What it keeps of the data themselves, which nobody set.
pub(crate) const LEARNED: [&str; 4] = [CLASS_NAMES, SCHEMA, TEXT_FORM, HELD_OUT];

/// What to do where data that are held in memory whole do not fit.
pub(crate) const WHOLE: &str = "these data are read into memory whole; saved as an uncompressed IDX or npy file (not in Fortran \
                     order) they are read a minibatch at a time where memory is short";

/// Opens data, which may take as much memory as the program, and says how they were understood.
pub(crate) fn open_data(source: &Source, options: &LoadOptions, max_memory: u32) -> Result<Dataset> {
    let data = open_again(source, options, max_memory)?;
    data.notes.iter().for_each(|note| tracing::info!("{note}"));
    data.doubts.iter().for_each(|doubt| tracing::warn!("{doubt}"));
    Ok(data)
}

/// Opens data of which the training said already how they were understood.
pub(crate) fn open_again(source: &Source, options: &LoadOptions, max_memory: u32) -> Result<Dataset> {
    if max_memory == 0 {
        memory::require("the program", PROGRAM, max_memory, &[])?;
    }
    let options = LoadOptions { max_memory: memory::room_for_data(max_memory), ..options.clone() };
    deepbelief_data::open(source, &options).map_err(explain)
}

/// What is said of data that cannot be read; those that take too much memory might be saved otherwise.
pub(crate) fn explain(error: deepbelief_data::Error) -> Failure {
    match error {
        deepbelief_data::Error::Memory { .. } => Failure::from(error).hint(WHOLE),
        deepbelief_data::Error::Columns { .. } => Failure::from(error).hint(
            "use data of the kind that the schema is of, which a model has of its training data; `dbn show` says which",
        ),
        deepbelief_data::Error::ColumnsMissing { ref unknown, .. } if unknown.is_empty() => Failure::from(error)
            .hint("add the columns, with empty cells where nothing is known: what is empty is missing, which `dbn impute` fills"),
        deepbelief_data::Error::UnknownClass { .. } => Failure::from(error)
            .hint("write the classes as the model has them, or leave the labels out of these data"),
        deepbelief_data::Error::Cell { .. } => Failure::from(error).hint(
            "correct the value, or leave its cell empty: what is empty is missing, which models of tables fill and score",
        ),
        error => error.into(),
    }
}
