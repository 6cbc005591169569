//! `dbn recipe`: the built-in recipe of a verb that trains.

use crate::args::RecipeArgs;
use crate::failure::{Failure, Result};
use crate::options::Verb;
use crate::report::Report;
use crate::settings::print_recipe;
use toml::Table;

/// Prints it.
pub(crate) fn recipe(args: &RecipeArgs, report: &Report) -> Result<()> {
    let mut asked = Table::new();
    if let Some(task) = &args.task {
        if args.verb != Verb::Finetune {
            return Err(Failure::new(format!("--as goes with finetune, not with {}", args.verb.name())));
        }
        asked.insert("as".into(), task.as_str().into());
    }
    report.data(&print_recipe(args.verb, &asked)?)
}
