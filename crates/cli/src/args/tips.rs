//! What a mistyped command is answered: in words of the field, with the command that was meant.

use crate::options::SOURCES;
use clap::Error;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use deepbelief_data::Source;
use std::error::Error as _;
use std::ffi::OsString;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};

/// An error of the command line `words` with the tip that fits.
pub(super) fn improved(error: Error, words: &[OsString]) -> Error {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let error = in_words(error);
    match tip(&error, &words) {
        Some(tip) => with_tip(error, tip),
        None => without_escape(error),
    }
}

/// Without the tip to give a mistyped option as a value, which is never meant.
fn without_escape(mut error: Error) -> Error {
    match error.remove(ContextKind::Suggested) {
        Some(ContextValue::StyledStrs(mut tips)) => {
            tips.retain(|tip| !tip.to_string().contains(" as a value, use "));
            if !tips.is_empty() {
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
            }
        }
        Some(other) => {
            error.insert(ContextKind::Suggested, other);
        }
        None => {}
    }
    error
}

fn with_tip(mut error: Error, tip: String) -> Error {
    error.remove(ContextKind::SuggestedArg);
    error.remove(ContextKind::SuggestedSubcommand);
    error.remove(ContextKind::Usage);
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    error
}

/// The text of what an error is about.
fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

/// What was meant.
fn tip(error: &Error, words: &[String]) -> Option<String> {
    let verb = words.get(1).map_or("", String::as_str);
    if error.kind() == ErrorKind::InvalidSubcommand {
        return of_verb(&text(error, ContextKind::InvalidSubcommand)?);
    }
    let about = text(error, ContextKind::InvalidArg)?;
    match (error.kind(), verb, about.split([' ', '=']).next()?) {
        (ErrorKind::UnknownArgument, "stack", "--hidden") => {
            let hidden = value_of(words, "--hidden").unwrap_or("500");
            Some(format!("a stack lists the hidden units of its layers: --layers {hidden},{hidden}"))
        }
        (ErrorKind::UnknownArgument, "pretrain", "--layers") => {
            let layers = value_of(words, "--layers").unwrap_or("500,500,2000");
            Some(format!(
                "an RBM has one layer of hidden units, --hidden N; train a net of several with `dbn stack --layers {layers}`"
            ))
        }
        (
            ErrorKind::UnknownArgument,
            "check" | "pretrain" | "stack" | "tune" | "finetune" | "classify",
            "--label" | "--labels-column" | "--class",
        ) => {
            let column = value_of(words, &about).unwrap_or("class");
            Some(format!(
                "of a table, --label-column {column} names the column of labels; an archive of arrays has them as `y`"
            ))
        }
        (ErrorKind::UnknownArgument, "stack", word) if word.parse::<u32>().is_ok() => {
            let is_number = |word: &&str| word.parse::<u32>().is_ok();
            let after = words.iter().map(String::as_str).skip_while(|&word| word != "--layers").skip(1);
            let layers: Vec<&str> = after.take_while(is_number).collect();
            let layers = if layers.is_empty() { vec!["500", "500", "2000"] } else { layers };
            Some(format!("a comma separates layers: --layers {}", layers.join(",")))
        }
        (ErrorKind::UnknownArgument, "tune", "--epochs") => {
            let epochs = value_of(words, "--epochs").unwrap_or("100");
            Some(format!(
                "`dbn tune` takes its epochs with the Gibbs steps of the top, as steps x epochs: --top-steps 3x{epochs}"
            ))
        }
        (ErrorKind::UnknownArgument, "tune", "--cd-steps") => {
            Some("the Gibbs steps of the top are steps x epochs: --top-steps 3x100,6x100".into())
        }
        (ErrorKind::UnknownArgument, "tune", "--learning-rate") => {
            Some("each part of the net has a rate of its own: --wake-rate, --sleep-rate and --top-rate".into())
        }
        (ErrorKind::UnknownArgument, _, word) if !word.starts_with('-') => of_data(verb, word),
        (ErrorKind::MissingRequiredArgument, "tune" | "finetune", "<CKPT>") => Some(format!(
            "name a checkpoint or a run folder, such as `dbn {verb} runs/deep`, or start from random weights with \
             --from-scratch --layers 500,500,2000"
        )),
        (ErrorKind::MissingRequiredArgument, "compare", "<A>" | "<B>") => Some(
            "name two checkpoints or run folders, such as `dbn compare runs/a runs/b`; `dbn runs` lists the runs in the \
             folder runs"
                .into(),
        ),
        (ErrorKind::MissingRequiredArgument, "report", _) => Some(
            "name a run folder, such as `dbn report runs/mnist-500`; `dbn runs` lists the runs in the folder runs"
                .into(),
        ),
        (ErrorKind::MissingRequiredArgument, _, "<CKPT>") => {
            Some("name a checkpoint or a run folder; `dbn runs` lists the runs in the folder runs".into())
        }
        _ => None,
    }
}

/// What does the work of a verb that there is not.
fn of_verb(verb: &str) -> Option<String> {
    let tip = "`dbn show RUN --filters weights.png` draws the weights of a model, `dbn export RUN --as npz --out \
               weights.npz` writes them; `dbn check fasta:FILE --reweight 0.8 --weights-out weights.txt` writes those \
               of sequences";
    (verb == "weights").then(|| tip.to_string())
}

/// The value that a flag was given.
fn value_of<'a>(words: &'a [String], flag: &str) -> Option<&'a str> {
    let place = words.iter().position(|word| word.split('=').next() == Some(flag))?;
    let next = words.get(place + 1).map(String::as_str).filter(|next| !next.starts_with('-'));
    words[place].split_once('=').map(|(_, value)| value).or(next)
}

/// A word that may name data.
fn of_data(verb: &str, word: &str) -> Option<String> {
    if !["pretrain", "stack", "tune", "finetune"].contains(&verb) {
        return None;
    }
    if word.parse::<Source>().is_ok() {
        return Some(format!("give data with --data {word}"));
    }
    std::path::Path::new(word).exists().then(|| format!("give data with --data and their format. {SOURCES}"))
}

/// What a value must be, in words, where a parser of Rust's own says it.
fn in_words(error: Error) -> Error {
    let (ErrorKind::ValueValidation, Some(source)) = (error.kind(), error.source()) else { return error };
    let expected = if let Some(wrong) = source.downcast_ref::<ParseIntError>() {
        match wrong.kind() {
            IntErrorKind::PosOverflow => "the number is too large".to_string(),
            _ => "expected a whole number, such as 10".to_string(),
        }
    } else if source.downcast_ref::<ParseFloatError>().is_some() {
        "expected a number, such as 0.1".to_string()
    } else if let Some(range) = source.to_string().split_once(" is not in ").map(|(_, range)| range.to_string()) {
        in_range(&range)
    } else {
        return error;
    };
    let (Some(arg), Some(value)) = (text(&error, ContextKind::InvalidArg), text(&error, ContextKind::InvalidValue))
    else {
        return error;
    };
    Error::raw(
        ErrorKind::ValueValidation,
        format!("invalid value '{value}' for '{arg}': {expected}\n\nFor more information, try '--help'.\n"),
    )
}

/// A range as Rust writes it, in words.
fn in_range(range: &str) -> String {
    match range.split_once("..") {
        Some((from, "")) => format!("expected a whole number from {from} up"),
        Some((from, to)) => match to.strip_prefix('=') {
            Some(to) if to.len() >= u32::MAX.to_string().len() => format!("expected a whole number from {from} up"),
            Some(to) => format!("expected a whole number from {from} to {to}"),
            None => format!("expected a whole number from {from}, below {to}"),
        },
        None => format!("expected a whole number in {range}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::args::parsed;

    fn answer(words: &str) -> String {
        let words: Vec<_> = std::iter::once("dbn").chain(words.split(' ')).map(Into::into).collect();
        parsed(&words).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn what_was_meant_is_named() {
        for (words, tip) in [
            ("stack --hidden 300", "--layers 300,300"),
            ("stack --hidden --epochs 3", "--layers 500,500"),
            ("stack --layers 20 10 --epochs 3", "--layers 20,10\n"),
            ("stack --data csv:t.csv --label=kind", "--label-column kind names"),
            ("pretrain --layers 300,20", "`dbn stack --layers 300,20`"),
            ("tune", "--from-scratch --layers"),
            ("tune r --epochs 3", "--top-steps 3x3"),
            ("tune r --learning-rate=0.1", "--wake-rate, --sleep-rate and --top-rate"),
            ("tune r --cd-steps 3", "--top-steps 3x100"),
            ("sample", "`dbn runs` lists"),
            ("compare", "such as `dbn compare runs/a runs/b`"),
            ("compare runs/a", "such as `dbn compare runs/a runs/b`"),
            ("report", "such as `dbn report runs/mnist-500`"),
            ("weights runs/a", "`dbn export RUN --as npz --out weights.npz` writes them"),
            ("pretrain mnist", "give data with --data mnist"),
            ("pretrain csv:mine.csv", "give data with --data csv:mine.csv"),
            ("pretrain Cargo.toml", "and their format. Sources: mnist, idx:DIR"),
        ] {
            assert!(answer(words).contains(tip), "{words}: {}", answer(words));
        }
        for words in ["tune r --epochs 3", "sample r --epochs 3"] {
            assert!(!answer(words).contains("as a value"), "{}", answer(words));
        }
        assert!(!answer("stack --hidden 300").contains("a similar argument"), "{}", answer("stack --hidden 300"));
    }

    #[test]
    fn numbers_are_asked_for_in_words() {
        for (words, expected) in [
            ("pretrain --epochs x", "'x' for '--epochs <N>': expected a whole number, such as 10"),
            ("pretrain --learning-rate x", "'x' for '--learning-rate <X>': expected a number, such as 0.1"),
            ("pretrain --batch-size -3", "'-3' for '--batch-size <N>': expected a whole number from 0 up"),
            ("eval x --chains 1", "'1' for '--chains <N>': expected a whole number from 2 to 100000"),
        ] {
            assert!(answer(words).contains(expected), "{words}: {}", answer(words));
        }
    }
}
