//! Files of other formats of text that were named as CSV.

use std::path::Path;

use super::dialect::number;
use crate::error::Error;

/// Lines that are looked at.
const LINES: usize = 20;

/// Refuses what is an ARFF file or a table of svmlight by its start.
pub(crate) fn refuse(path: &Path, start: &[u8]) -> Result<(), Error> {
    let foreign = |kind, hint| Err(Error::Foreign { path: path.into(), kind, hint });
    let lines = start.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let mut lines = lines.filter(|line| !matches!(line[0], b'#' | b'%')).take(LINES).peekable();
    if lines.peek().is_some_and(|line| line.len() >= 9 && line[..9].eq_ignore_ascii_case(b"@relation")) {
        return foreign("an ARFF file", "name it arff:FILE");
    }
    // The last line may be torn.
    let pairs: Vec<Option<usize>> = lines.map(pairs).collect();
    let known = &pairs[..pairs.len() - usize::from(pairs.len() > 1)];
    if known.iter().all(Option::is_some) && known.iter().flatten().any(|&pairs| pairs > 1) {
        return foreign("an svmlight file", "name it svm:FILE");
    }
    Ok(())
}

/// How many features a line of svmlight has, whose indices rise; nothing if it is none.
fn pairs(line: &[u8]) -> Option<usize> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    number(words.next()?, false)?;
    let (mut count, mut last) = (0, None);
    for word in words.take_while(|word| !word.starts_with(b"#")) {
        let (index, value) = std::str::from_utf8(word).ok()?.split_once(':')?;
        let index: u64 = index.parse().ok().filter(|&index| Some(index) > last)?;
        number(value.as_bytes(), false)?;
        (count, last) = (count + 1, Some(index));
    }
    Some(count)
}
