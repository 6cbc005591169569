//! What was observed of a sample, against sums over all of its completions.

use super::{random_rbm, random_rbms};
use candle_core::{Device, Tensor};
use deepbelief_kernels::{LogSum, Segment, UnitKind, Units};
use deepbelief_rbm::likelihood::exact_log_partition;
use deepbelief_rbm::{FieldTensors, Layers, Rbm};
use deepbelief_stack::{Dbn, Scorer};

/// ln sum over `completions` of exp(-F), by the definition.
fn summed(rbm: &Rbm, completions: &[Vec<f32>]) -> f64 {
    let v = Tensor::from_vec(completions.concat(), (completions.len(), completions[0].len()), &Device::Cpu).unwrap();
    let free_energies: Vec<f32> = rbm.free_energy(&v).unwrap().to_vec1().unwrap();
    free_energies.iter().map(|f| (-f64::from(*f)).exp()).sum::<f64>().ln()
}

/// With few hidden units their states are summed over, with many the completions: either is the definition.
#[test]
fn missing_units_are_summed_out() {
    let v = [1.0, 0.25, 0.0, 1.0, 0.0, 1.0];
    // A category of three levels, of which one is on, and a unit that is off or on.
    let completions: Vec<Vec<f32>> = (0..6)
        .map(|k| {
            let mut v = v.to_vec();
            (0..3).for_each(|level| v[2 + level] = if level == k % 3 { 1.0 } else { 0.0 });
            v[5] = (k / 3) as f32;
            v
        })
        .collect();
    for (hidden, classes) in [(2, 0), (2, 3), (20, 0), (20, 3)] {
        let rbm = random_rbm(6, hidden, classes, 1.0, 5);
        let dbn = Dbn::from_rbms(vec![rbm.clone()]).unwrap();
        let scorer = Scorer::new(&dbn, &[2..5, 0..1], 1).unwrap();
        let of = |missing: &[usize]| scorer.observed(&v, missing).unwrap().unwrap();
        let expected = summed(&rbm, &completions);
        assert!((of(&[2, 3, 4, 5]) - expected).abs() < 1e-5, "{hidden} hidden units: {} {expected}", of(&[2, 3, 4, 5]));
        let free = [0.0, 1.0].map(|x| vec![v[0], x, v[2], v[3], v[4], v[5]]);
        assert!((of(&[1]) - summed(&rbm, &free)).abs() < 1e-5);
        let whole = scorer.complete(&Tensor::new(&[v], &Device::Cpu).unwrap()).unwrap();
        assert!((of(&[]) - whole[0]).abs() < 1e-9, "nothing is missing");
        // Where nothing was observed the sum is that of all states.
        let units = Scorer::new(&dbn, &[], 1).unwrap();
        let all = units.observed(&v, &[0, 1, 2, 3, 4, 5]).unwrap().unwrap();
        assert!((all - exact_log_partition(&rbm).unwrap()).abs() < 1e-5);
    }
}

/// Sums without tensors are those of the completions' tensors: over a bit, a category and a spin, also with weights so
/// large that exponentials overflow, and with more hidden units than share a logarithm.
#[test]
fn completions_without_tensors_are_those_of_tensors() {
    for (hidden, scale) in [(30, 0.8), (1100, 0.1), (30, 400.0)] {
        let segment = |units, levels, sites| Segment { units, levels, sites };
        let visible: Units =
            [segment(UnitKind::Bernoulli, 1, 3), segment(UnitKind::Categorical, 3, 1), segment(UnitKind::Spin, 1, 2)]
                .into_iter()
                .collect();
        let rbm = random_rbm(8, hidden, 0, scale, 11);
        let layers = Layers { visible, hidden: rbm.layers().hidden.clone() };
        let rbm = rbm.with_layers(layers, FieldTensors::default(), FieldTensors::default()).unwrap();
        let scorer = Scorer::new(&Dbn::from_rbms(vec![rbm]).unwrap(), &[3..6, 7..8], 1).unwrap();
        let v = [1.0f32, 0.0, 1.0, 0.0, 1.0, 0.0, -1.0, 1.0];
        let completion = |k: usize| {
            let mut v = v;
            v[1] = (k % 2) as f32;
            (0..3).for_each(|level| v[3 + level] = if level == k / 2 % 3 { 1.0 } else { 0.0 });
            v[6] = if k / 6 == 0 { -1.0 } else { 1.0 };
            v
        };
        let all: Vec<f32> = (0..12).flat_map(completion).collect();
        let terms = scorer.complete(&Tensor::from_vec(all, (12, 8), &Device::Cpu).unwrap()).unwrap();
        let expected = terms.into_iter().collect::<LogSum>().value();
        let got = scorer.observed(&v, &[1, 3, 4, 5, 6]).unwrap().unwrap();
        assert!((got - expected).abs() < 1e-12 * expected.abs().max(1.0), "{hidden}, {scale}: {got} and {expected}");
        assert_eq!(scorer.passes(&[1, 3, 4, 5, 6]), 12);
        // Whatever stands in the gaps.
        let other = [1.0, 0.5, 1.0, 1.0, 1.0, 7.0, 0.0, 1.0];
        assert_eq!(scorer.observed(&other, &[1, 3, 4, 5, 6]).unwrap(), Some(got));
        assert!(scorer.observed(&v[..7], &[1]).is_err(), "a unit is not there");
    }
}

/// What a score takes: completions, the states of few hidden units, or the chains of an estimate.
#[test]
fn passes_are_those_of_the_way_that_a_score_takes() {
    let scorer = |visible, hidden| {
        Scorer::new(&Dbn::from_rbms(vec![random_rbm(visible, hidden, 0, 0.3, 2)]).unwrap(), &[], 1).unwrap()
    };
    let all: Vec<usize> = (0..20).collect();
    assert_eq!([scorer(20, 13).passes(&all[..12]), scorer(20, 13).passes(&[])], [4096, 1]);
    assert_eq!([scorer(20, 5).passes(&all[..12]), scorer(20, 5).passes(&all[..2])], [32, 4]);
    assert_eq!(scorer(20, 13).passes(&all), 4800);
    assert_eq!([&all[..], &all[..12]].map(|missing| scorer(20, 13).summed_passes(missing)), [None, Some(4096)]);
    // A category of ten levels has ten options, and those of a deep net are each drawn as often as asked for.
    let level: Vec<usize> = (0..10).collect();
    let dbn = |sizes: &[usize]| Dbn::from_rbms(random_rbms(sizes, 0, 0.3)).unwrap();
    let of = |sizes: &[usize]| Scorer::new(&dbn(sizes), std::slice::from_ref(&(0..10)), 7).unwrap().passes(&level);
    assert_eq!([of(&[12, 13]), of(&[12, 13, 4])], [10, 70]);
    // Of numbers a sum takes nodes for each, and has no end where they are many.
    let scorer = Scorer::new(&Dbn::from_rbms(vec![typed(4, 0.4, 5)]).unwrap(), &[4..7, 7..8], 1).unwrap();
    assert_eq!(scorer.summed_passes(&[0, 1, 2, 3]), None);
    assert_eq!(scorer.summed_passes(&[0, 4, 5, 6]), Some(3 * scorer.completions(&[0])));
}

#[test]
fn sums_that_are_too_long_are_left_out() {
    let of = |visible: usize, hidden: usize| {
        let dbn = Dbn::from_rbms(vec![random_rbm(visible, hidden, 0, 0.3, 2)]).unwrap();
        let missing: Vec<usize> = (0..visible).collect();
        Scorer::new(&dbn, &[], 1).unwrap().observed(&vec![0.0; visible], &missing).unwrap()
    };
    assert_eq!([of(13, 13), of(70, 13)], [None, None]);
    assert!(of(12, 13).is_some() && of(70, 12).is_some());
}

/// A deep net sums the same weights that it has of each completion.
#[test]
fn a_deep_net_sums_over_completions() {
    let dbn = Dbn::from_rbms(random_rbms(&[5, 4, 3], 0, 1.0)).unwrap();
    let scorer = Scorer::new(&dbn, &[], 50).unwrap();
    let v = [1.0f32, 0.0, 0.0, 1.0, 1.0];
    let both = Tensor::new(&[v, [1.0, 1.0, 0.0, 1.0, 1.0]], &Device::Cpu).unwrap();
    let sum = scorer.complete(&both).unwrap().iter().map(|x| x.exp()).sum::<f64>().ln();
    assert!((scorer.observed(&v, &[1]).unwrap().unwrap() - sum).abs() < 1e-9);
}

/// Two numbers, a category of three levels and a spin, whose units have precisions of their own.
fn typed(gaussian: usize, scale: f64, seed: u32) -> Rbm {
    let segment = |units, levels, sites| Segment { units, levels, sites };
    let visible: Units =
        [segment(UnitKind::Gaussian, 1, gaussian), segment(UnitKind::Categorical, 3, 1), segment(UnitKind::Spin, 1, 1)]
            .into_iter()
            .collect();
    let columns = visible.columns();
    let precisions: Vec<f32> = (0..columns).map(|unit| if unit < gaussian { 0.4 * unit as f32 } else { 0.0 }).collect();
    let fields =
        FieldTensors { log_precision: Some(Tensor::new(precisions, &Device::Cpu).unwrap()), ..FieldTensors::default() };
    let rbm = random_rbm(columns, 7, 0, scale, seed);
    let hidden = rbm.layers().hidden.clone();
    rbm.with_layers(Layers { visible, hidden }, fields, FieldTensors::default()).unwrap()
}

/// Numbers are integrated out beside what is summed out. Where nothing was observed that leaves ln Z, which sums over the
/// hidden units give.
#[test]
fn missing_numbers_are_integrated_out() {
    let rbm = typed(2, 0.8, 3);
    let scorer = Scorer::new(&Dbn::from_rbms(vec![rbm.clone()]).unwrap(), &[2..5, 5..6], 1).unwrap();
    let v = [0.3f32, -1.25, 0.0, 1.0, 0.0, -1.0];
    let all = scorer.observed(&v, &[0, 1, 2, 3, 4, 5]).unwrap().unwrap();
    let log_z = exact_log_partition(&rbm).unwrap();
    assert!((all - log_z).abs() < 1e-5, "{all} and {log_z}");
    // By Simpson's rule.
    let at = |x: f32| summed(&rbm, &[[&[x][..], &v[1..]].concat()]).exp();
    let (step, ends) = (0.01f32, 1200);
    let weight = |k: i32| if k.abs() == ends { 1.0 } else { [4.0, 2.0][(k & 1 ^ 1) as usize] };
    let sum: f64 = (-ends..=ends).map(|k| weight(k) * at(k as f32 * step)).sum::<f64>() * f64::from(step) / 3.0;
    let got = scorer.observed(&v, &[0]).unwrap().unwrap();
    assert!((got - sum.ln()).abs() < 1e-4, "{got} and {}", sum.ln());
    assert_eq!([&[5][..], &[2, 3, 4, 5], &[]].map(|missing| scorer.completions(missing)), [2, 6, 1]);
    assert!(scorer.completions(&[0, 1]) > 400 && scorer.completions(&[0, 1, 5]) == 2 * scorer.completions(&[0, 1]));
}

/// Of more numbers there is an estimate: within 0.05 nats where the sum over the hidden units is -ln Z. The random numbers
/// are fixed.
#[test]
fn more_missing_numbers_are_estimated() {
    let rbm = typed(4, 0.4, 5);
    let scorer = Scorer::new(&Dbn::from_rbms(vec![rbm.clone()]).unwrap(), &[4..7, 7..8], 1).unwrap();
    let v = [0.3f32, -1.25, 0.5, 0.0, 0.0, 1.0, 0.0, -1.0];
    assert_eq!(scorer.observed(&v, &[0, 1, 2, 3]).unwrap(), None);
    let all = scorer.estimated(&v, &[0, 1, 2, 3, 4, 5, 6, 7]).unwrap().unwrap();
    let log_z = exact_log_partition(&rbm).unwrap();
    assert!((all - log_z).abs() < 0.05, "{all} and {log_z}");
    for missing in [&[1usize, 5, 4, 6][..], &[0, 7]] {
        let mut missing = missing.to_vec();
        missing.sort_unstable();
        let (exact, estimate) =
            (scorer.observed(&v, &missing).unwrap().unwrap(), scorer.estimated(&v, &missing).unwrap());
        assert!((exact - estimate.unwrap()).abs() < 0.05, "{exact} and {estimate:?}");
    }
    // Of letters too, but not of categories of bits, which chains do not keep to one level.
    let visible: Units = [Segment { units: UnitKind::Categorical, levels: 5, sites: 6 }].into_iter().collect();
    let bits = random_rbm(30, 9, 0, 0.6, 7);
    let hidden = bits.layers().hidden.clone();
    let letters =
        bits.clone().with_layers(Layers { visible, hidden }, FieldTensors::default(), FieldTensors::default()).unwrap();
    let choices: Vec<_> = (0..6).map(|site| 5 * site..5 * site + 5).collect();
    let v: Vec<f32> = (0..30).map(|unit| if unit % 5 == unit / 5 % 5 { 1.0 } else { 0.0 }).collect();
    let missing: Vec<usize> = (0..20).collect();
    let scorer = Scorer::new(&Dbn::from_rbms(vec![letters]).unwrap(), &choices, 1).unwrap();
    let (exact, estimate) = (scorer.observed(&v, &missing).unwrap().unwrap(), scorer.estimated(&v, &missing).unwrap());
    assert!((exact - estimate.unwrap()).abs() < 0.05, "{exact} and {estimate:?}");
    let scorer = Scorer::new(&Dbn::from_rbms(vec![bits]).unwrap(), &choices, 1).unwrap();
    assert_eq!(scorer.estimated(&v, &missing).unwrap(), None);
    let deep = Dbn::from_rbms(random_rbms(&[5, 4, 3], 0, 1.0)).unwrap();
    assert_eq!(Scorer::new(&deep, &[], 5).unwrap().estimated(&[0.0; 5], &[1]).unwrap(), None);
}

/// Costs by the definition: sums over the options of a value, and for a number sums over a grid a hundred times finer
/// than the scorer's.
#[test]
fn a_value_costs_what_its_conditional_says() {
    let rbm = typed(2, 0.8, 3);
    let scorer = Scorer::new(&Dbn::from_rbms(vec![rbm.clone()]).unwrap(), &[2..5, 5..6], 1).unwrap();
    let v = [0.3f32, -1.25, 0.0, 1.0, 0.0, -1.0];
    let with = |at: usize, values: &[f32]| {
        let mut v = v.to_vec();
        v[at..at + values.len()].copy_from_slice(values);
        v
    };
    let own = summed(&rbm, &[v.to_vec()]);
    let levels: Vec<Vec<f32>> = (0..3).map(|k| with(2, &[0, 1, 2].map(|l| f32::from(u8::from(k == l))))).collect();
    let spins: Vec<Vec<f32>> = [-1.0, 1.0].map(|s| with(5, &[s])).to_vec();
    for (at, options) in [(2..5, levels), (5..6, spins)] {
        let log_z = summed(&rbm, &options);
        let log_p: Vec<f64> = options.iter().map(|v| summed(&rbm, std::slice::from_ref(v)) - log_z).collect();
        let usual: f64 = log_p.iter().map(|x| -x.exp() * x).sum();
        let best = (0..options.len()).max_by(|&a, &b| log_p[a].total_cmp(&log_p[b])).unwrap();
        let found = scorer.conditional(&v, at.clone(), &[]).unwrap().unwrap();
        assert!((found.cost - (log_z - own)).abs() < 1e-5, "{found:?} and {}", log_z - own);
        assert!((found.usual - usual).abs() < 1e-5 && (found.surprise() - found.cost + usual).abs() < 1e-5);
        assert_eq!(found.expected, options[best][at]);
    }
    let (step, ends) = (0.01f32, 1500);
    let grid: Vec<f32> = (-ends..=ends).map(|k| k as f32 * step).collect();
    let terms: Vec<f64> = grid.iter().map(|&x| summed(&rbm, &[with(1, &[x])])).collect();
    let log_z = terms.iter().map(|x| x.exp() * f64::from(step)).sum::<f64>().ln();
    let density = |term: &f64| (term - log_z).exp() * f64::from(step);
    let usual: f64 = terms.iter().map(|term| density(term) * (log_z - term)).sum();
    let mean: f64 = terms.iter().zip(&grid).map(|(term, &x)| density(term) * f64::from(x)).sum();
    let found = scorer.conditional(&v, 1..2, &[]).unwrap().unwrap();
    assert!((found.cost - (log_z - own)).abs() < 1e-4, "{found:?} and {}", log_z - own);
    assert!((found.usual - usual).abs() < 1e-3, "{found:?} and {usual}");
    assert!((f64::from(found.expected[0]) - mean).abs() < 1e-3, "{found:?} and {mean}");
    // Beside a gap, both sums are over what it may be.
    let gap = scorer.conditional(&v, 5..6, &[2, 3, 4]).unwrap().unwrap();
    let expected =
        scorer.observed(&v, &[2, 3, 4, 5]).unwrap().unwrap() - scorer.observed(&v, &[2, 3, 4]).unwrap().unwrap();
    assert!((gap.cost - expected).abs() < 1e-9, "{gap:?} and {expected}");
    // A deep net has no density of numbers, and costs of its bits are those of its weights.
    let deep = Scorer::new(&Dbn::from_rbms(random_rbms(&[5, 4, 3], 0, 1.0)).unwrap(), &[], 50).unwrap();
    let v = [1.0f32, 0.0, 0.0, 1.0, 1.0];
    let found = deep.conditional(&v, 1..2, &[]).unwrap().unwrap();
    let expected = deep.observed(&v, &[1]).unwrap().unwrap() - deep.observed(&v, &[]).unwrap().unwrap();
    assert!((found.cost - expected).abs() < 1e-9, "{found:?} and {expected}");
}
