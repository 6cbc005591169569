//! A stack as a plain feed-forward network, for programs that know nothing of RBMs.
//!
//! Weights are [out, in], as candle's `Linear` and torch's `nn.Linear` keep them; every layer is
//! followed by a sigmoid, but for those that the header lists as `linear` (such as `encoder.3`):
//! the code layer where the top has Gaussian hidden units. A label group takes no part, nor a top
//! of independent units.
//!
//! | network | tensors |
//! |---|---|
//! | [`mlp`] | `layers.{i}.weight`, `layers.{i}.bias` from the bottom: [`Dbn::encode`] at [`Dbn::code_depth`] |
//! | [`autoencoder`] | `encoder.{i}.*` as above, then `decoder.{i}.*` from the top down |

use crate::dbn::Dbn;
use crate::error::{Result, require};
use candle_core::Tensor;
use deepbelief_rbm::{FORMAT_VERSION, UnitKind, tensors};
use serde::Serialize;
use std::path::Path;

/// The network of the up-pass.
///
/// # Errors
/// [`deepbelief_training::Error::Config`] for units that have more than weights and biases; if candle refuses an operation.
pub fn mlp(dbn: &Dbn) -> Result<Vec<(String, Tensor)>> {
    encoder(dbn, "layers")
}

/// The network of an up-pass to the top hidden probabilities, or means, and a down-pass from them.
///
/// # Errors
/// As [`mlp`].
pub fn autoencoder(dbn: &Dbn) -> Result<Vec<(String, Tensor)>> {
    let mut tensors = encoder(dbn, "encoder")?;
    let top = (dbn.top().w_gen(), dbn.top().vb());
    let all = dbn.layers().iter().map(|layer| (layer.w_gen(), layer.vb())).chain([top]);
    let down = all.rev().skip(dbn.depth() - dbn.code_depth()?);
    for (index, (w, b)) in down.enumerate() {
        push(&mut tensors, "decoder", index, w, b)?;
    }
    Ok(tensors)
}

fn encoder(dbn: &Dbn, prefix: &str) -> Result<Vec<(String, Tensor)>> {
    let (visible, hidden) = (dbn.visible_units(), &dbn.top().layers().hidden);
    let expected = "bernoulli: a plain network has weights and biases alone";
    require(visible.is_bernoulli(), "visible_units", visible.kinds(), expected)?;
    let plain = hidden.all(|kind| matches!(kind, UnitKind::Bernoulli | UnitKind::Gaussian));
    require(
        plain,
        "hidden_units",
        hidden.kinds(),
        "bernoulli or gaussian: a plain network has weights and biases alone",
    )?;
    let top = (dbn.top().w_rec(), dbn.top().hb());
    let mut tensors = Vec::new();
    let all = dbn.layers().iter().map(|layer| (layer.w_rec(), layer.hb())).chain([top]);
    for (index, (w, b)) in all.take(dbn.code_depth()?).enumerate() {
        push(&mut tensors, prefix, index, w, b)?;
    }
    Ok(tensors)
}

fn push(tensors: &mut Vec<(String, Tensor)>, prefix: &str, index: usize, w: &Tensor, b: &Tensor) -> Result<()> {
    tensors.push((format!("{prefix}.{index}.weight"), w.t()?.contiguous()?));
    tensors.push((format!("{prefix}.{index}.bias"), b.clone()));
    Ok(())
}

/// Which network to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// [`mlp`].
    Mlp,
    /// [`autoencoder`].
    Autoencoder,
}

/// Names of the layers of a network that no sigmoid follows.
#[must_use]
pub fn linear(dbn: &Dbn, network: Network) -> Vec<String> {
    let prefix = match network {
        Network::Mlp => "layers",
        Network::Autoencoder => "encoder",
    };
    if dbn.top().layers().hidden.is_bernoulli() { Vec::new() } else { vec![format!("{prefix}.{}", dbn.depth() - 1)] }
}

#[derive(Serialize)]
struct Header {
    format_version: u32,
    kind: &'static str,
    sizes: Vec<usize>,
    activation: &'static str,
    /// Layers without it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    linear: Vec<String>,
}

/// Writes a network as F32 tensors to a safetensors file; whole or not at all.
///
/// # Errors
/// [`deepbelief_rbm::Error::Io`] if the file cannot be written.
pub fn save(path: &Path, dbn: &Dbn, network: Network) -> Result<()> {
    let (kind, networks) = match network {
        Network::Mlp => ("mlp", mlp(dbn)?),
        Network::Autoencoder => ("autoencoder", autoencoder(dbn)?),
    };
    let mut sizes = dbn.code_sizes()?;
    if network == Network::Autoencoder {
        sizes.extend_from_within(..sizes.len() - 1);
        let middle = sizes.len() / 2 + 1;
        sizes[middle..].reverse();
    }
    let header =
        Header { format_version: FORMAT_VERSION, kind, sizes, activation: "sigmoid", linear: linear(dbn, network) };
    Ok(tensors::write(path, &header, &networks)?)
}
