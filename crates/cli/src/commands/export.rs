//! `dbn export`: a model as a plain network or as NumPy arrays, for programs that know nothing of
//! this one.

use crate::args::{ExportArgs, ExportName};
use crate::commands::files::{extension, require_folder, require_spare};
use crate::failure::{Explain, Failure, Result};
use crate::model::checkpoint::Checkpoint;
use crate::model::trained::Trained;
use crate::report::Report;
use deepbelief_data::Schema;
use deepbelief_exchange::{Format, Written, npz_arrays, write, write_adabmdca, write_npz};
use deepbelief_stack::export::{Network, autoencoder, linear, mlp, save};
use serde_json::{Value, json};

/// Writes the model and says what the file consists of.
pub(crate) fn export(args: &ExportArgs, report: &Report) -> Result<()> {
    let known = match args.what {
        ExportName::Mlp | ExportName::Autoencoder => "safetensors",
        ExportName::Npz | ExportName::Pgm => "npz",
        ExportName::Rbms | ExportName::RbmJl => "h5",
        ExportName::Adabmdca => "dat",
    };
    extension(&args.out, &[known])?;
    require_folder(&args.out)?;
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    require_spare(&args.out, &args.checkpoint, &checkpoint, None)?;
    let schema = checkpoint.schema();
    let dbn = checkpoint.dbn;
    let others = || {
        "--as pgm, rbm-jl and rbms write RBMs of other units; the checkpoint itself, a safetensors file, has all of them, \
         and NumPy and PyTorch read it (docs/src/checkpoint.md)"
            .to_string()
    };
    let cannot = || format!("cannot write {}", args.out.display());
    let of_network = |network| -> Result<(Option<Network>, Vec<Written>)> {
        let tensors = if network == Network::Mlp { mlp(&dbn) } else { autoencoder(&dbn) }.or_hint(others)?;
        save(&args.out, &dbn, network).or_fail(cannot)?;
        Ok((Some(network), tensors.iter().map(|(name, tensor)| (name.clone(), tensor.dims().to_vec())).collect()))
    };
    let of_program = |format| write(&args.out, &dbn, format).or_fail(cannot);
    let (network, tensors) = match args.what {
        ExportName::Mlp => of_network(Network::Mlp)?,
        ExportName::Autoencoder => of_network(Network::Autoencoder)?,
        ExportName::Npz => {
            let arrays = npz_arrays(&dbn).or_hint(others)?;
            write_npz(&args.out, &dbn).or_fail(cannot)?;
            (None, arrays.into_iter().map(|(name, array)| (name, array.dims().to_vec())).collect())
        }
        ExportName::Rbms => (None, of_program(Format::Rbms)?),
        ExportName::RbmJl => (None, of_program(Format::RbmJl)?),
        ExportName::Pgm => (None, of_program(Format::Pgm)?),
        ExportName::Adabmdca => {
            let no_letters = || Failure::new("the model is none of an alignment, whose letters a file of adabmDCA has");
            let alphabet = schema.as_ref().and_then(Schema::alphabet).ok_or_else(no_letters)?;
            (None, write_adabmdca(&args.out, &dbn, alphabet).or_fail(cannot)?)
        }
    };
    tracing::info!(path = %args.out.display(), "wrote {}", args.out.display());
    for (name, shape) in &tensors {
        tracing::info!("  {name:<18} {shape:?}");
    }
    let linear = network.map(|network| linear(&dbn, network)).unwrap_or_default();
    for layer in &linear {
        tracing::info!("  ({layer} is linear: no sigmoid follows it)");
    }
    if network.is_some() && dbn.classes() > 0 {
        tracing::info!("  (the label group takes no part)");
    }
    if args.json {
        let named = |(name, shape): &Written| json!({ "name": name, "shape": shape });
        let tensors: Vec<Value> = tensors.iter().map(named).collect();
        return report.json(&json!({ "file": args.out, "tensors": tensors, "linear": linear }));
    }
    Ok(())
}
