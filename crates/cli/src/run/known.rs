//! What a training's data are read by that no setting says: what the model knows that it starts from, or goes on with.

use crate::model::checkpoint::{Checkpoint, Model};
use crate::model::trained::Trained;
use crate::settings::Said;
use deepbelief_data::{ClassNumbers, LoadOptions};

/// How a model read its data.
#[derive(Default)]
pub(crate) struct Known {
    /// What the classes are called, in the order of their numbers.
    class_names: Option<Vec<String>>,
    class_numbers: ClassNumbers,
    /// Whether the range of the values was found in other data, so that those beyond it are taken for its ends.
    clamp: bool,
}

impl Known {
    /// A run that goes on reads its data as before: the model of one that began before classes were the labels that
    /// occur has no names, and labels that are numbers stay as they are.
    pub(crate) fn of_run(model: &Model) -> Self {
        let class_names = model.class_names();
        let class_numbers = if class_names.is_some() { ClassNumbers::Places } else { ClassNumbers::Labels };
        Self { class_names, class_numbers, clamp: true }
    }

    /// A training of a net that has labels keeps their numbers, unless labels are nothing to it and `class_numbers`
    /// is none. A range is the net's unless it is asked for.
    pub(crate) fn of_net(class_numbers: Option<ClassNumbers>, said: &Said, from: &Checkpoint) -> Self {
        let clamp = !said.flags.contains_key("scale");
        let classes = from.dbn.classes();
        match (class_numbers, from.class_names()) {
            (None, _) => Self { clamp, ..Self::default() },
            _ if classes == 0 => Self { clamp, ..Self::default() },
            (Some(class_numbers), Some(names)) if names.len() == classes => {
                Self { class_names: Some(names), class_numbers, clamp }
            }
            _ => Self { class_names: None, class_numbers: ClassNumbers::Labels, clamp },
        }
    }

    /// Options of data that are read so.
    pub(super) fn applied_to(self, options: LoadOptions) -> LoadOptions {
        let Self { class_names, class_numbers, clamp } = self;
        LoadOptions { class_names, class_numbers, clamp, ..options }
    }
}
