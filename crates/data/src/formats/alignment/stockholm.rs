//! Stockholm: a line a sequence, or a line a sequence in each of several blocks.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, LineError};
use crate::formats::lines::Lines;
use crate::memory::room::Room;
use crate::tables::sequences::Sequences;
use crate::text::shown;

/// Reads what stands behind the first line.
pub(super) fn read<R: Read>(path: &Path, lines: &mut Lines<R>, all: &mut Sequences, room: Room) -> Result<(), Error> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut is_over = false;
    while let Some((number, text)) = lines.next()? {
        let refuse = |reason: &str| LineError::Unfit { path: path.into(), line: number, reason: reason.into() };
        if text.is_empty() {
            continue;
        }
        if is_over {
            return Err(refuse("begins another alignment: a file to read has one, so write each into its own").into());
        }
        let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (name, letters, more) = (words.next().unwrap_or_default(), words.next(), words.next());
        match (name, letters) {
            (b"//", _) => is_over = true,
            (b"#=GC", Some(b"RF")) => all.reference.extend(more.unwrap_or_default()),
            (name, _) if name.starts_with(b"#") => {}
            (name, Some(letters)) if more.is_none() => {
                let name = shown(name);
                let place = if let Some(&place) = places.get(&name) {
                    place
                } else {
                    places.insert(name.clone(), all.len());
                    all.begin(path, name, number, room)?;
                    all.len() - 1
                };
                all.extend(path, place, letters, room)?;
            }
            _ => return Err(refuse("is no name and the letters of its sequence, as lines of Stockholm are").into()),
        }
    }
    Ok(())
}
