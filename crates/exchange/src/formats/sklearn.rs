//! scikit-learn's `BernoulliRBM`, its arrays saved under their own names:
//!
//! ```python
//! np.savez("rbm.npz", components_=rbm.components_, intercept_hidden_=rbm.intercept_hidden_,
//!          intercept_visible_=rbm.intercept_visible_)
//! ```
//!
//! `components_` is [H, V]. The RBMs of a pipeline, one on top of the other, are saved as
//! `0.components_`, `1.components_` and so on. scikit-learn computes in the type of its training
//! data: the scores of an RBM in float64 are met to single precision.

use crate::error::Result;
use crate::file::{File, Names, Rows};
use crate::format::Format;
use deepbelief_rbm::Rbm;

pub(crate) const WEIGHTS: &str = "components_";
pub(crate) const HIDDEN: &str = "intercept_hidden_";
pub(crate) const VISIBLE: &str = "intercept_visible_";

pub(crate) fn is(file: &File) -> bool {
    !file.prefixes("", WEIGHTS).is_empty()
}

pub(crate) fn rbms(file: &File) -> Result<Vec<Rbm>> {
    let rbm = |prefix: String| {
        let [w, hb, vb] = [WEIGHTS, HIDDEN, VISIBLE].map(|name| format!("{prefix}{name}"));
        file.rbm(&Names { format: Format::Sklearn, w: (&w, Rows::Hidden), hb: &hb, vb: &vb })
    };
    file.prefixes("", WEIGHTS).into_iter().map(rbm).collect()
}
