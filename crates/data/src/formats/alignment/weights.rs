//! A file of the sequences' weights: a line a sequence, the weight alone or behind the sequence's name. Comments begin
//! with `#`.

use std::collections::HashMap;
use std::path::Path;

use crate::error::{Error, LineError};
use crate::formats::dialect::number;
use crate::formats::lines::Lines;
use crate::formats::stream;
use crate::tables::sequences::Sequences;
use crate::text::shown;

/// The weight of every sequence.
pub(super) fn read(path: &Path, all: &Sequences) -> Result<Vec<f32>, Error> {
    let mut lines = Lines::new(path, stream::open(path)?.bytes);
    let (mut listed, mut named) = (Vec::new(), HashMap::new());
    while let Some((line, text)) = lines.next()? {
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let is_between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        let words: Vec<&[u8]> = text.split(is_between).filter(|word| !word.is_empty()).collect();
        let (name, weight) = match words[..] {
            [weight] => (None, weight),
            [name, weight] => (Some(shown(name)), weight),
            _ => (None, text),
        };
        let weight = number(weight, false).map(|x| x as f32).filter(|x| *x >= 0.0 && x.is_finite());
        let is_alike = if name.is_some() { listed.is_empty() } else { named.is_empty() };
        let Some(weight) = weight.filter(|_| is_alike) else {
            let reason = "is no weight: every line has a number from 0 up, or every line a name and a number".into();
            return Err(LineError::Unfit { path: path.into(), line, reason }.into());
        };
        if let Some(name) = name {
            named.insert(name, weight);
        } else {
            listed.push(weight);
        }
    }
    let refuse = |reason| Error::Alignment { what: path.display().to_string(), reason };
    if named.is_empty() {
        if listed.len() != all.len() {
            return Err(refuse(format!(
                "{} weights, expected {} as {} has sequences",
                listed.len(),
                all.len(),
                all.what
            )));
        }
        return Ok(listed);
    }
    let of = |name: &String| named.get(name).copied().ok_or_else(|| refuse(format!("no weight of sequence {name:?}")));
    all.names.iter().map(of).collect()
}
