//! Columns that are no sites of the family but what some sequences have inserted.
//!
//! A2M and HMMER's Stockholm pad them: lower case or `.` in all sequences, so that all rows are of one length. A3M
//! leaves the `.` out, so that rows are of one length without their lower-case letters. Stockholm may say which they are,
//! in its line `#=GC RF`. Of FASTA lower case means nothing, or what is masked, and `.` is a gap.

use crate::schema::alignment::Inserts;
use crate::schema::alphabet::{Alphabet, GAPS};
use crate::schema::columns::Schema;
use crate::schema::options::LoadOptions;
use crate::tables::aligned::Inserted;
use crate::tables::sequences::Sequences;

const fn is_insert(letter: u8) -> bool {
    letter.is_ascii_lowercase() || letter == b'.'
}

/// Leaves insert columns out where there are some, and says so.
pub(super) fn settle(all: &mut Sequences, options: &LoadOptions) {
    let alphabet = options.schema.as_ref().and_then(Schema::alphabet).or(options.alignment.alphabet.as_ref());
    let how = options.alignment.inserts;
    if how == Inserts::Keep || alphabet.is_some_and(Alphabet::has_lower_case) {
        return;
    }
    let before = all.rows.iter().map(Vec::len).max().unwrap_or(0);
    if how == Inserts::Auto && is_whole(all, all.reference.len()) {
        let keep: Vec<bool> = all.reference.iter().map(|letter| !GAPS.contains(letter)).collect();
        let left = keep.iter().filter(|&&keep| keep).count();
        if left > 0 && left < keep.len() {
            leave_out(all, |column, _| !keep[column]);
            all.notes.push(format!("{} are left out, as the line #=GC RF says", columns(before - left, before)));
        }
        return;
    }
    if !all.rows.iter().flatten().any(|&letter| is_insert(letter)) {
        return;
    }
    let format = match how {
        Inserts::Drop => "as asked",
        _ if is_a2m(all) => "as A2M has them",
        // A2M may leave the `.` out too.
        _ if is_a3m(all) => "as A2M and A3M have them",
        _ => {
            all.notes.push(
                "lower-case letters are read as upper case and '.' as a gap, for they make no columns of their own \
                 (--inserts drop leaves them out)"
                    .into(),
            );
            return;
        }
    };
    leave_out(all, |_, letter| is_insert(letter));
    let left = all.rows.iter().map(Vec::len).max().unwrap_or(0);
    all.notes.push(format!(
        "lower-case letters and '.' are inserts and left out, {format}: {left} sites are left (--inserts keep reads them)"
    ));
}

/// Takes letters out of the rows, by their columns and what they are; those that are no gaps are kept beside.
fn leave_out(all: &mut Sequences, is_out: impl Fn(usize, u8) -> bool) {
    for (row, &line) in all.rows.iter_mut().zip(&all.lines) {
        let (mut column, mut after, first) = (0, 0, all.inserts.len());
        row.retain(|&letter| {
            let out = is_out(column, letter);
            column += 1;
            if !out {
                after += 1;
            } else if !GAPS.contains(&letter) {
                let open = all.inserts[first..].last_mut().filter(|inserted| inserted.after == after);
                match open {
                    Some(inserted) => inserted.letters.push(letter.into()),
                    None => all.inserts.push(Inserted { line, after, letters: char::from(letter).into() }),
                }
            }
            !out
        });
    }
}

fn columns(out: usize, of: usize) -> String {
    format!("{out} of {of} columns")
}

/// Whether all rows have this length.
fn is_whole(all: &Sequences, length: usize) -> bool {
    length > 0 && all.rows.iter().all(|row| row.len() == length)
}

/// Whether every column is one of inserts or one of sites, and some are of sites.
fn is_a2m(all: &Sequences) -> bool {
    let Some(first) = all.rows.first() else { return false };
    let alike = |row: &Vec<u8>| row.iter().zip(first).all(|(&a, &b)| is_insert(a) == is_insert(b));
    is_whole(all, first.len()) && !first.iter().all(|&letter| is_insert(letter)) && all.rows.iter().all(alike)
}

/// Whether rows are of one length without inserts. Where they are with them too, only letters count: gaps of `.` may be as
/// many in each row.
fn is_a3m(all: &Sequences) -> bool {
    let sites = |row: &Vec<u8>| row.iter().filter(|&&letter| !is_insert(letter)).count();
    let Some(first) = all.rows.first() else { return false };
    let length = sites(first);
    let letters_alone = || !all.rows.iter().flatten().any(|&letter| letter == b'.');
    length > 0 && all.rows.iter().all(|row| sites(row) == length) && (!is_whole(all, first.len()) || letters_alone())
}
