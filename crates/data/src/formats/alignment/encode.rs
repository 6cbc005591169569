//! The letters of sequences as levels of an alphabet: one that is known, asked for, or inferred from them.

use std::path::Path;

use deepbelief_kernels::UNKNOWN_LETTER;

use crate::error::Error;
use crate::memory::room::reserve;
use crate::schema::alignment::Unknown;
use crate::schema::alphabet::{Alphabet, Character, GAPS};
use crate::schema::columns::Schema;
use crate::schema::options::LoadOptions;
use crate::tables::aligned::Aligned;
use crate::tables::sequences::Sequences;
use crate::text::shown;

/// Sequences, sites or letters that a message names, at most.
pub(super) const NAMED: usize = 8;

/// Per cent of the letters, at most, that an alphabet may not have: with more it is another one.
const FOREIGN: u64 = 20;

/// Sequences as levels of one alphabet.
pub(super) struct Coded {
    pub(super) alphabet: Alphabet,
    pub(super) sites: usize,
    /// Which sequences of the file they are of.
    pub(super) of: Vec<usize>,
    /// `[sequences, sites]`.
    pub(super) levels: Vec<u8>,
    pub(super) weights: Option<Vec<f32>>,
    pub(super) clusters: Option<Vec<u32>>,
    pub(super) found: Aligned,
    pub(super) notes: Vec<String>,
    pub(super) doubts: Vec<String>,
}

/// How often each character stands in the sequences.
type Counts = [u64; 256];

/// The letters of the sequences `of` a file as levels.
pub(super) fn encode(all: &Sequences, options: &LoadOptions, of: Vec<usize>, found: Aligned) -> Result<Coded, Error> {
    let mut counts: Counts = [0; 256];
    for &letter in of.iter().flat_map(|&row| &all.rows[row]) {
        counts[usize::from(letter)] += 1;
    }
    let mut notes = Vec::new();
    let alphabet = alphabet_of(all, options, &counts, &mut notes)?;
    refuse_foreign(all, &of, &counts, &alphabet)?;
    let unknown = unknown(all, &counts, &alphabet)?;
    let mut stand_in = UNKNOWN_LETTER;
    if !unknown.is_empty() {
        let are = match (options.alignment.unknown, alphabet.gap()) {
            (Unknown::Missing, _) => "missing values",
            (Unknown::Gap, Some(gap)) => {
                stand_in = gap;
                "gaps"
            }
            (Unknown::Gap, None) => {
                return Err(all.refuse(format!("--unknown is gap, but the alphabet {alphabet} has no gap")));
            }
            (Unknown::Error, _) => return Err(refuse_unknown(all, &of, &alphabet)),
        };
        let many: u64 = unknown.iter().map(|(_, count)| count).sum();
        let each = unknown.iter().take(NAMED).map(|(letter, count)| format!("{letter} {count}"));
        let listed = each.collect::<Vec<_>>().join(", ");
        notes.push(format!("letters that are not in the alphabet, taken for {are}: {many} ({listed})"));
    }
    let level: Vec<u8> = (0..=255).map(|c| alphabet.level(c).unwrap_or(stand_in)).collect();
    let mut levels = Vec::new();
    reserve(Path::new(&all.what), &mut levels, of.len() * found.sites)?;
    for &row in &of {
        levels.extend(all.rows[row].iter().map(|&letter| level[usize::from(letter)]));
    }
    let found = Aligned { unknown, alphabet: alphabet.described(), ..found };
    let doubts = alphabet.doubt(&counts).into_iter().collect();
    let sites = found.sites;
    Ok(Coded { alphabet, sites, of, levels, weights: None, clusters: None, found, notes, doubts })
}

/// The alphabet of a model, the one that is asked for, or the one that is inferred, which is said.
fn alphabet_of(
    all: &Sequences,
    options: &LoadOptions,
    counts: &Counts,
    notes: &mut Vec<String>,
) -> Result<Alphabet, Error> {
    let known = options.schema.as_ref().and_then(Schema::alphabet).or(options.alignment.alphabet.as_ref());
    if let Some(alphabet) = known {
        return Ok(alphabet.clone());
    }
    let mut upper: Counts = [0; 256];
    for (c, count) in (0..=255u8).zip(counts) {
        upper[usize::from(c.to_ascii_uppercase())] += count;
    }
    let has_gaps = GAPS.iter().any(|&gap| counts[usize::from(gap)] > 0);
    let alphabet = Alphabet::infer(&upper, has_gaps).map_err(|reason| all.refuse(reason))?;
    let gapless = if has_gaps { "" } else { ", without a gap, for there is none" };
    notes.push(format!(
        "alphabet inferred from the letters: {}{gapless} (--alphabet for another)",
        alphabet.described()
    ));
    Ok(alphabet)
}

/// Where the first character of a kind stands: the sequence and the letter, from 0.
fn first(all: &Sequences, of: &[usize], is_meant: impl Fn(u8) -> bool) -> (usize, usize) {
    let place = |&row: &usize| Some((row, all.rows[row].iter().position(|&c| is_meant(c))?));
    of.iter().find_map(place).unwrap_or_default()
}

/// Refuses what stands in no sequence, such as digits.
fn refuse_foreign(all: &Sequences, of: &[usize], counts: &Counts, alphabet: &Alphabet) -> Result<(), Error> {
    let is_foreign = |c: u8| alphabet.character(c) == Character::Foreign;
    if !(0..=255u8).any(|c| counts[usize::from(c)] > 0 && is_foreign(c)) {
        return Ok(());
    }
    let (row, site) = first(all, of, is_foreign);
    Err(all.refuse(format!(
        "sequence {}, letter {}: {:?} is no letter of a sequence; the alphabet is {}",
        all.called(row),
        site + 1,
        shown(&all.rows[row][site..=site]),
        alphabet.described()
    )))
}

/// The letters that the alphabet has not, the most frequent first; too many are refused.
fn unknown(all: &Sequences, counts: &Counts, alphabet: &Alphabet) -> Result<Vec<(char, u64)>, Error> {
    let is_unknown = |c: &u8| counts[usize::from(*c)] > 0 && alphabet.character(*c) == Character::Unknown;
    let mut unknown: Vec<(char, u64)> =
        (0..=255u8).filter(is_unknown).map(|c| (c.into(), counts[usize::from(c)])).collect();
    unknown.sort_by_key(|&(letter, count)| (u64::MAX - count, letter));
    let is_gap = |c: char| GAPS.iter().any(|&gap| char::from(gap) == c);
    let letters: u64 = counts.iter().sum::<u64>() - GAPS.iter().map(|&gap| counts[usize::from(gap)]).sum::<u64>();
    let others: Vec<(char, u64)> = unknown.iter().copied().filter(|(letter, _)| !is_gap(*letter)).collect();
    let foreign: u64 = others.iter().map(|(_, count)| count).sum();
    match others.first() {
        Some((letter, _)) if foreign * 100 > letters * FOREIGN => Err(all.refuse(format!(
            "{} % of the letters are not of the alphabet {}, the most frequent {letter:?}: name another alphabet, or use an \
             alignment of these letters",
            foreign * 100 / letters,
            alphabet.described()
        ))),
        _ => Ok(unknown),
    }
}

fn refuse_unknown(all: &Sequences, of: &[usize], alphabet: &Alphabet) -> Error {
    let (row, site) = first(all, of, |c| alphabet.character(c) == Character::Unknown);
    all.refuse(format!(
        "sequence {}, site {}: {:?} is not of the alphabet {}; --unknown missing takes such letters for missing values, gap \
         for gaps",
        all.called(row),
        site + 1,
        char::from(all.rows[row][site]),
        alphabet.described()
    ))
}
