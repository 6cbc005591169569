use super::*;
use crate::options::Verb;
use crate::settings::built_in;
use deepbelief_data::{LoadOptions, Source, examine};

fn advice(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, text).unwrap();
    let found = examine(&Source::Csv(path), &LoadOptions::default(), None).unwrap();
    Advice::of(&found, VisibleUnits::Bernoulli, false, &Learners::default())
        .settings
        .iter()
        .map(|setting| format!("{}={}", setting.key, setting.value))
        .collect()
}

/// The digits get the recipe that was found for them.
#[test]
fn the_digits_get_their_recipe() {
    let found = examine(&Source::Mnist, &LoadOptions::default(), None).unwrap();
    for (verb, stack) in [(Verb::Pretrain, false), (Verb::Stack, true)] {
        let recipe = built_in(verb, &toml::Table::new()).unwrap();
        for Setting { key, value, .. } in
            Advice::of(&found, VisibleUnits::Bernoulli, stack, &Learners::default()).settings
        {
            if key == "scale" {
                assert_eq!(value.as_str(), Some("255"));
            } else {
                assert_eq!(recipe[key], value, "{key}");
            }
        }
    }
}

/// What a layer learns above another takes samples.
#[test]
fn layers_go_by_the_number_of_samples() {
    let of = |samples: usize| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let row = |k: usize| format!("{},{},{}\n", k % 2, k / 2 % 2, k / 4 % 2);
        std::fs::write(&path, (0..samples).map(row).collect::<String>()).unwrap();
        let found = examine(&Source::Csv(path), &LoadOptions::default(), None).unwrap();
        let settings = Advice::of(&found, VisibleUnits::Bernoulli, true, &Learners::default()).settings;
        let setting = settings.into_iter().find(|setting| setting.key == "layers").unwrap();
        (setting.value.as_array().unwrap().len(), setting.reason)
    };
    assert_eq!([180, 1500, 3000].map(|samples| of(samples).0), [1, 2, 3]);
    assert!(of(180).1.ends_with("one layer, for another learns little from fewer than 1,000 samples"));
}

#[test]
fn few_samples_get_few_units_small_batches_and_many_epochs() {
    let settings = advice(&"0,1,0,1\n1,0,0,1\n1,1,1,0\n0,0,1,1\n".repeat(40));
    for setting in ["scale=\"auto\"", "binarize=\"threshold=0.5\"", "hidden=16", "batch_size=10", "epochs=500"] {
        assert!(settings.contains(&setting.to_string()), "{setting} in {settings:?}");
    }
    let settings = advice("-3,1.5\n7,0.2\n1,1\n");
    for setting in [
        "scale=\"auto\"",
        "visible_states=\"probabilities\"",
        "binarize=\"none\"",
        "batch_size=3",
        "learning_rate=0.05",
    ] {
        assert!(settings.contains(&setting.to_string()), "{setting} in {settings:?}");
    }
}

/// 3 bits a row: as many rows as there may be ask for no more units than few.
#[test]
fn few_columns_get_few_units_however_many_rows_there_are() {
    let rows =
        |n: usize| (0..n).map(|k| format!("{},{}", k % 2, k / 2 % 2) + &",0,1".repeat(8) + "\n").collect::<String>();
    for rows in [rows(400), rows(20_000)] {
        assert!(advice(&rows).contains(&"hidden=16".to_string()), "{:?}", advice(&rows));
    }
    // Twelve bits.
    let row = |k: usize| (0..12).map(|bit| (((k * 7919) >> bit) & 1).to_string()).collect::<Vec<_>>().join(",") + "\n";
    let settings = advice(&(0..8192).map(row).collect::<String>());
    assert!(settings.contains(&"hidden=20".to_string()), "{settings:?}");
}

/// Grey levels, most of them near the ends, bear ten times as many units as states do, in one layer and in two.
#[test]
fn grey_pictures_get_more_units_than_states() {
    let folder = tempfile::tempdir().unwrap();
    let found = |samples: usize, shown: fn(u32) -> u32| {
        let value =
            |k: usize, unit: usize| shown((7919 * k as u32 + 104_729 * unit as u32).wrapping_mul(2_654_435_761) >> 24);
        let row = |k: usize| (0..64).map(|unit| value(k, unit).to_string()).collect::<Vec<_>>().join(",") + "\n";
        let path = folder.path().join("a.csv");
        std::fs::write(&path, (0..samples).map(row).collect::<String>()).unwrap();
        examine(&Source::Csv(path), &LoadOptions::default(), None).unwrap()
    };
    let units = |found: &Examination, stack, key| {
        let settings = Advice::of(found, VisibleUnits::Bernoulli, stack, &Learners::default()).settings;
        let setting = settings.into_iter().find(|setting| setting.key == key).unwrap();
        (setting.value.to_string(), setting.reason)
    };
    let grey = |level: u32| match level {
        0..110 => 0,
        110..140 => level,
        _ => 255,
    };
    let pictures = found(100, grey);
    let (hidden, reason) = units(&pictures, false, "hidden");
    assert_eq!(hidden, "95");
    assert!(reason.starts_with("about as many weights as bits in the training samples (6"), "{reason}");
    assert_eq!(units(&pictures, true, "layers").0, "[95]");
    let (layers, reason) = units(&found(1200, grey), true, "layers");
    assert!(layers == "[120, 120]" && reason.starts_with("two for each bit of a sample (64)"), "{layers}: {reason}");
    assert_eq!(units(&found(100, |level| if level < 128 { 0 } else { 255 }), false, "hidden").0, "16");
}

/// 5 numbers and 5 categories: what is of Bernoulli units alone is not asked for.
#[test]
fn units_of_their_own_kind_get_rates_of_their_own() {
    let row = |k: usize| format!("{},{}\n", k as f64 * 0.37, ["x", "y", "z"][k % 3]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, (0..400).map(row).collect::<String>()).unwrap();
    let options = LoadOptions { visible_units: VisibleUnits::Auto, ..LoadOptions::default() };
    let found = examine(&Source::Csv(path), &options, None).unwrap();
    let settings = Advice::of(&found, VisibleUnits::Auto, false, &Learners::default()).settings;
    let value = |key| settings.iter().find(|setting| setting.key == key).map(|setting| setting.value.to_string());
    let got = ["visible_units", "learning_rate", "hidden", "scale", "weight_std", "visible_states"].map(value);
    let want = [Some("\"auto\""), Some("0.01"), Some("25"), None, Some("0.2"), None];
    assert_eq!(got, want.map(|text| text.map(String::from)));
    // Of more samples numbers bear more.
    let of_many = |samples: usize| {
        let path = folder.path().join(format!("{samples}.csv"));
        std::fs::write(&path, (0..samples).map(row).collect::<String>()).unwrap();
        let found = examine(&Source::Csv(path), &options, None).unwrap();
        let settings = Advice::of(&found, VisibleUnits::Auto, false, &Learners::default()).settings;
        ["batch_size", "epochs", "learning_rate"]
            .map(|key| settings.iter().find(|setting| setting.key == key).unwrap().value.to_string())
    };
    assert_eq!(of_many(999), ["10", "100", "0.01"]);
    assert_eq!(of_many(2000), ["50", "250", "0.05"]);
    assert_eq!(of_many(6000), ["100", "160", "0.1"]);
    let learners = Learners { hidden: Hidden::Gaussian, ..Learners::default() };
    let settings = Advice::of(&found, VisibleUnits::Auto, false, &learners).settings;
    let value = |key| settings.iter().find(|setting| setting.key == key).map(|setting| setting.value.to_string());
    let got = ["learning_rate", "persistent_chains", "cd_steps"].map(value);
    assert_eq!(got, ["0.003", "100", "5"].map(|text| Some(text.to_string())));
    // A stack of one layer is an RBM too; of several the lowest has no such units.
    for depth in [1, 2] {
        let learners = Learners { hidden: Hidden::Gaussian, depth: Some(depth), ..Learners::default() };
        let settings = Advice::of(&found, VisibleUnits::Auto, true, &learners).settings;
        assert_eq!(settings.iter().any(|setting| setting.key == "persistent_chains"), depth == 1);
    }
}

#[test]
fn spins_get_a_quarter_of_the_rate() {
    let found = |name: &str, text: String| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        let options = LoadOptions { visible_units: VisibleUnits::Auto, ..LoadOptions::default() };
        examine(&Source::Csv(folder.path().join(name)), &options, None).unwrap()
    };
    let rate = |found: &Examination, usual| {
        let learners = Learners { rates: vec![usual], ..Learners::default() };
        let settings = Advice::of(found, VisibleUnits::Auto, false, &learners).settings;
        settings.into_iter().find(|setting| setting.key == "learning_rate").unwrap().value.as_float().unwrap()
    };
    let spins = found("s.csv", "1,-1,1\n-1,-1,1\n-1,1,-1\n".repeat(30));
    assert_eq!((rate(&spins, RATE), rate(&spins, 0.024)), (0.03, 0.006));
    let row = |k: usize| format!("{},{}\n", k as f64 * 0.37, if k.is_multiple_of(3) { 1 } else { -1 });
    let mixed = found("m.csv", (0..400).map(row).collect());
    assert_eq!(mixed.units.kinds(), "gaussian and spin");
    assert_eq!(rate(&mixed, RATE), RATE_OF_NUMBERS);
}

/// 2,000 units, all but always on.
#[test]
fn rates_fall_where_many_units_are_on() {
    let row = |last: &str| "1,".repeat(1999) + last + "\n";
    let settings = advice(&(row("1") + &row("0")));
    assert!(settings.contains(&"learning_rate=0.005".to_string()), "{settings:?}");
    assert_eq!([0.0123, 0.1, 0.096, 2e-5].map(one_digit), [0.01, 0.1, 0.1, 2e-5]);
    assert_eq!([7, 23, 168, 1234].map(rounded), [7, 20, 160, 1200]);
    assert_eq!([0, 1, 30, 600].map(|share| batch_size(share, 0)), [10, 10, 50, 100]);
}
