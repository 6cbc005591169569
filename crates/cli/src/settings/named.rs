//! Recipes that were found for some kind of data, by their names. The files of the same names in `models/` hold the same.

/// A recipe, with comments that say what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NamedRecipe {
    /// What it is called.
    pub(crate) name: &'static str,
    /// All of it, TOML.
    pub(crate) text: &'static str,
}

macro_rules! recipe {
    ($name:literal) => {
        NamedRecipe { name: $name, text: include_str!(concat!("../../recipes/", $name, ".toml")) }
    };
}

impl NamedRecipe {
    /// All there are.
    pub(crate) const ALL: [Self; 6] = [
        recipe!("protein"),
        recipe!("ising"),
        recipe!("table-real"),
        recipe!("table-categorical"),
        recipe!("mnist-rbm-density"),
        recipe!("mnist-dbn-density"),
    ];

    /// The recipe of this name; that of spins was called so first.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let name = if name == "spins" { "ising" } else { name };
        Self::ALL.into_iter().find(|recipe| recipe.name == name)
    }
}
