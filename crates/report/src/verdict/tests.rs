use super::*;
use crate::on_sites::Compared;
use std::collections::BTreeMap;

fn judged(name: &str, values: &[f64], classes: usize) -> Verdict {
    let mut traces = Traces::default();
    for (epoch, value) in values.iter().enumerate() {
        traces.add(epoch as u32 + 1, BTreeMap::from([(name.to_string(), *value)]));
    }
    judge(&traces, Basis { classes, ..Basis::default() })
}

#[test]
fn a_training_is_judged_by_how_it_went() {
    let falling = [100.0, 80.0, 70.0, 66.0, 65.0, 64.9, 64.8, 64.8, 64.8, 64.8];
    let cases: [(&str, &[f64], &str, Tone); 11] = [
        ("reconstruction_cost_valid", &falling, "It learned.", Tone::Good),
        ("reconstruction_cost", &[100.0, 90.0, 80.0, 70.0, 60.0, 50.0], "It learned, and is still", Tone::Good),
        ("log_likelihood_valid", &[-200.0, -90.0, -95.0, -140.0, -150.0], "It learned, then got worse", Tone::Watch),
        ("cost", &[1.0, 1.1, 1.2, 1.3, 1.4], "It did not learn", Tone::Bad),
        ("cost", &[1.0, 1.1], "It did not learn", Tone::Watch),
        ("label_error_valid", &[0.3, 0.3, 0.3, 0.3, 0.3], "It did not learn: the last epoch is as good", Tone::Bad),
        ("label_error_valid", &[0.0, 0.0, 0.0, 0.0, 0.0], "It makes no errors, in epoch 5 as in epoch 1.", Tone::Good),
        ("squared_error_train", &[0.0, 0.0, 0.4], "It made no errors in epoch 1, then got worse", Tone::Watch),
        ("cost", &[1.0, f64::NAN], "It diverged", Tone::Bad),
        ("label_error_valid", &[0.9, 0.89, 0.9, 0.89, 0.9], "It does not predict the 10 labels", Tone::Bad),
        ("cost", &[1.0], "One epoch is done", Tone::Watch),
    ];
    for (name, values, text, tone) in cases {
        let verdict = judged(name, values, 10);
        assert!(verdict.text.starts_with(text) && verdict.tone == tone, "{name} {values:?}: {verdict:?}");
    }
    assert_eq!(judge(&Traces::default(), Basis::default()).headline, None);
}

/// A log-likelihood that is measured every few epochs shows only the end of what was learned.
#[test]
fn a_loss_of_hundredths_of_a_nat_is_none_where_the_start_was_not_measured() {
    let of = |last: f64, from: u32| {
        let mut traces = Traces::default();
        for epoch in 1..=60 {
            traces.add(epoch, BTreeMap::from([("reconstruction_cost".to_string(), 60.0 / f64::from(epoch))]));
        }
        for (epoch, value) in [(from, -61.09), (40, -61.04), (60, last)] {
            traces.add(epoch, BTreeMap::from([("log_likelihood_valid".to_string(), value)]));
        }
        judge(&traces, Basis::default()).text
    };
    assert!(
        of(-61.1, 20).starts_with("It learned.") || of(-61.1, 20).starts_with("It learned, and"),
        "{}",
        of(-61.1, 20)
    );
    assert_eq!(of(-61.3, 20), "It learned, then got worse.");
    assert_eq!(of(-61.1, 1), "It learned, then got worse.");
}

/// Of epochs that are equal by their label error a training takes the one of the lowest cost.
#[test]
fn the_best_epoch_is_the_one_that_the_training_took() {
    let mut traces = Traces::default();
    for (epoch, (error, best)) in [(0.4, 1.0), (0.1, 2.0), (0.2, 2.0), (0.1, 4.0), (0.3, 4.0)].into_iter().enumerate() {
        let figures = [("label_error_valid".to_string(), error), ("best_epoch".to_string(), best)];
        traces.add(epoch as u32 + 1, BTreeMap::from(figures));
    }
    assert_eq!(judge(&traces, Basis::default()).headline.unwrap().best, (4.0, 0.1));
}

#[test]
fn a_model_that_fits_the_training_samples_alone_is_remarked_on() {
    let of = |valid: f64| {
        let mut traces = Traces::default();
        for epoch in 1..=3 {
            let cost = [("reconstruction_cost".to_string(), 26.2), ("reconstruction_cost_valid".to_string(), valid)];
            traces.add(epoch, BTreeMap::from(cost));
        }
        judge(&traces, Basis::default()).findings.iter().any(|finding| finding.text.contains(OVERFITS))
    };
    assert!(of(52.5) && !of(27.0));
}

/// Costs of densities may be near zero or below it, where a small difference is many times the cost.
#[test]
fn costs_of_numbers_are_compared_by_their_difference() {
    let of = |numbers: usize, train: f64, valid: f64| {
        let mut traces = Traces::default();
        for epoch in 1..=3 {
            let costs = [("reconstruction_cost".to_string(), train), ("reconstruction_cost_valid".to_string(), valid)];
            traces.add(epoch, BTreeMap::from(costs));
        }
        let verdict = judge(&traces, Basis { numbers, ..Basis::default() });
        verdict.findings.iter().any(|finding| finding.text.contains(OVERFITS))
    };
    assert!(!of(4, 0.72, 1.04) && !of(4, -3.0, -2.9), "a third of a nat of four numbers");
    assert!(of(13, 7.4, 25.0) && of(4, -3.0, 1.0));
    assert!(of(0, 0.72, 1.04), "bits are certain at a cost of zero");
}

/// What is the same to the reader neither rose nor fell.
#[test]
fn figures_that_read_the_same_stayed() {
    let verdict = judged("label_error_valid", &[0.525, 0.4, 0.525_000_1], 3);
    assert!(verdict.findings[0].text.starts_with("Label error (validation) is 52.50 % in epoch 3 as in epoch 1;"));
}

/// The numbers are those of the metrics, and the sentence says when which was measured.
#[test]
fn the_headline_has_the_figures_of_the_metrics() {
    let verdict = judged("label_error_valid", &[0.3, 0.1, 0.05, 0.25], 10);
    let headline = verdict.headline.unwrap();
    assert_eq!((headline.first, headline.best, headline.last), ((1.0, 0.3), (3.0, 0.05), (4.0, 0.25)));
    let text = &verdict.findings[0].text;
    assert_eq!(
        text,
        "Label error (validation) fell from 30 % in epoch 1 to 25 % in epoch 4; it was best in epoch 3, at 5 %."
    );
}

/// 3 of 20 samples more or fewer are chance, 10 are not; of 2,000 samples 300 are not.
#[test]
fn what_few_validation_samples_do_not_show_is_not_said() {
    let of = |values: &[f64], valid: usize| {
        let mut traces = Traces::default();
        for (epoch, value) in values.iter().enumerate() {
            traces.add(epoch as u32 + 1, BTreeMap::from([("label_error_valid".to_string(), *value)]));
        }
        judge(&traces, Basis { classes: 3, valid, ..Basis::default() })
    };
    assert!(of(&[0.35, 0.3, 0.2, 0.2, 0.2], 20).text.starts_with("It cannot be said"));
    assert_eq!(of(&[0.35, 0.3, 0.2, 0.2, 0.2], 2000).text, "It learned.");
    assert!(of(&[0.0, 0.1, 0.05], 20).text.starts_with("It makes hardly more errors than in epoch 1"));
    assert!(of(&[0.0, 0.1, 0.05], 2000).text.starts_with("It made no errors in epoch 1, then got worse"));
    let (few, many) = (of(&[0.6, 0.3, 0.1, 0.25, 0.25], 20), of(&[0.6, 0.3, 0.1, 0.25, 0.25], 2000));
    assert_eq!((few.text.as_str(), many.text.as_str()), ("It learned.", "It learned, then got worse."));
    assert!(few.findings[0].text.contains("in epoch 5, on 20 validation samples; it was best"), "{few:?}");
    assert!(!few.findings.iter().any(|finding| finding.text.contains("overfitting")));
}

/// Likelihoods that were first measured after 20 epochs, and only got worse, are no sign that nothing was learned.
#[test]
fn a_figure_whose_first_value_is_late_shows_overfitting() {
    let of = |sites: Option<OnSites>, cost: fn(u32) -> f64| {
        let mut traces = Traces::default();
        for epoch in 1..=60 {
            let mut figures = BTreeMap::from([
                ("reconstruction_cost".to_string(), cost(epoch)),
                ("reconstruction_cost_valid".to_string(), 100.0),
            ]);
            if epoch % 20 == 0 {
                figures.insert("log_likelihood_valid".to_string(), -100.0 - f64::from(epoch));
            }
            traces.add(epoch, figures);
        }
        judge(&traces, Basis { sites, ..Basis::default() })
    };
    let sites = OnSites { l1b_cost: 0.14, compared: None };
    let falling = |epoch: u32| 100.0 - f64::from(epoch);
    let verdict = of(Some(sites), falling);
    let cure = "Try --l1b-cost 0.28, twice the L1b cost.";
    assert_eq!(verdict.text, format!("It overfits: of the epochs that were measured, epoch 20 was best. {cure}"));
    assert!(verdict.findings.iter().any(|finding| finding.text.ends_with(&format!("{OVERFITS} {cure}"))));
    assert!(of(None, falling).text.ends_with(CURE));
    assert!(of(Some(sites), |_| 100.0).text.starts_with("It did not learn"));
}

/// The verdict is what the comparison says, and nothing in it names another cure.
#[test]
fn a_model_of_sites_is_compared_with_independent_sites() {
    let of = |l1b_cost: f64, model: f64, samples: usize| {
        let mut traces = Traces::default();
        for epoch in 1..=60 {
            let figures = [
                ("reconstruction_cost", 50.0 + 50.0 / f64::from(epoch)),
                ("reconstruction_cost_valid", 90.0 + 10.0 / f64::from(epoch)),
            ];
            traces.add(epoch, figures.map(|(name, value)| (name.to_string(), value)).into());
        }
        let compared = Compared { epoch: 60, sites: 42, model, independent: -100.21, difference: None };
        judge(
            &traces,
            Basis { samples, sites: Some(OnSites { l1b_cost, compared: Some(compared) }), ..Basis::default() },
        )
    };
    let verdict = of(1.0, -100.20, 1000);
    let removed = "It is no better than independent sites: the L1b cost has removed the couplings. Try --l1b-cost 0.5, half \
                   of it.";
    assert_eq!((verdict.text.as_str(), verdict.tone), (removed, Tone::Watch));
    assert!(!verdict.findings.iter().any(|finding| finding.text.contains("twice the L1b cost")));
    let worse = "It is worse than independent sites. Try --l1b-cost 0.28, twice the L1b cost.";
    assert_eq!(of(0.14, -108.0, 1000).text, worse);
    assert_eq!(of(0.14, -90.0, 1000).text, "It learned.");
    assert_eq!(of(0.14, -90.0, 3).text, "It cannot be said whether it learned: 3 training samples are too few.");
    assert_eq!(of(0.14, -90.0, FEW_SAMPLES).text, "It learned.");
}

#[test]
fn idle_units_of_a_stack_are_said_to_be_of_their_layer() {
    let mut traces = Traces::default();
    traces.add(1, BTreeMap::from([("cost".to_string(), 5.0), ("saturated_units".to_string(), 7.0)]));
    let of = |layer| judge(&traces, Basis { layer, ..Basis::default() }).findings[0].text.clone();
    assert!(of(0).starts_with("7 hidden units are always on:"), "{}", of(0));
    assert!(of(3).starts_with("7 hidden units of layer 3 are always on:"), "{}", of(3));
}

#[test]
fn a_layer_that_is_mostly_idle_is_called_so() {
    let of = |dead: f64| {
        let mut traces = Traces::default();
        for (epoch, cost) in [9.0, 5.0, 4.0, 4.0, 4.0].into_iter().enumerate() {
            let figures = [("cost", cost), ("dead_units", dead), ("saturated_units", 2.0)];
            traces.add(epoch as u32 + 1, figures.map(|(name, value)| (name.to_string(), value)).into());
        }
        let verdict = judge(&traces, Basis { hidden: 20, ..Basis::default() });
        (verdict.text, verdict.tone)
    };
    assert_eq!(of(9.0), ("It learned. But 11 of 20 hidden units carry nothing.".to_string(), Tone::Watch));
    assert_eq!(of(8.0), ("It learned.".to_string(), Tone::Good));
}
