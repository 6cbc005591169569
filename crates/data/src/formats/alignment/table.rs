//! From sequences to a table: a site a categorical column, all of one alphabet.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use deepbelief_kernels::UNKNOWN_LETTER;

use super::encode::{Coded, NAMED, encode};
use super::weights;
use crate::error::Error;
use crate::memory::room::{Room, reserve};
use crate::number::shown;
use crate::schema::alignment::AlignmentOptions;
use crate::schema::columns::Schema;
use crate::schema::options::LoadOptions;
use crate::tables::aligned::{Aligned, RICH};
use crate::tables::block::{Block, BlockValues};
use crate::tables::sequences::Sequences;
use crate::tables::table::{Reading, Table, Tables, check_units};
use crate::tables::values::Values;

/// Share of equal letters of effective numbers, where nobody asks for another.
const IDENTITY: f64 = 0.8;

/// The letters of sequences, a block a site, as files of them have it; what is unknown has none.
pub(crate) fn letters(all: &Sequences, options: &LoadOptions) -> Result<Vec<Block>, Error> {
    let read = read(all, options, true)?;
    let texts: Vec<String> = read.alphabet.levels().into_iter().chain([String::new()]).collect();
    let place = |&level: &u8| if level == UNKNOWN_LETTER { texts.len() as u32 - 1 } else { level.into() };
    let of = |site: usize| {
        let places = read.levels.iter().skip(site).step_by(read.sites).map(place).collect();
        Block::column((site + 1).to_string(), BlockValues::Texts { texts: texts.clone(), places })
    };
    Ok((0..read.sites).map(of).collect())
}

/// Sequences as one-hot values. Where they are only looked at, those of another length are left out, and what is missing
/// is NaN.
pub(crate) fn tables(all: &Sequences, options: &LoadOptions, learn: bool) -> Result<Tables, Error> {
    let mut read = read(all, options, learn)?;
    let (letters, sites) = (read.alphabet.len(), read.sites);
    check_units(sites as u128 * letters as u128, &all.what)?;
    let path = Path::new(&all.what);
    let room = Room::of(options.max_memory);
    let cells = read.of.len() * sites * letters;
    let has_gaps = read.levels.contains(&UNKNOWN_LETTER);
    room.require(&all.what, all.letters + (if learn { 1 } else { size_of::<f32>() } * cells) as u128)?;
    let schema = match &options.schema {
        Some(schema) => schema.clone(),
        None => Schema::of_alignment(read.alphabet.clone(), sites),
    };
    let mut table = if has_gaps && !learn {
        let mut values: Vec<f32> = Vec::new();
        reserve(path, &mut values, cells)?;
        for &level in &read.levels {
            let is_unknown = level == UNKNOWN_LETTER;
            values.extend(
                (0..letters).map(|l| if is_unknown { f32::NAN } else { f32::from(u8::from(l == usize::from(level))) }),
            );
        }
        Table::new(&all.what, sites * letters, Values::Floats(values))
    } else {
        let missing = has_gaps.then(|| missing(&read));
        fill(&mut read);
        let mut values: Vec<u8> = Vec::new();
        reserve(path, &mut values, cells)?;
        for &level in &read.levels {
            values.extend((0..letters).map(|l| u8::from(l == usize::from(level))));
        }
        Table { missing, ..Table::new(&all.what, sites * letters, Values::Bytes(values)) }
    };
    table.lines = Some(read.of.iter().map(|&sequence| all.lines[sequence]).collect());
    table.columns = Some((0..sites).flat_map(|site| std::iter::repeat_n(site, letters)).collect());
    table.ids = Some(read.of.iter().map(|&sequence| all.names[sequence].clone()).collect());
    table.weights = read.weights;
    table.clusters = read.clusters;
    let notes = all.notes.iter().cloned().chain(read.notes).collect();
    let alignment = Some(Box::new(read.found));
    Ok(Tables {
        reading: Some(Reading { schema, notes, doubts: read.doubts, alignment, ..Reading::default() }),
        ..Tables::of(table)
    })
}

/// Which values are missing: a bit for each level of a site, every row from a word of its own on.
fn missing(read: &Coded) -> Vec<u32> {
    let letters = read.alphabet.len();
    let words = (read.sites * letters).div_ceil(32);
    let mut missing = vec![0u32; read.of.len() * words];
    for (row, levels) in missing.chunks_mut(words.max(1)).zip(read.levels.chunks(read.sites)) {
        for (site, _) in levels.iter().enumerate().filter(|(_, level)| **level == UNKNOWN_LETTER) {
            (site * letters..(site + 1) * letters).for_each(|unit| row[unit / 32] |= 1 << (unit % 32));
        }
    }
    missing
}

/// Puts the most frequent letter of its site wherever one is unknown.
fn fill(read: &mut Coded) {
    let letters = read.alphabet.len();
    let mut counts = vec![0u32; read.sites * letters];
    for levels in read.levels.chunks(read.sites) {
        for (site, level) in levels.iter().enumerate().filter(|(_, level)| **level != UNKNOWN_LETTER) {
            counts[site * letters + usize::from(*level)] += 1;
        }
    }
    let most = |counts: &[u32]| (1..letters).fold(0, |most, l| if counts[l] > counts[most] { l } else { most }) as u8;
    let most: Vec<u8> = counts.chunks(letters).map(most).collect();
    for levels in read.levels.chunks_mut(read.sites) {
        levels.iter_mut().zip(&most).filter(|(level, _)| **level == UNKNOWN_LETTER).for_each(|(level, &l)| *level = l);
    }
}

/// Coded of the sequences that are left, with what was found in them.
fn read(all: &Sequences, options: &LoadOptions, learn: bool) -> Result<Coded, Error> {
    let asked = &options.alignment;
    asked.validate()?;
    let mut found = Aligned { sequences: all.len(), inserts: all.inserts.clone(), ..Aligned::default() };
    let of = of_one_length(all, options, learn, &mut found)?;
    // Letters of sequences that are not aligned say little, so their lengths are complained of first.
    let lengths = (found.unequal > 0).then(|| unequal(all, &found));
    let mut read = encode(all, options, of, found).map_err(|error| lengths.unwrap_or(error))?;
    if let Some(path) = &asked.weights {
        let weights = weights::read(path, all)?;
        read.weights = Some(read.of.iter().map(|&sequence| weights[sequence]).collect());
    }
    look(&mut read);
    choose(all, asked, &mut read)?;
    if options.schema.is_none() && read.of.len() == 1 {
        let left = if all.len() == 1 { "" } else { " is left" };
        return Err(all.refuse(format!("one sequence{left}: a model is learned from many")));
    }
    reweigh(asked, learn, &mut read);
    if let Some(weights) = read.weights.as_ref().filter(|_| !learn) {
        let mut each: Vec<(String, f32)> = all.names.iter().map(|name| (name.clone(), 0.0)).collect();
        for (&sequence, &weight) in read.of.iter().zip(weights) {
            each[sequence].1 = weight;
        }
        read.found.weights = each;
    }
    if let Some(share) = asked.clusters {
        cluster(share, &mut read);
    }
    Ok(read)
}

/// The sequences that have the length of most, or of the model's.
fn of_one_length(
    all: &Sequences,
    options: &LoadOptions,
    learn: bool,
    found: &mut Aligned,
) -> Result<Vec<usize>, Error> {
    let mut lengths: HashMap<usize, usize> = HashMap::new();
    all.rows.iter().for_each(|row| *lengths.entry(row.len()).or_default() += 1);
    let usual = lengths.iter().max_by_key(|&(length, count)| (*count, *length)).map_or(0, |(length, _)| *length);
    found.sites = usual;
    let (of, others): (Vec<usize>, Vec<usize>) = (0..all.len()).partition(|&row| all.rows[row].len() == usual);
    if let Some(&first) = others.first() {
        let letters = all.rows[first].len();
        (found.unequal, found.first_unequal) =
            (others.len(), Some(format!("{}, with {letters} letters", all.called(first))));
        if learn || of.len() < 2 {
            return Err(unequal(all, found));
        }
    }
    if usual == 0 {
        return Err(all.refuse("the sequences have no letters"));
    }
    let Some(schema) = &options.schema else { return Ok(of) };
    let (Some(_), expected) = (schema.alphabet(), schema.each().count()) else {
        return Err(all.refuse("this is an alignment, and the model's data are none"));
    };
    if usual != expected {
        let reason = format!("the sequences have {usual} sites, expected {expected} as in the model's alignment");
        return Err(all.refuse(reason));
    }
    Ok(of)
}

/// Refuses sequences of another length than most.
fn unequal(all: &Sequences, found: &Aligned) -> Error {
    all.refuse(format!(
        "{} of {} sequences have another length than the {} sites of most, the first {}: align them, or leave them out",
        found.unequal,
        all.len(),
        found.sites,
        found.first_unequal.as_deref().unwrap_or_default()
    ))
}

/// The share of a level in a sequence.
fn share(row: &[u8], level: u8) -> f64 {
    row.iter().map(|&other| usize::from(other == level)).sum::<usize>() as f64 / row.len() as f64
}

/// Counts duplicates, and sequences and sites that are rich in gaps.
fn look(read: &mut Coded) {
    let sites = read.sites;
    let mut seen: HashSet<&[u8]> = HashSet::new();
    read.found.duplicates = read.levels.chunks(sites).filter(|row| !seen.insert(row)).count();
    let Some(gap) = read.alphabet.gap() else { return };
    let (mut gaps, rows) = (vec![0usize; sites], read.of.len());
    for row in read.levels.chunks(sites) {
        row.iter().zip(&mut gaps).for_each(|(&level, count)| *count += usize::from(level == gap));
        read.found.gap_rich += usize::from(share(row, gap) > RICH);
    }
    read.found.gap_rich_sites = (1..=sites).filter(|site| gaps[site - 1] as f64 > RICH * rows as f64).collect();
    let mut letters = vec![false; sites];
    for row in read.levels.chunks(sites) {
        letters.iter_mut().zip(row).for_each(|(has, &level)| *has |= level != gap && level != UNKNOWN_LETTER);
    }
    read.found.empty_sites = (1..=sites).filter(|site| !letters[site - 1]).collect();
}

/// Leaves out what is not to be learned from, and says so.
fn choose(all: &Sequences, asked: &AlignmentOptions, read: &mut Coded) -> Result<(), Error> {
    let (sites, rows) = (read.sites, read.of.len());
    let empty = &read.found.empty_sites;
    if empty.len() == sites {
        return Err(all.refuse("all sites have gaps alone: there is nothing to learn"));
    }
    if !empty.is_empty() {
        let named: Vec<String> = empty.iter().take(NAMED).map(ToString::to_string).collect();
        let more = if empty.len() > NAMED { ", ..." } else { "" };
        read.doubts.push(format!(
            "{} of {sites} sites have no letter but gaps ({}{more}): nothing can be learned there, so leave them out of the alignment",
            empty.len(),
            named.join(", ")
        ));
    }
    let mut keep = vec![true; rows];
    if let (Some(most), Some(gap)) = (asked.max_gaps, read.alphabet.gap()) {
        for (keep, row) in keep.iter_mut().zip(read.levels.chunks(sites)) {
            *keep = share(row, gap) <= most;
        }
        let out = keep.iter().filter(|&&keep| !keep).count();
        read.notes.push(format!("{out} of {rows} sequences have more than {} of gaps: left out", percent(most)));
        if out == rows {
            return Err(all.refuse(format!("no sequence is left: all have more than {} of gaps", percent(most))));
        }
    }
    if asked.deduplicate {
        let mut first: HashMap<&[u8], usize> = HashMap::new();
        let mut out = 0;
        for (row, levels) in read.levels.chunks(sites).enumerate() {
            if !keep[row] {
                continue;
            }
            let place = *first.entry(levels).or_insert(row);
            if place != row {
                (keep[row], out) = (false, out + 1);
                if let Some(weights) = &mut read.weights {
                    weights[place] += weights[row];
                }
            }
        }
        read.notes.push(format!("{out} of {rows} sequences are the same as one before: left out"));
    }
    if keep.contains(&false) {
        let mut kept = keep.iter();
        read.of.retain(|_| *kept.next().unwrap_or(&true));
        let mut kept = keep.iter().flat_map(|keep| std::iter::repeat_n(keep, sites));
        read.levels.retain(|_| *kept.next().unwrap_or(&true));
        if let Some(weights) = &mut read.weights {
            let mut kept = keep.iter();
            weights.retain(|_| *kept.next().unwrap_or(&true));
        }
    }
    Ok(())
}

/// Weighs sequences by the inverse number of their neighbours, if that is asked for; counts these in any case where the
/// alignment is looked at.
fn reweigh(asked: &AlignmentOptions, learn: bool, read: &mut Coded) {
    if asked.reweight.is_none() && (learn || read.of.len() < 2) {
        return;
    }
    let identity = asked.reweight.unwrap_or(IDENTITY);
    let least = least(identity, read.sites);
    let sequences = deepbelief_kernels::Sequences::new(&read.levels, read.sites);
    let inverse: Vec<f64> =
        sequences.neighbours(&read.levels, least).into_iter().map(|count| 1.0 / f64::from(count)).collect();
    let effective: f64 = inverse.iter().sum();
    read.found.effective = Some((identity, effective));
    if asked.reweight.is_some() {
        let mean = effective / inverse.len() as f64;
        read.weights = Some(inverse.into_iter().map(|x| (x / mean) as f32).collect());
        read.notes.push(format!(
            "weights: the inverse number of neighbours of {} equal letters; {} sequences count as {effective:.1}",
            percent(identity),
            read.of.len()
        ));
    }
}

/// Puts each sequence into a cluster.
fn cluster(share: f64, read: &mut Coded) {
    let clusters = deepbelief_kernels::Sequences::clusters(&read.levels, read.sites, least(share, read.sites));
    let all = clusters.iter().max().map_or(0, |&last| last as usize + 1);
    let mut sizes = vec![0usize; all];
    for &cluster in &clusters {
        sizes[cluster as usize] += 1;
    }
    read.notes.push(format!(
        "clusters: {all}, whose sequences have {} of the letters in common with the first of each; the largest has {}",
        percent(share),
        sizes.iter().max().copied().unwrap_or_default()
    ));
    read.clusters = Some(clusters);
}

/// Letters that make a share of the sites. What rounding adds must not count for one more.
fn least(share: f64, sites: usize) -> usize {
    (share * sites as f64 - 1e-9).ceil() as usize
}

/// `80 %`.
fn percent(share: f64) -> String {
    format!("{} %", shown((share * 1000.0).round() / 10.0))
}
