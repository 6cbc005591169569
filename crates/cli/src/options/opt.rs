//! What an option is.

use toml::Value;

/// A verb that takes options of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Pretrain,
    Stack,
    Tune,
    Finetune,
    /// Every verb that uses a model on data.
    Use,
    Check,
}

use Verb::{Check, Finetune, Pretrain, Stack, Tune, Use};

impl Verb {
    /// The verbs that train.
    pub(crate) const TRAINING: [Self; 4] = [Pretrain, Stack, Tune, Finetune];

    /// Training and validation samples that each of its epochs is measured on, at most. Those of a stack are passed up
    /// again for every layer, and figures that only show how a layer fares need no more.
    pub(crate) const fn measured(self) -> usize {
        match self {
            Pretrain => 2000,
            Stack => 5000,
            _ => 10_000,
        }
    }

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Pretrain => "pretrain",
            Stack => "stack",
            Tune => "tune",
            Finetune => "finetune",
            Use => "use",
            Check => "check",
        }
    }
}

/// What the values of an option are.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A whole number of 32 bits.
    Count,
    /// A whole number of 63 bits: TOML has no more.
    Whole,
    Number,
    /// True or false; the flag alone is true.
    Switch,
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words, with commas between.
    Words(&'static [&'static str]),
    /// Whole numbers with commas between, one a layer.
    Sizes,
    /// Numbers with commas between: one, or one a layer.
    Rates,
    /// Text with a form of its own.
    Parsed(fn(&str) -> Result<Value, String>),
    /// The model to start from: an argument without a flag.
    Checkpoint,
}

/// An option. Its flag is the key with dashes, its environment variable `DBN_` and the key in capitals.
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(crate) struct Opt {
    /// Key in a recipe.
    pub(crate) key: &'static str,
    pub(super) kind: Kind,
    /// What help calls a value.
    pub(super) value: &'static str,
    verbs: &'static [Verb],
    help: &'static str,
    /// What long help adds.
    pub(super) more: &'static str,
    /// What help shows as the default where there is no default value.
    pub(crate) shown: Option<&'static str>,
    /// Whether a layer of a stack may have a value of its own.
    pub(crate) per_layer: bool,
    /// Whether a checkpoint says what its training had, for the next training to have the same.
    pub(crate) inherited: bool,
    /// Whether a checkpoint says nothing of it: it does not change what is learned.
    pub(crate) unrecorded: bool,
    /// Whether a checkpoint says nothing of its default: the option came when there were checkpoints already.
    pub(crate) later: bool,
    /// Whether only the program takes it, though it does not say how data are read.
    of_program: bool,
    /// Verbs whose runs may resume with another value.
    changeable: &'static [Verb],
    /// The name that it had before. Flags and recipes may still use it, and checkpoints do.
    pub(crate) was: Option<&'static str>,
    pub(super) has_env: bool,
    /// Whether a value may begin with a hyphen, as negative numbers do.
    pub(super) may_begin_with_hyphen: bool,
}

/// An option with a value of this kind.
pub(super) const fn opt(
    key: &'static str,
    kind: Kind,
    value: &'static str,
    verbs: &'static [Verb],
    help: &'static str,
) -> Opt {
    Opt {
        key,
        kind,
        value,
        verbs,
        help,
        more: "",
        shown: None,
        per_layer: false,
        inherited: false,
        unrecorded: false,
        later: false,
        of_program: false,
        changeable: &[],
        was: None,
        has_env: true,
        may_begin_with_hyphen: false,
    }
}

impl Opt {
    pub(super) const fn more(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    pub(super) const fn shown(self, shown: &'static str) -> Self {
        Self { shown: Some(shown), ..self }
    }

    pub(super) const fn per_layer(self) -> Self {
        Self { per_layer: true, ..self }
    }

    pub(super) const fn inherited(self) -> Self {
        Self { inherited: true, ..self }
    }

    pub(super) const fn unrecorded(self) -> Self {
        Self { unrecorded: true, ..self }
    }

    pub(super) const fn later(self) -> Self {
        Self { later: true, ..self }
    }

    pub(super) const fn of_program(self) -> Self {
        Self { of_program: true, ..self }
    }

    pub(super) const fn changeable(self, verbs: &'static [Verb]) -> Self {
        Self { changeable: verbs, ..self }
    }

    pub(super) const fn was(self, name: &'static str) -> Self {
        Self { was: Some(name), ..self }
    }

    pub(super) const fn without_env(self) -> Self {
        Self { has_env: false, ..self }
    }

    pub(super) const fn hyphened(self) -> Self {
        Self { may_begin_with_hyphen: true, ..self }
    }

    /// Whether a verb has it.
    pub(super) fn is_of(&self, verb: Verb) -> bool {
        self.verbs.contains(&verb)
    }

    /// Whether only the program takes it: it is about files or the machine. What verbs that do not train have too says
    /// how data are read.
    pub(super) fn is_of_program(&self) -> bool {
        self.of_program || self.is_of(Use) || self.is_of(Check)
    }

    /// Whether a run of a verb may resume with another value.
    pub(crate) fn may_change(&self, verb: Verb) -> bool {
        self.changeable.contains(&verb)
    }

    /// Its flag.
    pub(crate) fn flag(&self) -> String {
        flag(self.key)
    }

    /// What it does, in a line, with the words that it may be.
    pub(crate) fn summary(&self) -> String {
        match self.kind {
            Kind::Word(words) => format!("{}: {}", self.help, listed(words, "or")),
            Kind::Words(words) => format!("{}: {}", self.help, listed(words, "and")),
            _ => self.help.to_string(),
        }
    }
}

/// The flag of a key.
pub(crate) fn flag(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

/// `a, b or c`.
fn listed(words: &[&str], last: &str) -> String {
    match words {
        [words @ .., end] if !words.is_empty() => format!("{} {last} {end}", words.join(", ")),
        words => words.concat(),
    }
}
