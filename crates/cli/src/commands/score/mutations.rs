//! `dbn score --mutations`: what a model makes of mutants of a sequence.

use super::wild_type::Asked;
use crate::args::{Mutations, ScoreArgs};
use crate::commands::files::{extension, require_folder, require_other, require_spare, write_file};
use crate::failure::{Explain, Failure, Result, count};
use crate::model::checkpoint::Checkpoint;
use crate::model::sites::{NamedSites, sequences, spread};
use crate::model::trained::Trained;
use crate::model::whole::Rows;
use crate::pictures::HeatMap;
use crate::report::{Report, table, thousands};
use crate::results::{FORMATS, Results};
use deepbelief_analysis::correlation::{Interval, spearman_interval};
use deepbelief_analysis::mutations::{Mutant, WildType, independent, log_frequencies, log_ratios};
use deepbelief_analysis::sites::{Level, Sequences};
use deepbelief_data::{Block, BlockValues, Header, LoadOptions, Original, Source, TextForm};
use serde_json::json;
use std::path::Path;

/// Sequences of the data that letters of the sites are counted in, at most.
const MOST_SEQUENCES: usize = 1_000_000;

/// Bootstrap samples of an interval.
const DRAWS: u32 = 2000;

/// Mutants that are scored at once.
const AT_ONCE: usize = 1000;

/// Columns that list mutants, by the names that they usually have.
const MUTANTS: [&str; 4] = ["mutant", "mutants", "mutation", "mutations"];

/// Fields that say that nothing was measured.
const MISSING: [&str; 5] = ["", "NA", "NaN", "nan", "?"];

/// Rows of the summary.
const SHOWN: usize = 5;

/// Scores single or listed mutants.
pub(super) fn score_mutations(args: &ScoreArgs, mutations: &Mutations, report: &Report) -> Result<()> {
    let format = extension(&args.out, &FORMATS)?;
    require_folder(&args.out)?;
    args.form.require(format)?;
    if let Some(picture) = &args.picture {
        extension(picture, &["png"])?;
        require_folder(picture)?;
    }
    let checkpoint = Checkpoint::open(&args.on.checkpoint)?;
    for out in [Some(&args.out), args.picture.as_ref()].into_iter().flatten() {
        require_spare(out, &args.on.checkpoint, &checkpoint, args.on.data.data.as_ref())?;
        if let Mutations::File(file) = mutations {
            require_other(out, file, "the list of mutants")?;
        }
    }
    let model = NamedSites::of(&checkpoint, "--mutations")?;
    let Some(letters) = model.letters() else {
        return Err(Failure::new("--mutations is for sites of the same letters, which the model's are not"));
    };
    let listed = match mutations {
        Mutations::All => None,
        Mutations::File(path) => Some(Listed::read(path, args.fitness_column.as_deref())?),
    };
    let data = checkpoint.incomplete_data(&args.on.checkpoint, &args.on.data, args.machine)?;
    let wild = args.wild_type.as_deref().unwrap_or_default();
    let asked = Asked::of(wild, args.offset, &letters, model.sites.count(), &data, &checkpoint)?;
    if let Some(listed) = &listed {
        asked.require(&listed.mutants)?;
    }
    let (samples, aligned) = (&data.train, data.alignment.as_deref());
    let taken = spread(samples, MOST_SEQUENCES);
    let sequences = sequences(&checkpoint, samples, &taken)?;
    let wild = asked.laid(&Rows { samples, aligned, taken: &taken, sequences: &sequences, letters: &letters })?;

    let singles = wild.singles(&NamedSites::gaps());
    let mutants = listed.as_ref().map_or(&singles, |listed| &listed.mutants);
    let scored = Scored::of(&model, &wild, &sequences, mutants, report)?;
    let fitness = listed.as_ref().and_then(|listed| listed.fitness.as_deref());
    let form = args.form.over(listed.as_ref().map_or_else(TextForm::default, |listed| listed.form));
    let mut files = Results { form, ..scored.table(fitness) }.write(&args.out, format)?;
    if let Some(path) = &args.picture {
        let title = format!("{}: ln p(mutant) - ln p(wild type)", checkpoint.provenance().dataset);
        write_file(path, &heat_map(title, &model, &wild, &letters)?.png()?)?;
        files.push(path.clone());
    }
    let agreement = fitness.map(|fitness| scored.agreement(fitness));
    if args.json {
        return report.json(&json!({
            "files": files, "mutants": mutants.len(), "unscored": scored.unscored(),
            "sites": wild.positions.iter().flatten().count(),
            "spearman": agreement.as_ref().map(|a| a.model), "spearman_independent": agreement.as_ref().map(|a| a.independent),
            "measured": agreement.as_ref().map(|a| a.mutants),
        }));
    }
    report.data(&(scored.summary() + &agreement.map_or_else(String::new, |agreement| agreement.summary())))
}

/// Mutants of a file, and what was measured of them.
struct Listed {
    mutants: Vec<Mutant>,
    /// NaN where nothing was measured.
    fitness: Option<Vec<f64>>,
    /// How the file is written.
    form: TextForm,
}

impl Listed {
    fn read(path: &Path, fitness: Option<&str>) -> Result<Self> {
        let options = LoadOptions { header: Header::Yes, ..LoadOptions::default() };
        let read = Original::read(&Source::Csv(path.to_path_buf()), &options, false);
        let read = read.or_fail(|| "cannot read the list of mutants".into());
        let Original { columns, lines, form, .. } =
            read.or_hint(|| "--mutations takes all, or a CSV table with a column mutant".into())?;
        let names = || columns.iter().flat_map(|block| &block.names);
        let called = |wanted: &str| columns.iter().find(|block| block.names[0].eq_ignore_ascii_case(wanted));
        let known = || names().cloned().collect::<Vec<_>>().join(", ");
        let texts = MUTANTS.iter().find_map(|name| called(name)).or(Some(&columns[0]).filter(|_| columns.len() == 1));
        let texts = texts.ok_or_else(|| {
            Failure::new(format!("{} has no column 'mutant', only {}", path.display(), known()))
                .hint("call the column of the mutants, such as H24A, `mutant`")
        })?;
        let mutants = texts_of(texts).into_iter().enumerate().map(|(row, text)| {
            let line = lines.as_ref().map_or(row + 1, |lines| lines[row] as usize);
            text.parse().or_fail(|| format!("{}: line {line}", path.display()))
        });
        let fitness = match fitness {
            None => None,
            Some(name) => {
                let column = called(name).ok_or_else(|| {
                    Failure::new(format!("{} has no column '{name}', only {}", path.display(), known()))
                })?;
                Some(numbers_of(column, form).ok_or_else(|| {
                    Failure::new(format!("column '{name}' of {} has fields that are no numbers", path.display()))
                })?)
            }
        };
        Ok(Self { mutants: mutants.collect::<Result<_>>()?, fitness, form })
    }
}

/// A column as texts.
fn texts_of(column: &Block) -> Vec<String> {
    match &column.values {
        BlockValues::Texts { texts, places } => places.iter().map(|&place| texts[place as usize].clone()).collect(),
        BlockValues::Floats(values) => values.iter().map(ToString::to_string).collect(),
        BlockValues::Doubles(values) => values.iter().map(ToString::to_string).collect(),
        BlockValues::Whole(values) => values.iter().map(ToString::to_string).collect(),
    }
}

/// A column as numbers, NaN where a field is missing.
fn numbers_of(column: &Block, form: TextForm) -> Option<Vec<f64>> {
    match column.values.as_doubles() {
        BlockValues::Doubles(values) => Some(values),
        BlockValues::Whole(values) => Some(values.iter().map(|&x| x as f64).collect()),
        BlockValues::Texts { texts, places } => {
            let number = |text: &String| {
                if MISSING.contains(&text.as_str()) { Some(f64::NAN) } else { form.with_point(text).parse().ok() }
            };
            let numbers: Vec<f64> = texts.iter().map(number).collect::<Option<_>>()?;
            Some(places.iter().map(|&place| numbers[place as usize]).collect())
        }
        BlockValues::Floats(_) => None,
    }
}

/// All single mutants as a picture.
fn heat_map(title: String, model: &NamedSites, wild: &WildType, letters: &[char]) -> Result<HeatMap> {
    let rows: Vec<usize> = (0..letters.len()).filter(|&level| !NamedSites::gaps().contains(&letters[level])).collect();
    let sites: Vec<usize> = (0..wild.levels.len()).filter(|&site| wild.positions[site].is_some()).collect();
    let places: Vec<Vec<(usize, Level)>> =
        rows.iter().flat_map(|&level| sites.iter().map(move |&site| vec![(site, level as Level)])).collect();
    Ok(HeatMap {
        title,
        rows: rows.iter().map(|&level| letters[level].to_string()).collect(),
        columns: sites.iter().map(|&site| wild.positions[site].unwrap_or_default()).collect(),
        marked: sites
            .iter()
            .map(|&site| rows.iter().position(|&level| level == usize::from(wild.levels[site])))
            .collect(),
        values: log_ratios(&model.sites, &wild.levels, &places)?,
    })
}

/// Mutants with their scores.
struct Scored<'a> {
    mutants: &'a [Mutant],
    /// `ln p(mutant) - ln p(wild type)`, NaN where the model has not the site or the letter.
    model: Vec<f64>,
    /// The same of independent sites.
    independent: Vec<f64>,
}

/// How scores go with what was measured.
struct Agreement {
    mutants: usize,
    model: Interval,
    independent: Interval,
}

impl<'a> Scored<'a> {
    fn of(
        model: &NamedSites,
        wild: &WildType,
        sequences: &Sequences,
        mutants: &'a [Mutant],
        report: &Report,
    ) -> Result<Self> {
        let places = mutants.iter().map(|mutant| Ok(wild.places(mutant)?)).collect::<Result<Vec<_>>>()?;
        let known: Vec<Vec<(usize, Level)>> = places.iter().flatten().cloned().collect();
        if known.is_empty() {
            return Err(Failure::new("no mutant is at a site of the model").hint(
                "residues count from 1 along the wild type, or from the start of the range in its name if \
                     --wild-type has the whole name, such as BLAT/24-286; --offset N adds N",
            ));
        }
        let frequencies = log_frequencies(sequences, model.sites.levels());
        let spread = |scores: Vec<f64>| -> Vec<f64> {
            let mut scores = scores.into_iter();
            places.iter().map(|places| places.as_ref().and_then(|_| scores.next()).unwrap_or(f64::NAN)).collect()
        };
        let (mut ratios, work) = (Vec::with_capacity(known.len()), report.work("mutants", known.len() as u64));
        for some in known.chunks(AT_ONCE) {
            ratios.extend(log_ratios(&model.sites, &wild.levels, some)?);
            work.did(some.len() as u64);
        }
        drop(work);
        Ok(Self {
            mutants,
            model: spread(ratios),
            independent: spread(independent(&frequencies, &wild.levels, &known)),
        })
    }

    fn unscored(&self) -> usize {
        self.model.iter().filter(|score| score.is_nan()).count()
    }

    fn table(&self, fitness: Option<&[f64]>) -> Results {
        let mutants = BlockValues::of_texts(self.mutants.iter().map(ToString::to_string));
        let mut columns = vec![
            Block::column("mutant", mutants),
            Block::column("score", BlockValues::Doubles(self.model.clone())),
            Block::column("independent", BlockValues::Doubles(self.independent.clone())),
        ];
        columns.extend(fitness.map(|fitness| Block::column("fitness", BlockValues::Doubles(fitness.to_vec()))));
        Results { name: "mutants", columns, ..Results::default() }
    }

    /// Spearman's correlations with what was measured, over the mutants that have both.
    fn agreement(&self, fitness: &[f64]) -> Agreement {
        let both: Vec<usize> =
            (0..fitness.len()).filter(|&k| !fitness[k].is_nan() && !self.model[k].is_nan()).collect();
        let of = |x: &[f64]| both.iter().map(|&k| x[k]).collect::<Vec<_>>();
        let measured = of(fitness);
        let with = |scores: &[f64]| spearman_interval(&of(scores), &measured, DRAWS, 1);
        Agreement { mutants: both.len(), model: with(&self.model), independent: with(&self.independent) }
    }

    /// For people.
    fn summary(&self) -> String {
        let mut order: Vec<usize> = (0..self.mutants.len()).filter(|&k| !self.model[k].is_nan()).collect();
        order.sort_by(|&a, &b| self.model[b].total_cmp(&self.model[a]));
        let mut text = format!("{} of {} scored", thousands(order.len()), count(self.mutants.len(), "mutant"));
        if self.unscored() > 0 {
            text += "; the others are at no site of the model";
        }
        let row = |&k: &usize| {
            vec![self.mutants[k].to_string(), format!("{:.3}", self.model[k]), format!("{:.3}", self.independent[k])]
        };
        let header = ["most probable", "score", "independent"].map(String::from).to_vec();
        text + "\n" + &table(std::iter::once(header).chain(order.iter().take(SHOWN).map(row)))
    }
}

impl Agreement {
    /// For people.
    fn summary(&self) -> String {
        let row = |name: &str, found: &Interval| {
            vec![name.to_string(), format!("{:.3}", found.value), format!("{:.3} to {:.3}", found.low, found.high)]
        };
        format!(
            "Spearman's correlation with the fitness of {}, and the interval of 95 % of bootstrap samples\n",
            count(self.mutants, "mutant")
        ) + &table([row("model", &self.model), row("independent sites", &self.independent)])
    }
}
