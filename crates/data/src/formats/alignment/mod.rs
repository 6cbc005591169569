//! Alignments: sequences of one length, a letter a site. What a file is, its first line says.
//!
//! ```text
//! FASTA, A2M, A3M   >NAME DESCRIPTION     Stockholm   # STOCKHOLM 1.0
//!                   LETTERS                           NAME LETTERS
//!                   LETTERS                           #=GC RF LETTERS
//!                                                     //
//! ```
//!
//! The letters of a sequence may stand in one line or in several. A sequence is called by the first word behind `>`.
//! A2M and A3M have insert columns in lower case (see [`inserts`]). Sources: Pearson & Lipman 1988 (FASTA), the SAM and
//! HH-suite manuals (A2M, A3M), the Pfam and HMMER user guides (Stockholm).

mod encode;
mod inserts;
mod stockholm;
mod table;
mod weights;

use std::io::Read;
use std::path::Path;

use super::lines::Lines;
use super::stream;
use crate::error::{Error, LineError};
use crate::memory::room::Room;
use crate::schema::options::LoadOptions;
use crate::tables::sequences::Sequences;
use crate::text::shown;

pub(crate) use self::table::{letters, tables};

/// Names of A3M's rows that are no sequences but what a structure is like.
const STRUCTURES: [&str; 5] = ["ss_dssp", "sa_dssp", "ss_pred", "ss_conf", "aa_pred"];

/// Reads a file, or standard input, which is called `-`.
pub(crate) fn read(path: &Path, options: &LoadOptions) -> Result<Sequences, Error> {
    let path = if path == Path::new("-") { Path::new("/dev/stdin") } else { path };
    let stream::Text { bytes, is_windows, stored, .. } = stream::open(path)?;
    let mut lines = Lines::new(path, bytes);
    let mut all = Sequences { what: path.display().to_string(), ..Sequences::default() };
    let room = Room::of(options.max_memory);
    let first = loop {
        match lines.next()? {
            Some((_, b"")) => {}
            Some((_, text)) => break text.to_vec(),
            None => return Err(all.refuse("there are no sequences: the file is empty")),
        }
    };
    if first.starts_with(b"CLUSTAL") || first.starts_with(b"PileUp") || first.starts_with(b"#NEXUS") {
        let reason = "an alignment of Clustal, MSF or NEXUS, which is not read: convert it to FASTA or Stockholm";
        return Err(all.refuse(reason));
    }
    if first.starts_with(b"# STOCKHOLM") {
        stockholm::read(path, &mut lines, &mut all, room)?;
    } else {
        fasta(path, &first, &mut lines, &mut all, room)?;
    }
    if all.rows.is_empty() {
        return Err(all.refuse("there are no sequences"));
    }
    let stored = stored.iter().map(|how| format!("stored as {how}"));
    all.notes.splice(0..0, stored.chain(is_windows.note()));
    inserts::settle(&mut all, options);
    Ok(all)
}

/// FASTA, A2M or A3M; `first` is the first line with something in it.
fn fasta<R: Read>(
    path: &Path,
    first: &[u8],
    lines: &mut Lines<R>,
    all: &mut Sequences,
    room: Room,
) -> Result<(), Error> {
    let (mut structures, mut is_structure) = (0, false);
    let mut line = (1, first.to_vec());
    loop {
        let (number, text) = &line;
        match text.first() {
            Some(b'>') => {
                let header = text.trim_ascii_start();
                let start = header.iter().position(|&byte| byte != b'>').unwrap_or(header.len());
                let name = header[start..].split(u8::is_ascii_whitespace).find(|word| !word.is_empty());
                let name = shown(name.unwrap_or_default());
                is_structure = STRUCTURES.contains(&name.as_str());
                structures += usize::from(is_structure);
                if !is_structure {
                    all.begin(path, name, *number, room)?;
                }
            }
            // Comments stand before the first sequence, or begin a line.
            None | Some(b';') => {}
            Some(b'#') if all.rows.is_empty() => {}
            Some(_) if is_structure => {}
            Some(_) if all.rows.is_empty() => {
                let reason = "begins no sequence: a sequence begins with a line of > and its name".into();
                return Err(LineError::Unfit { path: path.into(), line: *number, reason }.into());
            }
            Some(_) => all.extend(path, all.rows.len() - 1, text, room)?,
        }
        match lines.next()? {
            Some((number, text)) => line = (number, text.to_vec()),
            None => break,
        }
    }
    if structures > 0 {
        all.notes.push(format!("{structures} rows of secondary structure (ss_pred and the like) left out"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
