//! What to learn an alignment by: the recipe of `models/protein.toml`, whose cost follows the size of the family.
//!
//! A family of few sequences needs a larger L1b cost, and one of many sites too:
//!
//! ```text
//! l1b_cost = 0.7 sqrt(sites / effective sequences)
//! ```
//!
//! The number is from held-out sequences of three families (PF00014, PF00397, lattice proteins) of which 400 to 36,000 were
//! learned; `docs/src/alignments.md` has the figures. Passes over the data stay 60 for all sizes: with 120 and more, held-out
//! sequences of small families became less probable.

use crate::data::setting::Setting;
use deepbelief_data::Aligned;
use toml::Value;

/// L1b cost of a family with as many sites as effective sequences.
const COST: f64 = 0.7;

/// The largest cost, which leaves little but the sites alone.
const MOST_COST: f64 = 1.0;

/// Samples of a batch, at most.
const BATCH: usize = 100;

/// Settings for an alignment of so many `samples` to train on.
pub(super) fn settings(aligned: &Aligned, samples: usize) -> Vec<Setting> {
    let (effective, counted) = match aligned.effective {
        Some((_, effective)) => (effective, "effective sequences"),
        None => (samples as f64, "sequences"),
    };
    let cost = cost(aligned.sites, effective);
    let of_cost =
        format!("0.7 sqrt({} sites / {effective:.0} {counted}): fewer sequences need a larger cost", aligned.sites);
    let fixed: [(&'static str, Value, &str); 12] = [
        ("hidden", 100.into(), "enough for families of 27 to 202 sites"),
        ("hidden_units", "drelu".into(), "Tubiana, Cocco & Monasson 2019"),
        ("batch_size", (samples.min(BATCH) as i64).into(), ""),
        ("epochs", 60.into(), "more make small families overfit"),
        ("optimizer", "adam".into(), ""),
        ("learning_rate", 0.002.into(), ""),
        ("final_learning_rate", 0.0001.into(), ""),
        ("persistent_chains", 200.into(), "many chains make what the model is less noisy"),
        ("cd_steps", 5.into(), ""),
        ("centred", true.into(), "most letters are off"),
        ("weight_cost", 0.0.into(), "the L1b cost is there"),
        ("log_z_every", 20.into(), "says whether held-out sequences are more probable than by independent sites"),
    ];
    let mut settings: Vec<Setting> =
        fixed.into_iter().map(|(key, value, reason)| Setting { key, value, reason: reason.into() }).collect();
    settings.push(Setting { key: "l1b_cost", value: cost.into(), reason: of_cost });
    settings
}

/// The cost, in two digits.
fn cost(sites: usize, effective: f64) -> f64 {
    let cost = (COST * (sites as f64 / effective.max(1.0)).sqrt()).min(MOST_COST);
    format!("{cost:.1e}").parse().unwrap_or(cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sites: usize, effective: f64) -> Vec<Setting> {
        let aligned = Aligned { sites, effective: Some((0.8, effective)), ..Aligned::default() };
        settings(&aligned, 5000)
    }

    #[test]
    fn few_sequences_and_many_sites_get_a_larger_cost() {
        let costs = [(53, 4364.0), (53, 374.0), (202, 1495.0), (27, 36_265.0), (53, 3.0)];
        assert_eq!(costs.map(|(sites, effective)| cost(sites, effective)), [0.077, 0.26, 0.26, 0.019, 1.0]);
    }

    /// The recipe says the same, and leaves the cost to the data.
    #[test]
    fn the_recipe_for_proteins_says_the_same() {
        let recipe: toml::Table = toml::from_str(include_str!("../../recipes/protein.toml")).unwrap();
        let mut said = of(53, 4364.0);
        said.retain(|setting| setting.key != "l1b_cost");
        for Setting { key, value, .. } in &said {
            assert_eq!(recipe[*key].to_string().trim_matches('"'), value.to_string().trim_matches('"'), "{key}");
        }
        let beside: Vec<&str> =
            recipe.keys().map(String::as_str).filter(|key| said.iter().all(|setting| setting.key != *key)).collect();
        assert_eq!(beside, ["reweight"]);
    }
}
