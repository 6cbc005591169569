//! Reading TOML files, which are short: a device or the wrong file is not read to its end.

use crate::failure::{Explain, Failure, Result};
use std::io::{Error, ErrorKind, Read as _};
use std::path::Path;
use toml::Table;

/// Bytes of a file, at most. A schema has a few lines for each column.
pub(crate) const LONGEST: u64 = 16 << 20;

/// Reads a file as TOML; `what` is what it should be.
pub(crate) fn read(path: &Path, what: &str) -> Result<Table> {
    let name = path.display();
    let text = text_of(path).or_fail(|| format!("cannot read the {what} {name}"))?;
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        Failure::new(format!("{name}, line {line}: not TOML ({})", error.message()))
    })
}

fn text_of(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if read as u64 > LONGEST {
        return Err(Error::new(ErrorKind::InvalidData, format!("it is longer than {} MiB", LONGEST >> 20)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("recipe.toml");
        let of = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path, "recipe").map_err(|failure| failure.what().to_string())
        };
        assert_eq!(of("\u{feff}epochs = 3\n[top]\nhidden = 2\n"), of("epochs = 3\n[top]\nhidden = 2\n"));
        assert_eq!(of("\u{feff}# settings\n").unwrap(), Table::new());
        assert!(of("\u{feff}\nepochs = \n").unwrap_err().contains("line 2: not TOML"));
    }
}
