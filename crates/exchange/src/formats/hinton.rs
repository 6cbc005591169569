//! The MATLAB weights that the code of Hinton & Salakhutdinov (Science 313:504, 2006) saves of the
//! RBMs it trains, one file each; the same names in an npz do as well.
//!
//! | file | weights [below, above] | biases above | biases below | units above |
//! |---|---|---|---|---|
//! | `mnistvh` | `vishid` | `hidrecbiases` or `hidbiases` | `visbiases` | binary |
//! | `mnisthp` | `hidpen` | `penrecbiases` | `hidgenbiases` | binary |
//! | `mnisthp2` | `hidpen2` | `penrecbiases2` | `hidgenbiases2` | binary |
//! | `mnistpo` | `hidtop` | `toprecbiases` | `topgenbiases` | Gaussian, the code layer |
//!
//! A stack is put together in this order, whatever the order of the files; files of the same weights
//! stay as given. What backpropagation makes of a stack, `w1`, `w2` and so on, are no RBMs any more
//! and are not read.

use crate::error::Result;
use crate::file::{File, Names, Rows};
use crate::format::Format;
use deepbelief_rbm::{Rbm, UnitKind};

/// Weights, biases above and below, from the bottom.
const LAYERS: [(&str, &str, &str); 4] = [
    ("vishid", "hidrecbiases", "visbiases"),
    ("hidpen", "penrecbiases", "hidgenbiases"),
    ("hidpen2", "penrecbiases2", "hidgenbiases2"),
    (CODE, "toprecbiases", "topgenbiases"),
];

/// The weights whose upper units are Gaussian.
const CODE: &str = "hidtop";

/// The biases above before they are renamed for the file.
const TRAINED: &str = "hidbiases";

/// First weights of a tuned network.
const TUNED: &str = "w1";

pub(crate) fn is(file: &File) -> bool {
    LAYERS.iter().any(|(w, ..)| file.has(w)) || file.has(TUNED)
}

/// The RBMs of a file, each with its place in a stack.
pub(crate) fn rbms(file: &File) -> Result<Vec<(usize, Rbm)>> {
    let mut rbms = Vec::new();
    for (place, &(w, hb, vb)) in LAYERS.iter().enumerate().filter(|(_, (w, ..))| file.has(w)) {
        let hb = if place == 0 && !file.has(hb) && file.has(TRAINED) { TRAINED } else { hb };
        let rbm = file.rbm(&Names { format: Format::Hinton, w: (w, Rows::Visible), hb, vb })?;
        let units = if w == CODE { UnitKind::Gaussian } else { UnitKind::Bernoulli };
        rbms.push((place, rbm.with_hidden_units(units)?));
    }
    if rbms.is_empty() && file.has(TUNED) {
        return file.unfit(format!(
            "holds '{TUNED}', weights after backpropagation, which are no RBMs: give the files of the RBMs (mnistvh, \
             mnisthp, ...), and dbn finetune makes a network of their stack"
        ));
    }
    Ok(rbms)
}
