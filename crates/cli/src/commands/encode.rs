//! `dbn encode`: hidden probabilities of a data set, for other programs.

use crate::args::EncodeArgs;
use crate::commands::files::{extension, require_folder, write_file};
use crate::data::chunks::{CHUNK, chunks};
use crate::failure::{Explain, Failure, Result, count};
use crate::machine::footprint;
use crate::machine::memory::{self, PROGRAM};
use crate::model::checkpoint::{Checkpoint, Model, Trained, split};
use crate::pictures::values;
use crate::report::{Report, bytes};
use deepbelief_kernels::{Stream, Uniforms};
use npyz::WriterBuilder as _;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What is written.
struct Features {
    samples: usize,
    hidden: usize,
    /// Row-major, samples by hidden units.
    values: Vec<f32>,
    labels: Option<Vec<i64>>,
    /// Nats, one value a sample.
    free_energy: Option<Vec<f32>>,
}

/// Encodes one part of a data set into a file.
pub(crate) fn encode(args: &EncodeArgs, report: &Report) -> Result<()> {
    let format = extension(&args.out, &["safetensors", "npy", "csv"])?;
    require_folder(&args.out)?;
    let checkpoint = Model::open(&args.checkpoint)?;
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
    let data = checkpoint.data(&args.checkpoint, &args.data, args.memory)?;
    let samples = split(&data, args.split)?;

    let n = samples.samples();
    let beside = PROGRAM + footprint::held(&data) + footprint::model(&sizes) + footprint::pass(&sizes, CHUNK.min(n));
    let needed = |n| beside + footprint::features(n, hidden, format);
    tracing::info!("memory:  about {}", bytes(needed(n)));
    memory::require_samples("encoding", n, args.memory.max_memory, needed)?;
    let mut features = Vec::with_capacity(n * hidden);
    let mut free_energy = Vec::new();
    for (step, v) in chunks(samples, checkpoint.binarize(args.binarize), seed).enumerate() {
        let v = v?;
        let Checkpoint { dbn, .. } = match &checkpoint {
            Model::Belief(checkpoint) => checkpoint,
            Model::Network(checkpoint) => {
                features.extend(values(&checkpoint.network.encode(&v, depth)?)?);
                continue;
            }
        };
        let draw = args.states.then(|| Uniforms::new(seed, Stream::User, step as u32));
        features.extend(values(&dbn.encode(&v, depth, draw)?)?);
        if args.free_energy {
            free_energy.extend(values(&dbn.top().free_energy(&dbn.penultimate(&v)?)?)?);
        }
    }
    let features = Features {
        samples: n,
        hidden,
        values: features,
        labels: samples.labels().map(|labels| labels.into_iter().map(i64::from).collect()),
        free_energy: args.free_energy.then_some(free_energy),
    };
    let files = match format {
        "safetensors" => vec![(args.out.clone(), features.safetensors()?)],
        "npy" => features.npy_files(&args.out)?,
        _ => vec![(args.out.clone(), features.csv().into_bytes())],
    };
    for (path, bytes) in &files {
        write_file(path, bytes)?;
    }
    tracing::info!("encoded {} of {} into {}", count(n, "sample"), data.name, count(hidden, "feature"));
    if args.json {
        let files: Vec<&PathBuf> = files.iter().map(|(path, _)| path).collect();
        return report.json(&json!({
            "files": files, "data": data.name, "samples": n, "features": hidden, "depth": depth,
            "labels": features.labels.is_some(), "free_energy": args.free_energy, "states": args.states,
        }));
    }
    Ok(())
}

impl Features {
    fn safetensors(&self) -> Result<Vec<u8>> {
        let bytes = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let mut parts = vec![("features", Dtype::F32, vec![self.samples, self.hidden], bytes(&self.values))];
        if let Some(labels) = &self.labels {
            let labels = labels.iter().flat_map(|x| x.to_le_bytes()).collect();
            parts.push(("labels", Dtype::I64, vec![self.samples], labels));
        }
        if let Some(free_energy) = &self.free_energy {
            parts.push(("free_energy", Dtype::F32, vec![self.samples], bytes(free_energy)));
        }
        let mut views = Vec::new();
        for (name, dtype, shape, bytes) in &parts {
            views.push((*name, TensorView::new(*dtype, shape.clone(), bytes)?));
        }
        safetensors::serialize(views, None).or_fail(|| "cannot make a safetensors file".into())
    }

    /// One array a file: labels and free energies stand beside the features.
    fn npy_files(&self, path: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let mut files = Vec::new();
        if let Some(labels) = &self.labels {
            files.push((beside(path, "labels"), npy(&[self.samples], labels)?));
        }
        if let Some(free_energy) = &self.free_energy {
            files.push((beside(path, "free_energy"), npy(&[self.samples], free_energy)?));
        }
        files.push((path.to_path_buf(), npy(&[self.samples, self.hidden], &self.values)?));
        Ok(files)
    }

    fn csv(&self) -> String {
        let mut header: Vec<String> = (0..self.hidden).map(|unit| format!("h{unit}")).collect();
        header.extend(self.free_energy.iter().map(|_| "free_energy".into()));
        header.extend(self.labels.iter().map(|_| "label".into()));
        let mut text = header.join(",") + "\n";
        for (sample, row) in self.values.chunks(self.hidden).enumerate() {
            for (unit, value) in row.iter().enumerate() {
                let comma = if unit > 0 { "," } else { "" };
                let _ = write!(text, "{comma}{value}");
            }
            if let Some(free_energy) = &self.free_energy {
                let _ = write!(text, ",{}", free_energy[sample]);
            }
            if let Some(labels) = &self.labels {
                let _ = write!(text, ",{}", labels[sample]);
            }
            text.push('\n');
        }
        text
    }
}

/// `features.npy` and `labels` make `features.labels.npy`.
fn beside(path: &Path, what: &str) -> PathBuf {
    path.with_extension(format!("{what}.npy"))
}

fn npy<T: npyz::AutoSerialize + Copy>(shape: &[usize], values: &[T]) -> Result<Vec<u8>> {
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let mut file = Vec::new();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut file).begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features() -> Features {
        Features {
            samples: 2,
            hidden: 3,
            values: vec![0.5, 0.25, 1.0, 0.0, 0.125, 1e-7],
            labels: Some(vec![7, 0]),
            free_energy: Some(vec![-1.5, 2.0]),
        }
    }

    #[test]
    fn csv_is_one_line_a_sample_and_keeps_every_digit() {
        assert_eq!(features().csv(), "h0,h1,h2,free_energy,label\n0.5,0.25,1,-1.5,7\n0,0.125,0.0000001,2,0\n");
        let bare = Features { labels: None, free_energy: None, ..features() };
        assert_eq!(bare.csv().lines().next(), Some("h0,h1,h2"));
    }

    #[test]
    fn npy_files_are_read_back() {
        let files = features().npy_files(Path::new("a/f.npy")).unwrap();
        let read = |name: &str| {
            let (_, bytes) = files.iter().find(|(path, _)| path == Path::new(name)).unwrap();
            npyz::NpyFile::new(&bytes[..]).unwrap()
        };
        let npy = read("a/f.npy");
        assert_eq!(npy.shape(), [2, 3]);
        assert_eq!(npy.into_vec::<f32>().unwrap(), features().values);
        assert_eq!(read("a/f.labels.npy").into_vec::<i64>().unwrap(), [7, 0]);
        assert_eq!(read("a/f.free_energy.npy").into_vec::<f32>().unwrap(), [-1.5, 2.0]);
    }

    #[test]
    fn safetensors_files_hold_the_three_tensors() {
        let bytes = features().safetensors().unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(file.tensor("features").unwrap().shape(), [2, 3]);
        assert_eq!(file.tensor("labels").unwrap().data()[..8], 7i64.to_le_bytes());
        assert_eq!(file.tensor("free_energy").unwrap().data()[..4], (-1.5f32).to_le_bytes());
    }
}
