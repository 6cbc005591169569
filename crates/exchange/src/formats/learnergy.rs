//! learnergy's binary RBM, and its deep belief net of such, as a state dict:
//!
//! ```python
//! safetensors.torch.save_file(model.state_dict(), "rbm.safetensors")
//! np.savez("rbm.npz", **{name: tensor.numpy() for name, tensor in model.state_dict().items()})
//! ```
//!
//! An RBM has `W` [V, H], `a` `[V]` and `b` `[H]`, layer i of a net the same behind `models.{i}.`.
//! What a state dict does not say is taken for granted: that visible units are binary (`RBM`, the
//! model `bernoulli`, or `sigmoid` above the first layer) and the temperature T is 1. learnergy's
//! probabilities and energies know no temperature, only its chains do.

use crate::error::Result;
use crate::file::{File, Names, Rows};
use crate::format::Format;
use deepbelief_rbm::Rbm;

const STEM: &str = "models.";

pub(crate) fn is(file: &File) -> bool {
    !file.prefixes(STEM, "W").is_empty()
}

pub(crate) fn rbms(file: &File) -> Result<Vec<Rbm>> {
    // A state dict is the whole model: what else is in it makes it another one.
    if let Some(name) = file.names.iter().find(|name| !matches!(name.rsplit('.').next(), Some("W" | "a" | "b"))) {
        return file.unfit(format!(
            "holds '{name}', which learnergy's binary RBM does not have: only that and deep belief nets of it are read"
        ));
    }
    let rbm = |prefix: String| {
        let [w, hb, vb] = ["W", "b", "a"].map(|name| format!("{prefix}{name}"));
        file.rbm(&Names { format: Format::Learnergy, w: (&w, Rows::Visible), hb: &hb, vb: &vb })
    };
    file.prefixes(STEM, "W").into_iter().map(rbm).collect()
}
