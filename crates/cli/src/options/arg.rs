//! Options as arguments of the command line.

use super::opt::{Kind, Opt, Verb, flag};
use clap::builder::{BoolValueParser, PossibleValuesParser, StringValueParser, TypedValueParser, ValueParser};
use clap::{Arg, ArgMatches, Command};
use toml::{Table, Value};

/// Adds the options of a verb to its command; `default` says what they are worth when they are not given.
pub(crate) fn add(command: Command, verb: Verb, default: impl Fn(&str) -> Option<String>) -> Command {
    let mut command = command;
    for (heading, options) in verb.groups() {
        for opt in options {
            let default = default(opt.key).or(opt.shown.map(str::to_string));
            command = command.arg(opt.arg(verb, default).help_heading(heading_of(opt, heading)));
            if let Some(name) = opt.was {
                command = command.arg(named(opt.valued(Arg::new(name), verb), name).hide(true));
            }
        }
    }
    command
}

/// The heading in help; an argument without a flag has none.
fn heading_of(opt: &Opt, heading: &'static str) -> Option<&'static str> {
    (!matches!(opt.kind, Kind::Checkpoint)).then_some(heading)
}

/// The options of a verb that were given, by key, and what to say of how they were given.
pub(crate) fn given(matches: &ArgMatches, verb: Verb) -> (Table, Vec<String>) {
    let (mut table, mut notes) = (Table::new(), Vec::new());
    let value = |opt: &Opt, id: &str| match opt.kind {
        Kind::Words(_) => matches.get_many(id).map(|values| Value::Array(values.cloned().collect())),
        _ => matches.get_one::<Value>(id).cloned(),
    };
    for opt in verb.options() {
        if let Some((name, value)) = opt.was.and_then(|name| Some((name, value(opt, name)?))) {
            notes.push(format!("{} is now called {}", flag(name), opt.flag()));
            table.insert(opt.key.into(), value);
        }
        if let Some(value) = value(opt, opt.key) {
            table.insert(opt.key.into(), value);
        }
    }
    (table, notes)
}

impl Opt {
    /// The argument of a verb.
    fn arg(&self, verb: Verb, default: Option<String>) -> Arg {
        let default = default.map_or(String::new(), |default| format!(" [default: {default}]"));
        let arg = self.valued(Arg::new(self.key), verb).help(format!("{}{default}", self.summary()));
        let arg = if self.more.is_empty() {
            arg
        } else {
            arg.long_help(format!("{}{default}\n\n{}", self.summary(), self.more))
        };
        match self.kind {
            Kind::Checkpoint => arg
                .required_unless_present_any(["resume", "from_scratch"])
                .conflicts_with_all(["resume", "from_scratch"]),
            _ if self.has_env => named(arg, self.key),
            _ => arg.long(fixed(self.key.replace('_', "-"))),
        }
    }

    /// The argument with the values that it takes.
    fn valued(&self, arg: Arg, verb: Verb) -> Arg {
        let arg = arg.value_name(self.value).hide_possible_values(true).allow_hyphen_values(self.may_begin_with_hyphen);
        if verb == Verb::Stack && self.per_layer {
            // What each value must be is known where they are merged with the recipe.
            return arg.value_parser(ValueParser::new(|text: &str| Ok::<_, String>(per_layer(text))));
        }
        let arg = arg.value_parser(self.kind.parser());
        match self.kind {
            Kind::Switch => arg.num_args(0..=1).default_missing_value("true"),
            Kind::Words(_) => arg.value_delimiter(','),
            _ => arg,
        }
    }
}

impl Kind {
    /// Reads a value.
    fn parser(self) -> ValueParser {
        match self {
            Self::Count => ValueParser::new(clap::value_parser!(u32).map(Value::from)),
            Self::Whole => ValueParser::new(whole),
            Self::Number => ValueParser::new(|text: &str| text.parse().map(|number: f64| Value::Float(number))),
            Self::Switch => ValueParser::new(BoolValueParser::new().map(Value::from)),
            Self::Text | Self::Checkpoint => ValueParser::new(StringValueParser::new().map(Value::from)),
            Self::Word(words) | Self::Words(words) => {
                ValueParser::new(PossibleValuesParser::new(words).map(Value::from))
            }
            Self::Sizes => ValueParser::new(sizes),
            Self::Rates => ValueParser::new(rates),
            Self::Parsed(parse) => ValueParser::new(parse),
        }
    }
}

/// A flag, and the environment variable that stands for it.
fn named(arg: Arg, key: &str) -> Arg {
    let env = fixed(format!("DBN_{}", key.to_uppercase()));
    arg.long(fixed(key.replace('_', "-"))).env(env).hide_env(true)
}

/// Text for as long as the program runs: the command line is defined once.
fn fixed(text: String) -> &'static str {
    text.leak()
}

fn whole(text: &str) -> Result<Value, String> {
    let number = text.parse().ok().filter(|&number: &i64| number >= 0).map(Value::Integer);
    number.ok_or_else(|| "expected a whole number from 0 to 9223372036854775807".to_string())
}

/// Units of the layers.
fn sizes(text: &str) -> Result<Value, String> {
    let size = |(place, word): (usize, &str)| {
        let wrong = format!("layer {} is '{word}', expected a whole number of units", place + 1);
        word.trim().parse().map(|units: u32| Value::from(units)).map_err(|_| wrong)
    };
    text.split(',').enumerate().map(size).collect::<Result<_, _>>().map(Value::Array)
}

/// A rate, or one a layer.
fn rates(text: &str) -> Result<Value, String> {
    let rate = |word: &str| word.trim().parse().map(Value::Float).map_err(|_| format!("'{word}' is no number"));
    let mut rates: Vec<Value> = text.split(',').map(rate).collect::<Result<_, _>>()?;
    Ok(if rates.len() == 1 { rates.remove(0) } else { Value::Array(rates) })
}

/// Words between commas as the values of a recipe that they look like; one word alone is for all
/// layers.
fn per_layer(text: &str) -> Value {
    let value = |word: &str| {
        let number = || word.parse().map(Value::Integer).ok().or_else(|| word.parse().map(Value::Float).ok());
        let truth = || word.parse().map(Value::Boolean).ok();
        number().or_else(truth).unwrap_or_else(|| Value::String(word.to_string()))
    };
    let mut values: Vec<Value> = text.split(',').map(|word| value(word.trim())).collect();
    if values.len() == 1 { values.remove(0) } else { Value::Array(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_to(verb: Verb, words: &str) -> (Table, Vec<String>) {
        let command = add(Command::new("x"), verb, |_| None).arg(Arg::new("resume")).arg(Arg::new("from_scratch"));
        given(&command.get_matches_from(words.split(' ')), verb)
    }

    #[test]
    fn one_value_or_one_a_layer() {
        let (table, _) = given_to(Verb::Stack, "x --epochs 3,4 --learning-rate 0.5 --schedule linear,constant");
        let expected = "epochs = [3, 4]\nlearning_rate = 0.5\nschedule = [\"linear\", \"constant\"]\n";
        assert_eq!(table, expected.parse().unwrap());
    }

    #[test]
    fn values_are_those_of_a_recipe() {
        let words = "x --freeze top,generative --wake-rate 0.1,1 --top-steps 2x3 --balanced --layers 3,4 ckpt";
        let (table, notes) = given_to(Verb::Tune, words);
        let expected = "freeze = [\"top\", \"generative\"]\nwake_rate = [0.1, 1.0]\ntop_steps = \"2x3\"\n\
                        balanced = true\nlayers = [3, 4]\ncheckpoint = \"ckpt\"\n";
        assert_eq!(table, expected.parse().unwrap());
        assert!(notes.is_empty());
    }

    #[test]
    fn an_old_name_is_taken_with_a_note() {
        let (table, notes) = given_to(Verb::Tune, "x --visible-units sampled ckpt");
        assert_eq!(table["sleep_visible"].as_str(), Some("sampled"));
        assert_eq!(notes, ["--visible-units is now called --sleep-visible"]);
    }
}
