//! Recipes that nobody would write: whatever the text, it is refused or makes settings.

use super::{Asked, FinetuneSettings, PretrainSettings, StackSettings, TuneSettings, print_recipe, resolve};
use crate::options::Verb;
use toml::Table;

/// Of each verb; `DBN_FUZZ` sets another number.
const RECIPES: u32 = 1000;

const WORDS: [&str; 24] = [
    "0",
    "-1",
    "1e999",
    "nan",
    "9223372036854775807",
    "99999999999999999999",
    "true",
    "\"\"",
    "\"10m\"",
    "[]",
    "{}",
    "[",
    "]",
    "=",
    "\n",
    "#",
    "[top]\n",
    "[[layer]]\n",
    "layers = [1]\n",
    "epochs = [1, 2]\n",
    "'''",
    "\u{feff}",
    "\\u0000",
    "[[[[[[[[[[",
];

/// Numbers, the same on every machine.
fn below(state: &mut u64, limit: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize % limit.max(1)
}

/// A recipe with a few places changed: characters, words, lines and values of other lines.
fn damaged(text: &str, state: &mut u64) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for _ in 0..=below(state, 6) {
        let at = below(state, text.len() + 1);
        let end = (at + below(state, 12)).min(text.len());
        match below(state, 5) {
            0 => drop(text.drain(at..end)),
            1 => {
                let part = text[at..end].to_vec();
                let to = below(state, text.len() + 1);
                text.splice(to..to, part);
            }
            2 if at < text.len() => text[at] = char::from(below(state, 128) as u8),
            _ => {
                // After a sign of equality it stands for a value.
                let value = text[at..].iter().position(|&c| c == '=').map_or(at, |equals| at + equals + 1);
                let line = text[value..].iter().position(|&c| c == '\n').map_or(text.len(), |end| value + end);
                let word = WORDS[below(state, WORDS.len())].chars();
                text.splice(value..line, word);
            }
        }
    }
    text.into_iter().collect()
}

#[test]
fn damaged_recipes_are_refused_or_understood_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.toml");
    let number = std::env::var("DBN_FUZZ").ok().and_then(|number| number.parse().ok()).unwrap_or(RECIPES);
    let asked = Asked { config: Some(path.clone()), ..Default::default() };
    let (mut state, mut understood) = (1, 0);
    for _ in 0..number {
        for verb in Verb::TRAINING {
            let recipe = print_recipe(verb, &Table::new()).unwrap();
            std::fs::write(&path, damaged(&recipe, &mut state)).unwrap();
            understood += u32::from(match verb {
                Verb::Pretrain => resolve::<PretrainSettings>(&asked, None).is_ok(),
                Verb::Stack => resolve::<StackSettings>(&asked, None).is_ok(),
                Verb::Tune => resolve::<TuneSettings>(&asked, None).is_ok(),
                _ => resolve::<FinetuneSettings>(&asked, None).is_ok(),
            });
        }
    }
    let recipes = 4 * number;
    assert!(understood > recipes / 50 && understood < recipes, "{understood} of {recipes} are understood");
}
