//! `dbn export`: a model as a plain network or as NumPy arrays, for programs that know nothing of
//! this one.

use crate::args::{ExportArgs, ExportName};
use crate::commands::files::{extension, require_folder, require_spare};
use crate::failure::{Explain, Failure, Result};
use crate::model::checkpoint::Checkpoint;
use crate::report::Report;
use candle_core::Tensor;
use deepbelief_exchange::{npz_arrays, write_npz};
use deepbelief_rbm::{Layers, UnitKind};
use deepbelief_stack::export::{Network, autoencoder, linear, mlp, save};
use serde_json::{Value, json};

/// Writes the model and says what the file consists of.
pub(crate) fn export(args: &ExportArgs, report: &Report) -> Result<()> {
    let known = if args.what == ExportName::Npz { "npz" } else { "safetensors" };
    extension(&args.out, &[known])?;
    require_folder(&args.out)?;
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    require_spare(&args.out, &args.checkpoint, &checkpoint, None)?;
    let dbn = checkpoint.dbn;
    let Layers { visible, hidden } = dbn.top().layers();
    let known = |kind| matches!(kind, UnitKind::Bernoulli | UnitKind::Gaussian);
    if !visible.is_bernoulli() || !hidden.all(known) {
        return Err(Failure::new(format!(
            "the model has {visible} below {hidden} units, whose fields no export holds"
        ))
        .hint("its checkpoint holds all of them, as safetensors"));
    }
    let (network, tensors) = match args.what {
        ExportName::Mlp => (Some(Network::Mlp), mlp(&dbn)?),
        ExportName::Autoencoder => (Some(Network::Autoencoder), autoencoder(&dbn)?),
        ExportName::Npz => (None, npz_arrays(&dbn)?),
    };
    let cannot = || format!("cannot write {}", args.out.display());
    match network {
        Some(network) => save(&args.out, &dbn, network).or_fail(cannot)?,
        None => write_npz(&args.out, &dbn).or_fail(cannot)?,
    }
    tracing::info!(path = %args.out.display(), "wrote {}", args.out.display());
    for (name, tensor) in &tensors {
        tracing::info!("  {name:<18} {:?}", tensor.dims());
    }
    let linear = network.map(|network| linear(&dbn, network)).unwrap_or_default();
    for layer in &linear {
        tracing::info!("  ({layer} is linear: no sigmoid follows it)");
    }
    if network.is_some() && dbn.classes() > 0 {
        tracing::info!("  (the label group takes no part)");
    }
    if args.json {
        let named = |(name, tensor): &(String, Tensor)| json!({ "name": name, "shape": tensor.dims() });
        let tensors: Vec<Value> = tensors.iter().map(named).collect();
        return report.json(&json!({ "file": args.out, "tensors": tensors, "linear": linear }));
    }
    Ok(())
}
