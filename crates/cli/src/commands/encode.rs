//! `dbn encode`: hidden probabilities of a data set, for other programs.

use crate::args::EncodeArgs;
use crate::commands::files::{extension, require_folder, require_spare};
use crate::data::chunks::{CHUNK, count_of};
use crate::data::identity::columns_beside;
use crate::failure::{Failure, Result, count};
use crate::machine::footprint;
use crate::machine::memory::{self, PROGRAM};
use crate::machine::ranks;
use crate::model::checkpoint::{Checkpoint, Model, split};
use crate::model::decoded::in_their_words;
use crate::model::inputs::input;
use crate::model::trained::Trained;
use crate::pictures::values;
use crate::report::{Report, bytes};
use crate::results::{FORMATS, Results};
use deepbelief_data::{Block, BlockValues};
use deepbelief_kernels::{Stream, Uniforms};
use serde_json::json;

/// Encodes one part of a data set into a file.
pub(crate) fn encode(args: &EncodeArgs, report: &Report) -> Result<()> {
    let format = extension(&args.out, &FORMATS)?;
    require_folder(&args.out)?;
    args.form.require(format)?;
    let checkpoint = Model::open(&args.checkpoint)?;
    require_spare(&args.out, &args.checkpoint, &checkpoint, args.data.data.as_ref())?;
    let seed = checkpoint.provenance().seed;
    let (sizes, code_depth) = match &checkpoint {
        Model::Belief(checkpoint) => (checkpoint.dbn.sizes(), checkpoint.dbn.code_depth()?),
        Model::Network(checkpoint) => (checkpoint.network.sizes(), checkpoint.network.code_depth()),
    };
    let depth = args.depth.unwrap_or(code_depth);
    let hidden = sizes.get(depth).copied().ok_or_else(|| {
        Failure::new(format!("--depth is {depth}, but the checkpoint has {}", count(sizes.len() - 1, "layer")))
    })?;
    if let (Model::Network(_), true) = (&checkpoint, args.states || args.free_energy) {
        return Err(Failure::new(
            "--states and --free-energy are for RBMs and deep belief nets: a feed-forward network has neither",
        ));
    }
    let data = checkpoint.data(&args.checkpoint, &args.data, args.machine, report)?;
    let samples = split(&data, args.split)?;

    let n = samples.samples();
    let beside = PROGRAM + footprint::held(&data) + footprint::model(&sizes) + footprint::pass(&sizes, CHUNK.min(n));
    let needed = |n| beside + footprint::features(n, hidden, format);
    tracing::info!("memory:  about {}", bytes(needed(n)));
    memory::require_samples("encoding", n, args.machine.max_memory, needed)?;
    ranks::require_same(&n.to_string())?;
    let (mut features, mut free_energy) = (Vec::with_capacity(n * hidden), Vec::new());
    let binarize = checkpoint.pixels(samples, args.binarize)?;
    // Of a chunk its features, then free energies.
    let encoded = ranks::each(count_of(samples), |chunk| {
        let v = input(&checkpoint, samples, binarize, seed, chunk)?;
        let Checkpoint { dbn, .. } = match &checkpoint {
            Model::Belief(checkpoint) => checkpoint,
            Model::Network(checkpoint) => return values(&checkpoint.network.encode(&v, depth)?),
        };
        let draw = args.states.then(|| Uniforms::new(seed, Stream::User, chunk as u32));
        let mut found = values(&dbn.encode(&v, depth, draw)?)?;
        if args.free_energy {
            found.extend(values(&dbn.top().free_energy(&dbn.penultimate(&v)?)?)?);
        }
        Ok(found)
    })?;
    for (chunk, found) in encoded.into_iter().enumerate() {
        let rows = CHUNK.min(n - CHUNK * chunk);
        features.extend_from_slice(&found[..rows * hidden]);
        free_energy.extend_from_slice(&found[rows * hidden..]);
    }
    if !ranks::group().is_first() {
        return Ok(());
    }
    let names = (0..hidden).map(|unit| format!("h{unit}")).collect();
    let mut beside = Vec::new();
    if args.free_energy {
        beside.push(("free_energy", Block::column("free_energy", BlockValues::Floats(free_energy))));
    }
    let labels = samples.labels().map(|labels| in_their_words(&labels, data.class_names.as_deref()));
    let labelled = labels.is_some();
    beside.extend(labels.map(|labels| ("labels", Block::column("label", labels))));
    let columns = vec![Block { names, values: BlockValues::Floats(features) }];
    let form = args.form.over(data.form);
    let rows = columns_beside(&checkpoint, &args.checkpoint, &args.data, (samples, args.split), (format, form))?;
    let features = Results { name: "features", columns, beside, form };
    let files = features.with_rows(rows, format).write(&args.out, format)?;
    tracing::info!("encoded {} of {} into {}", count(n, "sample"), data.name, count(hidden, "feature"));
    if args.json {
        return report.json(&json!({
            "files": files, "data": data.name, "samples": n, "features": hidden, "depth": depth,
            "labels": labelled, "free_energy": args.free_energy, "states": args.states,
        }));
    }
    Ok(())
}
