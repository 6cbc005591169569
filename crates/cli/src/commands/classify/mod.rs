//! `dbn classify`: the labels of a data set, and where it has labels of its own, how many the
//! model gets wrong.

mod score;

use crate::args::{ClassifyArgs, Method, PartName};
use crate::commands::files::{extension, require_folder, require_spare, write_file};
use crate::commands::part::{self, Measured, part_of};
use crate::data::chunks::CHUNK;
use crate::data::identity::{columns_beside, numbered};
use crate::failure::{Failure, Result, count};
use crate::machine::footprint;
use crate::machine::memory::{self, PROGRAM};
use crate::model::checkpoint::{Model, NetworkCheckpoint};
use crate::model::inputs::inputs;
use crate::model::trained::{Trained, say_filled};
use crate::pictures::{Net, ROW, Sheet, network_name, shape_of, tiles};
use crate::report::{Report, bytes, table as report_table, thousands};
use crate::results::Results;
use deepbelief_data::{Binarize, Block, BlockValues, Dataset, Split};
use deepbelief_kernels::{Stream, Uniforms};
use score::Score;

/// Stands between what a sample is and what it is taken for.
const ARROW: char = '\u{2192}';

/// Samples in the picture of the errors, at most.
const SHOWN: usize = 150;

/// What the model says of one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Told {
    label: u32,
    /// Probability of that label.
    probability: f32,
}

/// Classifies one part of a data set.
pub(crate) fn classify(args: &ClassifyArgs, report: &Report) -> Result<()> {
    for (path, ending) in [(&args.errors, "png"), (&args.out, "csv")] {
        if let Some(path) = path {
            extension(path, &[ending])?;
            require_folder(path)?;
        }
    }
    let checkpoint = Model::open(&args.on.checkpoint)?;
    for path in args.errors.iter().chain(&args.out) {
        require_spare(path, &args.on.checkpoint, &checkpoint, args.on.data.data.as_ref())?;
    }
    let classes = classes(&checkpoint, args)?;
    let data = checkpoint.incomplete_data(&args.on.checkpoint, &args.on.data, args.machine)?;
    let part = args.on.part(&data);
    let is_own = part::is_own(&checkpoint, &data, part)?;
    let usually = "of new ones it usually gets more wrong";
    let lacking = part_of(&checkpoint, &data, (part, is_own), usually)?.samples.missing_values();
    let data = checkpoint.filled(data, report)?;
    say_filled(lacking);
    let Measured { samples, note, words, .. } = part_of(&checkpoint, &data, (part, is_own), usually)?;
    let samples = &samples;
    if let Some(note) = &note {
        tracing::info!("{note}");
    }
    let names = names(&data, classes)?;
    let labels = labels(samples, classes, args)?;
    let (binarize, seed) = (checkpoint.pixels(samples, args.binarize)?, checkpoint.provenance().seed);

    let sizes = match &checkpoint {
        Model::Belief(checkpoint) => checkpoint.dbn.sizes(),
        Model::Network(checkpoint) => checkpoint.network.sizes(),
    };
    let needed = PROGRAM
        + footprint::held(&data)
        + footprint::model(&sizes)
        + footprint::pass(&sizes, CHUNK.min(samples.samples()))
        + (size_of::<Told>() * samples.samples()) as u64;
    tracing::info!("memory:  about {}", bytes(needed));
    memory::require("classifying", needed, args.machine.max_memory, &[])?;
    let told = tell(&checkpoint, samples, binarize, args, seed)?;
    if let Some(path) = &args.out {
        let form = args.form.over(data.form);
        let rows =
            columns_beside(&checkpoint, &args.on.checkpoint, &args.on.data, (samples, part.split()), ("csv", form))?;
        let rows = std::iter::once(numbered(samples)).chain(rows).collect();
        let table = Results { form, ..table(&told, labels.as_deref(), &names) };
        table.with_rows(rows, "csv").write(path, "csv")?;
    }
    let Some(labels) = labels else {
        tracing::info!("{} has no labels: these are the model's, of {}", data.name, count(told.len(), "sample"));
        return match &args.out {
            Some(path) if !args.json => report.data(&format!("{}\n{}", path.display(), predicted(&told, &names))),
            _ => report.data(&only_told(&told, &names, args.json)),
        };
    };
    if let Some(path) = &args.errors {
        let shape = args.on.data.image_size.or(data.image).or_else(|| checkpoint.image_shape());
        let shape = shape_of(samples.units(), shape)?;
        let wrong = errors(&told, &labels);
        let shown = &wrong[..wrong.len().min(SHOWN)];
        let pixels = samples.batch(shown.iter().copied(), binarize, seed)?.to_values();
        let name = |label: u32| names[label as usize].as_str();
        let caption = |&sample: &usize| format!("{} {ARROW} {}", name(labels[sample]), name(told[sample].label));
        let captions: Vec<String> = shown.iter().map(caption).collect();
        let which = if shown.len() < wrong.len() { format!("the surest {} of ", shown.len()) } else { String::new() };
        let sheet = Sheet {
            title: format!(
                "{}: {which}{} in {} {words} of {}; true label {ARROW} predicted label",
                match &checkpoint {
                    Model::Belief(checkpoint) => Net { dbn: &checkpoint.dbn, shape }.name(),
                    Model::Network(checkpoint) => network_name(&checkpoint.network),
                },
                count(wrong.len(), "error"),
                thousands(told.len()),
                data.name
            ),
            rows: tiles(&pixels, samples.units()).chunks(ROW).map(<[_]>::to_vec).collect(),
            captions: captions.chunks(ROW).map(<[_]>::to_vec).collect(),
            shape: (shape.width, shape.height),
            ..Sheet::default()
        };
        write_file(path, &sheet.png()?)?;
    }
    let found = told.iter().map(|told| told.label).zip(labels);
    let score = Score::new(&data.name, (split_name(part), words), found, names);
    if args.json {
        return report.data(&(serde_json::to_string(&score)? + "\n"));
    }
    report.data(&score.describe(args.confusion))
}

/// Number of labels the model tells apart, as it is asked to.
fn classes(model: &Model, args: &ClassifyArgs) -> Result<usize> {
    match model {
        Model::Belief(checkpoint) => checkpoint.classes("`dbn classify`"),
        Model::Network(NetworkCheckpoint { network, header }) => match network.classes() {
            0 => Err(Failure::new(format!("the checkpoint is of kind '{}', which predicts no labels", header.kind))
                .hint("`dbn finetune --as classifier` trains one that does")),
            _ if args.method == Method::Gibbs => {
                Err(Failure::new("--method gibbs needs a label group; a feed-forward network predicts labels directly"))
            }
            classes => Ok(classes),
        },
    }
}

/// The label of every sample and its probability.
fn tell(model: &Model, samples: &Split, binarize: Binarize, args: &ClassifyArgs, seed: u64) -> Result<Vec<Told>> {
    let mut told = Vec::with_capacity(samples.samples());
    for (step, v) in inputs(model, samples, binarize, seed).enumerate() {
        let p = match (model, args.method) {
            (Model::Network(checkpoint), _) => checkpoint.network.forward(&v?)?,
            (Model::Belief(checkpoint), Method::FreeEnergy) => checkpoint.dbn.label_probabilities(&v?)?,
            (Model::Belief(checkpoint), Method::Gibbs) => {
                let draw = Uniforms::new(seed, Stream::User, step as u32);
                checkpoint.dbn.label_probabilities_by_gibbs(&v?, args.steps, draw)?
            }
        };
        told.extend(p.to_vec2::<f32>()?.iter().map(|p| most_probable(p)));
    }
    Ok(told)
}

/// The first of the most probable labels.
fn most_probable(p: &[f32]) -> Told {
    let better = |best: usize, label: usize| if p[label] > p[best] { label } else { best };
    let label = (0..p.len()).fold(0, better);
    Told { label: label as u32, probability: p[label] }
}

/// What the model's classes are called: as the data call them, else by their numbers.
fn names(data: &Dataset, classes: usize) -> Result<Vec<String>> {
    match &data.class_names {
        None => Ok((0..classes).map(|class| class.to_string()).collect()),
        Some(names) if names.len() == classes => Ok(names.clone()),
        // Named classes are numbered in the order of their names, so that a class more or less
        // may give the others another number than in training.
        Some(names) => Err(Failure::new(format!(
            "{} names {} ({}), but the checkpoint has {classes}: they cannot be matched",
            data.name,
            count(names.len(), "label"),
            names.join(", ")
        ))),
    }
}

/// The labels that the samples have, which the model must know and the options may need.
fn labels(samples: &Split, classes: usize, args: &ClassifyArgs) -> Result<Option<Vec<u32>>> {
    let Some(labels) = samples.labels() else {
        for (option, asked) in [("--errors", args.errors.is_some()), ("--confusion", args.confusion)] {
            if asked {
                return Err(Failure::new(format!("the data have no labels, which {option} compares with"))
                    .hint("name the labels' column with --label-column"));
            }
        }
        return Ok(None);
    };
    match labels.iter().position(|&label| label as usize >= classes) {
        None => Ok(Some(labels)),
        Some(sample) => Err(Failure::new(format!(
            "{} has the label {}, but the checkpoint has {}, 0 to {}",
            samples.called(sample),
            labels[sample],
            count(classes, "label"),
            classes - 1
        ))),
    }
}

fn split_name(name: PartName) -> &'static str {
    match name {
        PartName::Train => "training",
        PartName::Valid => "validation",
        PartName::Test => "test",
    }
}

/// A row a sample.
fn table(told: &[Told], labels: Option<&[u32]>, names: &[String]) -> Results {
    let texts = |places: Vec<u32>| BlockValues::Texts { texts: names.to_vec(), places };
    let mut columns = vec![
        Block::column("predicted", texts(told.iter().map(|told| told.label).collect())),
        Block::column("probability", BlockValues::Floats(told.iter().map(|told| told.probability).collect())),
    ];
    columns.extend(labels.map(|labels| Block::column("label", texts(labels.to_vec()))));
    Results { name: "labels", columns, ..Results::default() }
}

/// The labels alone, where there is nothing to compare them with.
fn only_told(told: &[Told], names: &[String], json: bool) -> String {
    let labels: Vec<&str> = told.iter().map(|told| names[told.label as usize].as_str()).collect();
    if json {
        return serde_json::json!({ "samples": told.len(), "labels": labels }).to_string() + "\n";
    }
    labels.join("\n") + "\n"
}

/// How many samples each label was predicted for.
fn predicted(told: &[Told], names: &[String]) -> String {
    let rows = names.iter().enumerate().map(|(label, name)| {
        let samples = told.iter().filter(|told| told.label as usize == label).count();
        vec![name.clone(), thousands(samples)]
    });
    let head = ["label", "predicted for"].map(String::from).to_vec();
    report_table(std::iter::once(head).chain(rows))
}

/// The samples that got a wrong label, those of whose label the model is surest first.
fn errors(told: &[Told], labels: &[u32]) -> Vec<usize> {
    let mut wrong: Vec<usize> = (0..told.len()).filter(|&sample| told[sample].label != labels[sample]).collect();
    wrong.sort_by(|&a, &b| told[b].probability.total_cmp(&told[a].probability));
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::csv;
    use deepbelief_data::TextForm;

    fn told(labels: &[u32]) -> Vec<Told> {
        labels.iter().map(|&label| Told { label, probability: 0.5 }).collect()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_surest_errors_come_first() {
        let mut told = told(&[1, 1, 2, 0]);
        told[2].probability = 0.9;
        assert_eq!(errors(&told, &[0, 1, 1, 1]), [2, 0, 3]);
    }

    #[test]
    fn the_first_of_equal_labels_is_told() {
        assert_eq!(most_probable(&[0.2, 0.4, 0.4]), Told { label: 1, probability: 0.4 });
    }

    #[test]
    fn csv_holds_names_and_quotes_them() {
        let (told, names) = (told(&[1, 0]), names(&["a,b", "c"]));
        let csv = |labels| csv(&table(&told, labels, &names).columns.iter().collect::<Vec<_>>(), TextForm::default());
        assert_eq!(csv(None), "predicted,probability\nc,0.5\n\"a,b\",0.5\n");
        let labelled = csv(Some(&[1, 1][..]));
        assert_eq!(labelled.lines().nth(2), Some("\"a,b\",0.5,c"));
        assert_eq!(only_told(&told, &names, false), "c\na,b\n");
        let json: serde_json::Value = serde_json::from_str(&only_told(&told, &names, true)).unwrap();
        assert_eq!(json, serde_json::json!({ "samples": 2, "labels": ["c", "a,b"] }));
    }
}
