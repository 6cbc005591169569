//! Pictures that the report of an alignment shows: the logos of hidden units and the map of couplings, as the verbs
//! `show --units` and `contacts` draw them. A training draws them at its end, `dbn report` where they are missing or
//! older than the model. They take some seconds at most: of what would take longer, the log names the command.

use crate::args::{DataArgs, MachineArgs, SEPARATION};
use crate::failure::{Explain, Failure, Result};
use crate::laboratory::{MOST_SEQUENCES, Rule, coupled, logos, map_title, most_important};
use crate::model::checkpoint::{Checkpoint, Model};
use crate::model::sites::{NamedSites, sequences, spread};
use crate::model::trained::Trained;
use crate::pictures::ContactMap;
use crate::report::{Report, shell_word, thousands};
use crate::run::folder::{CONTACTS, RunFolder, UNITS};
use deepbelief_data::Dataset;
use deepbelief_rbm::write_atomic;
use std::path::Path;

/// Units whose logos are drawn.
const LOGOS: usize = 10;

/// Bytes of a picture that a report shows, at most.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// Values of sequences that are looked at, at most.
const MOST_VALUES: usize = 20_000_000;

/// Sequences that couplings are averaged over, at least and at most: more make the map less noisy, but little.
const LEAST_SEQUENCES: u64 = 200;
const ENOUGH_SEQUENCES: u64 = 1000;

/// Work of a map, at most, in passes of one pair of sites and one hidden unit over one sequence: some 25 seconds of one core.
const MOST_WORK: u64 = 1_000_000_000;

/// What a pair and a hidden unit take beside these passes, in as many of them.
const AVERAGES: u64 = 1300;

/// Draws both pictures of a model that was trained on `data`, if they are an alignment. What goes wrong with it does not
/// stop the training.
pub(crate) fn draw_alignment(folder: &RunFolder, data: &Dataset, report: &Report) {
    if data.schema.alphabet().is_none() {
        return;
    }
    let drawn = Model::open(&folder.model()).and_then(|model| match looked_at(&model) {
        Some((checkpoint, named)) => draw(folder.path(), checkpoint, &named, data, [true; 2], report),
        None => Ok(()),
    });
    if let Err(failure) = drawn {
        say(&failure);
    }
}

/// The same of the run in a folder, whose data are read again, where pictures are missing or older than the model.
pub(crate) fn draw_alignment_again(path: &Path, report: &Report) {
    let Some((folder, _)) = RunFolder::find(path) else { return };
    let is_there = [UNITS, CONTACTS].map(|name| path.join(name).is_file());
    let asked = [UNITS, CONTACTS].map(|name| !path.join(name).is_file() || is_older(&path.join(name), &folder.model()));
    if asked == [false; 2] {
        return;
    }
    // What cannot be opened, the report says.
    let Ok(model) = Model::open(&folder.model()) else { return };
    let Some((checkpoint, named)) = looked_at(&model) else { return };
    let data = checkpoint.incomplete_data(path, &DataArgs::default(), MachineArgs::default());
    match data.and_then(|data| draw(path, checkpoint, &named, &data, asked, report)) {
        // In a copy of a run files may have any age, and the data be elsewhere: pictures say after which epoch they are.
        Err(failure) if is_there != [true; 2] => say(&failure),
        _ => {}
    }
}

/// Whether a file was written before another.
fn is_older(file: &Path, other: &Path) -> bool {
    let written = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    matches!((written(file), written(other)), (Some(file), Some(other)) if file < other)
}

fn say(failure: &Failure) {
    let why = [&[failure.what().to_string()], failure.causes()].concat().join(": ");
    tracing::warn!("the logos and the map of couplings are not drawn: {why}");
}

/// An RBM of an alignment, site by site, if that is what a model is.
fn looked_at(model: &Model) -> Option<(&Checkpoint, NamedSites)> {
    let Model::Belief(checkpoint) = model else { return None };
    checkpoint.schema().and_then(|schema| schema.alphabet().map(|_| ()))?;
    // Where each letter is a bit, sites are no sites.
    let is_of_sites = !checkpoint.columns().layer().is_bernoulli();
    let named = NamedSites::of(checkpoint, "the report").ok().filter(|_| is_of_sites)?;
    Some((checkpoint, named))
}

/// Draws what is asked for of logos and map.
fn draw(
    path: &Path,
    checkpoint: &Checkpoint,
    named: &NamedSites,
    data: &Dataset,
    [with_logos, with_map]: [bool; 2],
    report: &Report,
) -> Result<()> {
    let most = MOST_SEQUENCES.min(MOST_VALUES / checkpoint.dbn.visible().max(1)).min(data.train.samples());
    if let Some(letters) = named.letters().filter(|_| with_logos) {
        tracing::info!("drawing the logos of hidden units for the report ({UNITS})");
        let units = most_important(checkpoint, named, &data.train, most)?;
        let first = |count: usize| logos(checkpoint, named, letters.clone(), &units[..count], &data.train).svg();
        // As many as the report shows.
        let svg = (1..=LOGOS.min(units.len())).rev().map(first).find(|svg| svg.len() <= MOST_BYTES);
        if let Some(svg) = svg {
            write(path, UNITS, &svg)?;
        }
    }
    // Of fewer sites no two are far enough apart.
    if with_map && named.sites.count() > SEPARATION as usize {
        draw_map(path, checkpoint, named, data, most, report)?;
    }
    Ok(())
}

fn draw_map(
    path: &Path,
    checkpoint: &Checkpoint,
    named: &NamedSites,
    data: &Dataset,
    most: usize,
    report: &Report,
) -> Result<()> {
    let (sites, hidden) = (named.sites.count(), named.sites.hidden());
    let Some(most) = averaged(sites, hidden, most) else {
        tracing::info!(
            "no map of couplings: {} pairs of sites and {hidden} hidden units take long; this draws it: \
             dbn contacts {} --out {} --picture {}",
            thousands(sites * (sites - 1) / 2),
            shell_word(path),
            shell_word(&path.join("contacts.csv")),
            shell_word(&path.join(CONTACTS)),
        );
        return Ok(());
    };
    tracing::info!(
        "drawing the map of couplings for the report ({CONTACTS}), averaged over {} sequences",
        thousands(most)
    );
    let sequences = sequences(checkpoint, &data.train, &spread(&data.train, most))?;
    let (_, pairs) = coupled(named, &sequences, Rule { separation: SEPARATION, gaps: false }, report)?;
    let title = map_title(checkpoint, &data.name, (sites, sequences.len()), None);
    write(path, CONTACTS, &ContactMap { title, sites, pairs: &pairs, known: None, limit: 0.0 }.png()?)
}

fn write(path: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let file = path.join(name);
    write_atomic(&file, bytes).or_fail(|| format!("cannot write {}", file.display()))
}

/// Sequences of so many that the couplings of all pairs are averaged over within [`MOST_WORK`]; none if too few.
fn averaged(sites: usize, hidden: usize, sequences: usize) -> Option<usize> {
    let each = (sites as u64 * (sites as u64 - 1) / 2).saturating_mul(hidden as u64).max(1);
    let room = (MOST_WORK / each).saturating_sub(AVERAGES);
    let all = (sequences as u64).min(ENOUGH_SEQUENCES);
    (room >= LEAST_SEQUENCES.min(all)).then(|| room.min(all) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_of_a_long_alignment_is_averaged_over_fewer_sequences_or_left_out() {
        assert_eq!(averaged(53, 100, 10_000), Some(1000));
        assert_eq!(averaged(6, 8, 40), Some(40));
        let some = averaged(105, 100, 10_000).unwrap();
        assert!((200..1000).contains(&some), "{some}");
        assert_eq!(averaged(202, 100, 10_000), None);
        assert_eq!(averaged(2000, 100_000, 10), None);
    }
}
