//! `dbn quality`: whether the samples of a model are what its data are.

mod report;

use crate::args::{DataArgs, QualityArgs};
use crate::commands::files::{extension, require_folder, require_spare, write_file};
use crate::failure::{Failure, Result, count};
use crate::machine::footprint;
use crate::machine::memory::{self, MemoryOption, PROGRAM};
use crate::model::checkpoint::Checkpoint;
use crate::model::forgetting::Memory;
use crate::model::log_z::log_z;
use crate::model::trained::Trained;
use crate::pictures::{Panels, values};
use crate::report::Report;
use deepbelief_analysis::chains::Chains;
use deepbelief_analysis::quality::Points;
use deepbelief_analysis::quality::adversarial::adversarial;
use deepbelief_analysis::quality::moments::moments;
use deepbelief_analysis::quality::projections::projections;
use deepbelief_data::{Binarize, Split};
use deepbelief_kernels::{Batch, Bits};
use deepbelief_rbm::{Rbm, Units, states_of};
use report::{Comparison, Energies, Quality};

/// Samples where nobody says how many, at most, and points of a data set that are looked at.
const MOST: usize = 10_000;

/// Samples whose free energies are computed at once.
const ROWS: usize = 1000;

/// Compares samples with data.
pub(crate) fn quality(args: &QualityArgs, report: &Report) -> Result<()> {
    for (path, ending) in [(&args.out, "json"), (&args.picture, "png")] {
        if let Some(path) = path {
            extension(path, &[ending])?;
            require_folder(path)?;
        }
    }
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    for out in [&args.out, &args.picture].into_iter().flatten() {
        for data in [args.data.data.as_ref(), args.test.as_ref()] {
            require_spare(out, &args.checkpoint, &checkpoint, data)?;
        }
    }
    if checkpoint.dbn.depth() > 1 || checkpoint.dbn.classes() > 0 {
        return Err(Failure::new("quality is for one RBM without labels").hint("`dbn pretrain` trains one"));
    }
    let rbm = checkpoint.dbn.top();
    let seed = args.seed.unwrap_or(checkpoint.provenance().seed);
    let data = checkpoint.data(&args.checkpoint, &args.data, args.machine, report)?;
    let other = match &args.test {
        None => None,
        Some(test) => {
            let args_of_test = DataArgs { data: Some(test.clone()), ..args.data.clone() };
            Some(checkpoint.data(&args.checkpoint, &args_of_test, args.machine, report)?.train)
        }
    };
    let test = other.as_ref().or(data.test.as_ref());
    let chains = args.count.map_or(data.train.samples().min(MOST), |count| count as usize).max(2);
    require_memory(args, rbm, chains)?;

    let how = binarize(&checkpoint, args.binarize);
    let train = Part::of(&data.train, how, seed)?;
    let test = test.map(|test| Part::of(test, how, seed)).transpose()?;
    tracing::info!("sampling {} of {} Gibbs steps", count(chains, "chain"), args.steps);
    let mut sampled = Chains::new(rbm, chains, seed)?;
    let work = report.work("Gibbs steps", args.steps.into());
    for _ in 0..args.steps {
        sampled.advance(1)?;
        work.did(1);
    }
    drop(work);
    let samples = Part { batch: sampled.states().clone(), weights: None };
    let log_z = log_z(&args.checkpoint, rbm, args.log_z.as_ref(), "log-likelihoods")?.map(|known| known.value);

    let of_samples = samples.points(rbm)?;
    let of_train = train.points(rbm)?;
    let of_test = test.as_ref().map(|test| test.points(rbm)).transpose()?;
    let compare = |data: &Points, samples: &Points| -> Result<Comparison> {
        Ok(Comparison {
            moments: moments(data, samples)?,
            projections: projections(data, samples)?,
            adversarial: adversarial(data, samples, seed)?,
        })
    };
    let quality = Quality {
        data: data.name.clone(),
        training: of_train.len(),
        samples: chains,
        steps: args.steps,
        train: compare(&of_train, &of_samples)?,
        test: of_test.as_ref().map(|test| compare(test, &of_samples)).transpose()?,
        train_and_test: of_test.as_ref().map(|test| compare(test, &of_train)).transpose()?,
        mixing: Memory::of(rbm, &train.batch, args.steps, seed)?,
        free_energy: Energies {
            train: train.mean_free_energy(rbm)?,
            test: test.as_ref().map(|test| test.mean_free_energy(rbm)).transpose()?,
            samples: samples.mean_free_energy(rbm)?,
            log_z,
        },
    };
    if let Some(path) = &args.out {
        write_file(path, (serde_json::to_string_pretty(&quality.json())? + "\n").as_bytes())?;
    }
    if let Some(path) = &args.picture {
        let energies = [train.free_energies(rbm)?, samples.free_energies(rbm)?];
        let panels = Panels {
            title: quality.title(),
            moments: &quality.train.moments,
            projections: &quality.train.projections,
            energies,
        };
        write_file(path, &panels.png()?)?;
    }
    if args.json {
        return report.json(&quality.json());
    }
    report.data(&quality.summary())
}

/// Refuses what would not fit.
fn require_memory(args: &QualityArgs, rbm: &Rbm, chains: usize) -> Result<()> {
    let columns = rbm.visible() as u64;
    let sizes = [rbm.visible(), rbm.hidden()];
    let needed = |chains: usize| {
        // Values of data and samples and their centred copies, and two matrices of pairs.
        PROGRAM
            + footprint::model(&sizes)
            + footprint::pass(&sizes, chains)
            + 4 * columns * (2 * MOST as u64 + 3 * chains as u64)
            + 4 * 4 * columns * columns
    };
    let options = [MemoryOption::new("--count", 2, chains, needed)];
    memory::require("the comparison", needed(chains), args.machine.max_memory, &options)
}

/// How grey values become binary: as asked, else as in training; where states were drawn there, they are here, once.
fn binarize(checkpoint: &Checkpoint, asked: Option<Binarize>) -> Binarize {
    let drawn = |how: &Binarize| matches!(how, Binarize::Fixed | Binarize::Fresh);
    match asked.or_else(|| checkpoint.recorded("binarize")) {
        Some(how) if drawn(&how) => Binarize::Fixed,
        how => how.unwrap_or_default(),
    }
}

/// A batch in which filled values of categories and spins, which are means, are the most probable states.
fn states(units: &Units, batch: Batch) -> Batch {
    if !matches!(batch, Batch::Real { .. }) || units.is_bernoulli() {
        return batch;
    }
    let (rows, columns, mut values) = (batch.rows(), batch.units(), batch.to_values());
    for row in values.chunks_exact_mut(columns) {
        for (segment, columns) in units.each().filter(|(segment, _)| segment.units.is_discrete()) {
            for site in row[columns].chunks_exact_mut(segment.levels) {
                let best = (0..site.len()).fold(0, |best, at| if site[at] > site[best] { at } else { best });
                let is_on = |at: usize, x: f32| if segment.levels > 1 { at == best } else { x > 0.5 };
                site.iter_mut().enumerate().for_each(|(at, x)| *x = f32::from(u8::from(is_on(at, *x))));
            }
        }
    }
    if units.is_discrete() {
        Batch::Binary(Bits::from_values(rows, columns, &values))
    } else {
        Batch::Real { rows, units: columns, values }
    }
}

/// Some samples.
struct Part {
    batch: Batch,
    weights: Option<Vec<f64>>,
}

impl Part {
    /// Samples of a data set, at most [`MOST`], evenly spread.
    fn of(split: &Split, how: Binarize, seed: u64) -> Result<Self> {
        let n = split.samples();
        let taken: Vec<usize> = (0..MOST.min(n)).map(|k| k * n / MOST.min(n)).collect();
        let weights = taken.iter().map(|&sample| split.weight(sample).map(f64::from)).collect();
        let batch = split.batch(taken.iter().copied(), how, seed)?;
        Ok(Self { batch: states(split.layer(), batch), weights })
    }

    fn points(&self, rbm: &Rbm) -> Result<Points> {
        Ok(Points::new(&rbm.layers().visible, self.batch.to_values(), self.weights.clone())?)
    }

    fn free_energies(&self, rbm: &Rbm) -> Result<Vec<f64>> {
        let states = states_of(&rbm.layers().visible, &self.batch, rbm.vb().device())?;
        let mut energies = Vec::with_capacity(self.batch.rows());
        for first in (0..self.batch.rows()).step_by(ROWS) {
            let part = states.narrow(0, first, ROWS.min(self.batch.rows() - first))?;
            energies.extend(values(&rbm.free_energy(&part)?)?.into_iter().map(f64::from));
        }
        Ok(energies)
    }

    /// By weight.
    fn mean_free_energy(&self, rbm: &Rbm) -> Result<f64> {
        let energies = self.free_energies(rbm)?;
        let ones = vec![1.0; energies.len()];
        let weights = self.weights.as_ref().unwrap_or(&ones);
        Ok(energies.iter().zip(weights).map(|(energy, weight)| energy * weight).sum::<f64>()
            / weights.iter().sum::<f64>())
    }
}
