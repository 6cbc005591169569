//! `dbn recipe`: the defaults of a verb that trains, or a recipe for some kind of data.

use crate::args::{RecipeArgs, RecipeName};
use crate::failure::{Failure, Result};
use crate::options::Verb;
use crate::report::Report;
use crate::settings::print_recipe;
use toml::Table;

/// Prints it.
pub(crate) fn recipe(args: &RecipeArgs, report: &Report) -> Result<()> {
    let mut asked = Table::new();
    if let Some(task) = &args.task {
        if args.name != RecipeName::Defaults(Verb::Finetune) {
            return Err(Failure::new("--as goes with finetune alone"));
        }
        asked.insert("as".into(), task.as_str().into());
    }
    match args.name {
        RecipeName::Defaults(verb) => report.data(&print_recipe(verb, &asked)?),
        RecipeName::Named(recipe) => report.data(recipe.text),
    }
}
