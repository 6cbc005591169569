//! `dbn export`: a model as a plain network or as NumPy arrays, for programs that know nothing of
//! this one.

use super::{extension, require_folder};
use crate::args::{ExportArgs, ExportName};
use crate::checkpoint::Checkpoint;
use crate::failure::{Explain, Result};
use candle_core::Tensor;
use deepbelief_exchange::{npz_arrays, write_npz};
use deepbelief_stack::Dbn;
use deepbelief_stack::export::{Network, autoencoder, linear, mlp, save};
use std::path::Path;

/// Writes the model and says what the file consists of.
pub(crate) fn export(args: &ExportArgs) -> Result<()> {
    let known = if args.what == ExportName::Npz { "npz" } else { "safetensors" };
    extension(&args.out, &[known])?;
    require_folder(&args.out)?;
    let dbn = Checkpoint::open(&args.checkpoint)?.dbn;
    match args.what {
        ExportName::Mlp => network(&args.out, &dbn, Network::Mlp),
        ExportName::Autoencoder => network(&args.out, &dbn, Network::Autoencoder),
        ExportName::Npz => arrays(&args.out, &dbn),
    }
}

fn network(out: &Path, dbn: &Dbn, network: Network) -> Result<()> {
    let tensors = match network {
        Network::Mlp => mlp(dbn)?,
        Network::Autoencoder => autoencoder(dbn)?,
    };
    save(out, dbn, network).or_fail(|| format!("cannot write {}", out.display()))?;
    say(out, &tensors);
    for layer in linear(dbn, network) {
        tracing::info!("  ({layer} is linear: no sigmoid follows it)");
    }
    if dbn.classes() > 0 {
        tracing::info!("  (the label group takes no part)");
    }
    Ok(())
}

fn arrays(out: &Path, dbn: &Dbn) -> Result<()> {
    let arrays = npz_arrays(dbn)?;
    write_npz(out, dbn).or_fail(|| format!("cannot write {}", out.display()))?;
    say(out, &arrays);
    Ok(())
}

fn say(out: &Path, tensors: &[(String, Tensor)]) {
    tracing::info!(path = %out.display(), "wrote {}", out.display());
    for (name, tensor) in tensors {
        tracing::info!("  {name:<18} {:?}", tensor.dims());
    }
}
