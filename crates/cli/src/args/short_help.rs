//! What `-h` shows of a verb with many options: those that most people need, and examples. `--help` has all.

use clap::Command;

/// Options of a verb from which on its short help leaves some out.
const MANY: usize = 15;

/// Lines below the options from which on short help has the examples alone.
const LONG: usize = 15;

/// Options that stay, by id.
const USUAL: &[&str] = &[
    "as",
    "batch_size",
    "binarize",
    "cd_steps",
    "checkpoint",
    "config",
    "count",
    "data",
    "dropout",
    "epochs",
    "freeze",
    "from_scratch",
    "given",
    "hidden",
    "hidden_units",
    "json",
    "label",
    "label_column",
    "labels",
    "layers",
    "learning_rate",
    "optimizer",
    "out",
    "patience",
    "persistent_chains",
    "recipe",
    "resume",
    "samples",
    "seed",
    "sleep_rate",
    "split",
    "start_at",
    "steps",
    "top_rate",
    "top_steps",
    "valid",
    "visible_units",
    "wake_rate",
    "weight_cost",
];

/// Options that stay in the short help of one verb, by id.
const USUAL_OF: &[(&str, &[&str])] = &[
    ("contacts", &["chain", "first", "picture", "structure"]),
    ("eval", &["temperatures"]),
    ("score", &["fitness_column", "mutations", "offset", "picture", "wild_type"]),
];

/// The program with short help that fits a screen.
pub(super) fn fitted(program: Command) -> Command {
    let verbs: Vec<String> = program.get_subcommands().map(|verb| verb.get_name().to_string()).collect();
    verbs.iter().fold(program, |program, verb| program.mut_subcommand(verb, fit))
}

fn fit(verb: Command) -> Command {
    let options = verb.get_arguments().filter(|arg| arg.get_long().is_some() && !arg.is_hide_set()).count();
    let full = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
    if options < MANY && full.lines().count() < LONG {
        return verb;
    }
    let examples = full.find("Example").map_or("", |start| &full[start..]);
    let short = format!("`dbn {} --help` has all options, and explains them.\n\n{examples}", verb.get_name());
    let own = USUAL_OF.iter().find(|(name, _)| *name == verb.get_name()).map_or(&[] as &[&str], |(_, own)| *own);
    verb.after_help(short).after_long_help(full).mut_args(|arg| {
        let id = arg.get_id().as_str();
        let stays = options < MANY || USUAL.contains(&id) || own.contains(&id) || arg.is_positional();
        if stays { arg } else { arg.hide_short_help(true) }
    })
}

#[cfg(test)]
mod tests {
    use crate::args::program;

    /// Lines of a screen.
    const SCREEN: usize = 50;

    #[test]
    fn short_help_fits_a_screen() {
        let mut program = program().term_width(100);
        program.build();
        for verb in program.get_subcommands_mut() {
            let help = verb.clone().term_width(100).render_help().to_string();
            assert!(help.lines().count() <= SCREEN, "{} lines:\n{help}", help.lines().count());
        }
    }

    #[test]
    fn short_help_has_what_laboratories_type() {
        let mut program = program().term_width(100);
        program.build();
        for (verb, options) in [
            ("score", &["--mutations", "--wild-type", "--offset", "--fitness-column", "--picture"][..]),
            ("contacts", &["--structure", "--chain", "--first", "--picture"][..]),
            ("eval", &["--temperatures"][..]),
        ] {
            let help = program.find_subcommand_mut(verb).unwrap().render_help().to_string();
            for option in options {
                assert!(help.contains(&format!("{option} <")), "{option} in {help}");
            }
        }
    }
}
