//! `dbn export`: a model as a plain network, for programs that know nothing of RBMs.

use super::{extension, require_folder};
use crate::args::{ExportArgs, NetworkName};
use crate::checkpoint::Checkpoint;
use crate::failure::{Explain, Result};
use crate::report::Report;
use candle_core::Tensor;
use deepbelief_stack::export::{Network, autoencoder, linear, mlp, save};
use serde_json::{Value, json};

/// Writes the network and says what it consists of.
pub(crate) fn export(args: &ExportArgs, report: &Report) -> Result<()> {
    extension(&args.out, &["safetensors"])?;
    require_folder(&args.out)?;
    let dbn = Checkpoint::open(&args.checkpoint)?.dbn;
    let (network, tensors) = match args.network {
        NetworkName::Mlp => (Network::Mlp, mlp(&dbn)?),
        NetworkName::Autoencoder => (Network::Autoencoder, autoencoder(&dbn)?),
    };
    save(&args.out, &dbn, network).or_fail(|| format!("cannot write {}", args.out.display()))?;
    tracing::info!(path = %args.out.display(), "wrote {}", args.out.display());
    for (name, tensor) in &tensors {
        tracing::info!("  {name:<18} {:?}", tensor.dims());
    }
    let linear = linear(&dbn, network);
    for layer in &linear {
        tracing::info!("  ({layer} is linear: no sigmoid follows it)");
    }
    if dbn.classes() > 0 {
        tracing::info!("  (the label group takes no part)");
    }
    if args.json {
        let named = |(name, tensor): &(String, Tensor)| json!({ "name": name, "shape": tensor.dims() });
        let tensors: Vec<Value> = tensors.iter().map(named).collect();
        return report.json(&json!({ "file": args.out, "tensors": tensors, "linear": linear }));
    }
    Ok(())
}
