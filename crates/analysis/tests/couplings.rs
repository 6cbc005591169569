//! Effective couplings against sums over every pair of levels and every sequence, each from the free energy that the RBM
//! itself has.

use candle_core::{DType, Device, Tensor};
use deepbelief_analysis::couplings::{Couplings, pairs};
use deepbelief_analysis::sites::{Level, Sequences, Sites};
use deepbelief_analysis::three_body::{of_three, strongest};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::{FieldTensors, Layers, Rbm, Segment, UnitKind, Units};

type Test = Result<(), Box<dyn std::error::Error>>;

/// Numbers of a normal distribution.
fn normal(seed: u64, count: usize, std: f64) -> Vec<f64> {
    let mut values = vec![0.0f32; count];
    Uniforms::new(seed, Stream::User, 0).normal(std, count, &mut values);
    values.into_iter().map(f64::from).collect()
}

fn segment(units: UnitKind, levels: usize, sites: usize) -> Segment {
    Segment { units, levels, sites }
}

/// Two categories of 3 and 4 levels, a spin, a bit and another category.
fn mixed() -> Units {
    [
        segment(UnitKind::Categorical, 3, 1),
        segment(UnitKind::Categorical, 4, 1),
        segment(UnitKind::Spin, 1, 1),
        segment(UnitKind::Bernoulli, 1, 1),
        segment(UnitKind::Categorical, 3, 1),
    ]
    .into_iter()
    .collect()
}

/// An RBM with strong weights, whose hidden units have fields of all kinds.
fn rbm(visible: &Units, hidden: &Units, seed: u64) -> Result<Rbm, Box<dyn std::error::Error>> {
    let (v, h) = (visible.columns(), hidden.columns());
    let tensor =
        |seed, shape: &[usize], std| Tensor::from_vec(normal(seed, shape.iter().product(), std), shape, &Device::Cpu);
    let plain =
        Rbm::from_tensors(tensor(seed, &[v, h], 0.8)?, tensor(seed + 1, &[h], 0.5)?, tensor(seed + 2, &[v], 0.5)?)?;
    let below = hidden.any(|kind| kind == UnitKind::Drelu);
    let fields = FieldTensors {
        log_precision: hidden.any(UnitKind::has_precision).then(|| tensor(seed + 3, &[h], 0.4)).transpose()?,
        bias_below: below.then(|| tensor(seed + 4, &[h], 0.5)).transpose()?,
        log_precision_below: below.then(|| tensor(seed + 5, &[h], 0.4)).transpose()?,
    };
    let layers = Layers { visible: visible.clone(), hidden: hidden.clone() };
    Ok(plain.with_layers(layers, FieldTensors::default(), fields)?)
}

/// Sequences drawn evenly, and their weights.
fn sequences(levels: &[usize], count: usize) -> Result<Sequences, Box<dyn std::error::Error>> {
    let mut uniform = vec![0.0f32; count * levels.len()];
    Uniforms::new(7, Stream::User, 0).fill_row(0, &mut uniform);
    let drawn = uniform.iter().enumerate().map(|(at, u)| (u * levels[at % levels.len()] as f32) as Level).collect();
    let weights = (0..count).map(|n| 0.2 + n as f64 * 0.3).collect();
    Ok(Sequences::new(levels.len(), drawn, Some(weights))?)
}

/// A sequence as the values of a tensor.
fn values(units: &Units, sequence: &[Level]) -> Vec<f64> {
    let mut sites = sequence.iter();
    let mut values = Vec::new();
    for (segment, _) in units.each() {
        for &level in sites.by_ref().take(segment.sites) {
            match segment.units {
                UnitKind::Spin => values.push(2.0 * f64::from(level) - 1.0),
                UnitKind::Bernoulli => values.push(f64::from(level)),
                _ => values.extend((0..segment.levels).map(|a| f64::from(u8::from(a == usize::from(level))))),
            }
        }
    }
    values
}

/// The free energy of the RBM itself.
fn free_energy(rbm: &Rbm, sequence: &[Level]) -> Result<f64, Box<dyn std::error::Error>> {
    let values = values(&rbm.layers().visible, sequence);
    let v = Tensor::from_vec(values, (1, rbm.visible()), &Device::Cpu)?;
    Ok(rbm.free_energy(&v)?.to_dtype(DType::F64)?.to_vec1::<f64>()?[0])
}

/// Second differences of the free energy of sites i and j in the zero-sum gauge, by its definition.
fn by_hand(
    rbm: &Rbm,
    data: &Sequences,
    levels: &[usize],
    i: usize,
    j: usize,
) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let (rows, columns) = (levels[i], levels[j]);
    let mut block = vec![0.0; rows * columns];
    let total: f64 = data.weights().iter().sum();
    for (row, weight) in data.rows().zip(data.weights()) {
        let mut l = vec![0.0; rows * columns];
        for (a, b) in (0..rows).flat_map(|a| (0..columns).map(move |b| (a, b))) {
            let mut changed = row.to_vec();
            (changed[i], changed[j]) = (a as Level, b as Level);
            l[a * columns + b] = -free_energy(rbm, &changed)?;
        }
        let mean = |x: &mut dyn Iterator<Item = f64>, n: usize| x.sum::<f64>() / n as f64;
        for (a, b) in (0..rows).flat_map(|a| (0..columns).map(move |b| (a, b))) {
            let of_row = mean(&mut (0..columns).map(|b| l[a * columns + b]), columns);
            let of_column = mean(&mut (0..rows).map(|a| l[a * columns + b]), rows);
            let of_all = mean(&mut l.iter().copied(), rows * columns);
            block[a * columns + b] += weight / total * (l[a * columns + b] - of_row - of_column + of_all);
        }
    }
    Ok(block)
}

#[test]
fn couplings_are_second_differences_of_the_free_energy_for_hidden_units_of_every_kind() -> Test {
    let visible = mixed();
    for kind in [UnitKind::Bernoulli, UnitKind::Spin, UnitKind::Gaussian, UnitKind::Relu, UnitKind::Drelu] {
        let hidden = Units::of(kind, 3);
        let rbm = rbm(&visible, &hidden, 11)?;
        let sites = Sites::of(&rbm)?;
        let data = sequences(sites.levels(), 9)?;
        let energies = sites.free_energies(&data)?;
        for (row, found) in data.rows().zip(energies) {
            assert!((found - free_energy(&rbm, row)?).abs() < 1e-10, "{kind}: free energy");
        }
        let couplings = Couplings::effective(&sites, &data)?;
        let mut largest = 0.0f64;
        for ((i, j), block) in couplings.each() {
            let expected = by_hand(&rbm, &data, sites.levels(), i, j)?;
            for (found, expected) in block.iter().zip(&expected) {
                assert!((found - expected).abs() < 2e-6, "{kind} {i} {j}: {found} for {expected}");
                largest = largest.max(expected.abs());
            }
        }
        assert!(largest > 0.05, "{kind}: couplings of at most {largest} prove nothing");
    }
    Ok(())
}

/// Over Gaussian units the model is a Potts model: its couplings are `sum_u W_iu(a) W_ju(b) / g_u`, whatever the data.
#[test]
fn over_gaussian_units_couplings_are_those_of_the_potts_model() -> Test {
    let (visible, hidden) = (Units::categorical(4, 3), Units::of(UnitKind::Gaussian, 2));
    let rbm = rbm(&visible, &hidden, 5)?;
    let sites = Sites::of(&rbm)?;
    let g: Vec<f64> = rbm.hidden_fields().log_precision.as_ref().ok_or("no precision")?.exp()?.to_vec1()?;
    let potts = pairs(4).map(|(i, j)| {
        let all = (0..3).flat_map(|a| (0..3).map(move |b| (a, b)));
        let product = |(a, b)| (0..2).map(|u| sites.weights(i, a)[u] * sites.weights(j, b)[u] / g[u]).sum();
        all.map(product).collect()
    });
    let potts = Couplings::new(vec![3; 4], potts.collect());
    let found = Couplings::effective(&sites, &sequences(&[3; 4], 5)?)?;
    for ((_, a), (_, b)) in found.each().zip(potts.each()) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9));
    }
    Ok(())
}

/// Third differences of the free energy of three sites in the zero-sum gauge: each level less the mean over its site.
fn three_by_hand(
    rbm: &Rbm,
    data: &Sequences,
    q: &[usize],
    triple: [usize; 3],
) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let [p, q, r] = triple.map(|site| q[site]);
    let mut block = vec![0.0; p * q * r];
    let total: f64 = data.weights().iter().sum();
    for (row, weight) in data.rows().zip(data.weights()) {
        let mut l = vec![0.0; p * q * r];
        for (at, l) in l.iter_mut().enumerate() {
            let mut changed = row.to_vec();
            for (site, level) in triple.into_iter().zip([at / (q * r), at / r % q, at % r]) {
                changed[site] = level as Level;
            }
            *l = -free_energy(rbm, &changed)?;
        }
        // The mean over the sites whose level is none.
        let mean = |a: Option<usize>, b: Option<usize>, c: Option<usize>| {
            let is = |x: usize, wanted: Option<usize>| wanted.is_none_or(|wanted| wanted == x);
            let kept = |&at: &usize| is(at / (q * r), a) && is(at / r % q, b) && is(at % r, c);
            let kept: Vec<f64> = (0..l.len()).filter(kept).map(|at| l[at]).collect();
            kept.iter().sum::<f64>() / kept.len() as f64
        };
        for (at, x) in block.iter_mut().enumerate() {
            let (a, b, c) = (Some(at / (q * r)), Some(at / r % q), Some(at % r));
            let third = mean(a, b, c) - mean(None, b, c) - mean(a, None, c) - mean(a, b, None)
                + mean(a, None, None)
                + mean(None, b, None)
                + mean(None, None, c)
                - mean(None, None, None);
            *x += weight / total * third;
        }
    }
    Ok(block)
}

#[test]
fn couplings_of_three_are_third_differences_of_the_free_energy() -> Test {
    let triples = [[0, 1, 2], [1, 3, 4], [4, 2, 0]];
    for kind in [UnitKind::Bernoulli, UnitKind::Spin, UnitKind::Gaussian, UnitKind::Relu, UnitKind::Drelu] {
        let rbm = rbm(&mixed(), &Units::of(kind, 3), 31)?;
        let sites = Sites::of(&rbm)?;
        let data = sequences(sites.levels(), 6)?;
        let mut largest = 0.0f64;
        for (triple, found) in triples.iter().zip(of_three(&sites, &data, &triples)?) {
            let expected = three_by_hand(&rbm, &data, sites.levels(), *triple)?;
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 2e-6, "{kind} {triple:?}: {found} for {expected}");
                largest = largest.max(expected.abs());
            }
        }
        // Gaussian units couple pairs alone.
        let is_quadratic = kind == UnitKind::Gaussian;
        assert!(is_quadratic == (largest < 1e-9) && (is_quadratic || largest > 1e-3), "{kind}: {largest}");
        let ranked = strongest(&sites, &data, &triples, |site, level| site != 0 || level > 0)?;
        assert!(ranked.iter().all(|triple| triple.coupling.is_none()) && ranked.is_sorted_by(|a, b| a.norm >= b.norm));
        let expected = three_by_hand(&rbm, &data, sites.levels(), triples[0])?;
        // The first level of site 0 is left out: the first 8 of 3 x 4 x 2.
        let norm = expected[8..].iter().map(|x| x * x).sum::<f64>().sqrt();
        let found = ranked.iter().find(|triple| triple.sites == triples[0]).ok_or("none")?;
        assert!((found.norm - norm).abs() < 1e-5, "{kind}: {} for {norm}", found.norm);
    }
    Ok(())
}

/// Of spins and bits the couplings of two and of three are one number each.
#[test]
fn spins_have_signed_couplings() -> Test {
    let visible: Units = [segment(UnitKind::Spin, 1, 2), segment(UnitKind::Bernoulli, 1, 2)].into_iter().collect();
    let triples = [[0, 1, 2], [0, 2, 3], [3, 1, 0]];
    let rbm = rbm(&visible, &Units::of(UnitKind::Bernoulli, 3), 21)?;
    let sites = Sites::of(&rbm)?;
    let data = sequences(&[2; 4], 7)?;
    let total: f64 = data.weights().iter().sum();
    for triple in strongest(&sites, &data, &triples, |_, _| true)? {
        let mut expected = 0.0;
        for (row, weight) in data.rows().zip(data.weights()) {
            for word in 0..8u16 {
                let mut changed = row.to_vec();
                triple.sites.iter().enumerate().for_each(|(k, &site)| changed[site] = word >> k & 1);
                let sign = if word.count_ones() % 2 == 1 { 1.0 } else { -1.0 };
                expected -= sign * weight / total / 8.0 * free_energy(&rbm, &changed)?;
            }
        }
        let found = triple.coupling.ok_or("two levels each")?;
        assert!((found - expected).abs() < 1e-6 && expected.abs() > 1e-4, "{triple:?}: {expected}");
        assert!((triple.norm - 8f64.sqrt() * found.abs()).abs() < 1e-12);
    }
    let pairs = Couplings::effective(&sites, &data)?;
    let of_spins = pairs.of_spins().ok_or("two levels each")?;
    let first = by_hand(&rbm, &data, &[2; 4], 0, 1)?;
    // (L(1,1) - L(1,-1) - L(-1,1) + L(-1,-1)) / 4.
    assert!((of_spins[0] - first[3]).abs() < 2e-6 && (first[3] + first[1]).abs() < 1e-9);
    let refusal = of_three(&sites, &data, &[[2, 3, 3]]).unwrap_err().to_string();
    assert_eq!(refusal, "three sites is [2, 3, 3] (from 0); it must be three different sites below 4");
    assert!(of_three(&sites, &data, &[[2, 3, 9]]).is_err());
    Ok(())
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() -> Test {
    let (visible, hidden) = (Units::categorical(6, 4), Units::of(UnitKind::Drelu, 3));
    let sites = Sites::of(&rbm(&visible, &hidden, 3)?)?;
    let data = sequences(&[4; 6], 50)?;
    let with = |threads| -> Result<Couplings, Box<dyn std::error::Error>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        Ok(pool.install(|| Couplings::effective(&sites, &data))?)
    };
    assert_eq!(with(1)?, with(3)?);
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused_in_words() -> Test {
    let gaussian = rbm(&Units::of(UnitKind::Gaussian, 2), &Units::of(UnitKind::Bernoulli, 2), 1)?;
    let refusal = Sites::of(&gaussian).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "an analysis by sites is not for 2 gaussian visible units; it needs bernoulli, spin or categorical visible units"
    );
    let sites = Sites::of(&rbm(&Units::categorical(2, 3), &Units::of(UnitKind::Bernoulli, 2), 1)?)?;
    let refusal = |levels: Vec<Level>, of: usize| {
        Couplings::effective(&sites, &Sequences::new(of, levels, None).unwrap()).unwrap_err().to_string()
    };
    assert_eq!(refusal(vec![0, 1, 2], 3), "sites of a sequence: there are 3, expected 2, as the model has");
    assert_eq!(refusal(vec![0, 3], 2), "a level is 3 at site 1 (from 0); it must be below 3");
    assert!(Sequences::new(2, vec![0, 1, 2], None).is_err() && Sequences::new(2, Vec::new(), None).is_err());
    Ok(())
}
