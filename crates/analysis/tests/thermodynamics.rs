//! Energies, heat capacities and entropies against sums over all states.

use candle_core::{Device, Tensor};
use deepbelief_analysis::sites::{Level, Sequences, Sites};
use deepbelief_analysis::thermodynamics::{Run, thermodynamics};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::{FieldTensors, Layers, Rbm, Segment, UnitKind, Units};

type Test = Result<(), Box<dyn std::error::Error>>;

fn rbm(hidden: UnitKind) -> Result<Rbm, Box<dyn std::error::Error>> {
    let segment = |units, levels, sites| Segment { units, levels, sites };
    let visible: Units =
        [segment(UnitKind::Categorical, 3, 1), segment(UnitKind::Spin, 1, 2), segment(UnitKind::Bernoulli, 1, 1)]
            .into_iter()
            .collect();
    let tensor = |row: u32, shape: &[usize], std: f64| {
        let mut values = vec![0.0f32; shape.iter().product()];
        Uniforms::new(9, Stream::User, row).normal(std, values.len(), &mut values);
        Tensor::from_vec(values, shape, &Device::Cpu)
    };
    let plain = Rbm::from_tensors(tensor(0, &[6, 3], 0.8)?, tensor(1, &[3], 0.5)?, tensor(2, &[6], 0.5)?)?;
    let layers = Layers { visible, hidden: Units::of(hidden, 3) };
    Ok(plain.with_layers(layers, FieldTensors::default(), FieldTensors::default())?)
}

/// ln Z, the mean of the energy and beta² times its variance, from every state of both layers.
fn exact(rbm: &Rbm, beta: f64) -> Result<(f64, f64, f64), Box<dyn std::error::Error>> {
    let sites = Sites::of(rbm)?;
    let biases: Vec<f32> = rbm.hb().to_vec1()?;
    let off = if rbm.layers().hidden.all(|kind| kind == UnitKind::Spin) { -1.0 } else { 0.0 };
    let (mut z, mut first, mut second) = (0.0, 0.0, 0.0);
    for (a, rest) in (0..3u16).flat_map(|a| (0..8u16).map(move |rest| (a, rest))) {
        let v: Vec<Level> = vec![a, rest & 1, rest >> 1 & 1, rest >> 2 & 1];
        let visible: f64 = v.iter().enumerate().map(|(site, &level)| sites.energy(site, level.into())).sum();
        let inputs = sites.inputs(&v);
        for word in 0..8u32 {
            let h = |u: usize| if word >> u & 1 == 1 { 1.0 } else { off };
            let e = visible - (0..3).map(|u| h(u) * (inputs[u] + f64::from(biases[u]))).sum::<f64>();
            let p = (-beta * e).exp();
            (z, first, second) = (z + p, first + p * e, second + p * e * e);
        }
    }
    Ok((z.ln(), first / z, beta * beta * (second / z - (first / z).powi(2))))
}

/// 1,600 chains of 100 steps: the standard errors of energies are below 0.01 here, those of ln Z below 0.0075. Seeds are fixed.
#[test]
fn a_ladder_has_the_exact_energies_heat_capacities_and_entropies() -> Test {
    for hidden in [UnitKind::Bernoulli, UnitKind::Spin] {
        let rbm = rbm(hidden)?;
        let ladder = [0.0, 0.5, 1.0, 1.5];
        let found = thermodynamics(&rbm, &ladder, &Run { chains: 1600, steps: 100, seed: 1 })?;
        for (rung, beta) in found.iter().zip(ladder) {
            let (log_z, energy, heat_capacity) = exact(&rbm, beta)?;
            assert_eq!(rung.beta, beta);
            assert!(
                (rung.energy - energy).abs() < 5.0 * rung.energy_error + 1e-6,
                "{hidden} {beta}: {rung:?} for {energy}"
            );
            assert!(rung.energy_error < 0.05);
            assert!(
                (rung.heat_capacity - heat_capacity).abs() < 0.1 * heat_capacity + 1e-9,
                "{hidden} {beta}: {rung:?} for {heat_capacity}"
            );
            assert!((rung.log_z - log_z).abs() < 0.02, "{hidden} {beta}: {} for {log_z}", rung.log_z);
            assert!((rung.entropy - (log_z + beta * energy)).abs() < 0.1);
            assert_eq!(rung.overlaps.iter().sum::<u32>(), 800 * 800);
        }
        let rates: Vec<f64> = found.iter().filter_map(|rung| rung.swap_rate).collect();
        assert!(rates.len() == 3 && rates.iter().all(|rate| (0.1..1.0).contains(rate)), "{rates:?}");
        assert!(found[0].overlap.abs() < 0.02 && found[3].overlap > found[0].overlap, "order comes with the cold");
        // A ladder that starts above 0 goes through 0 all the same.
        let later = thermodynamics(&rbm, &[1.0], &Run { chains: 400, steps: 100, seed: 2 })?;
        assert!(later.len() == 1 && (later[0].log_z - exact(&rbm, 1.0)?.0).abs() < 0.06);
    }
    Ok(())
}

/// Twelve spins that follow one hidden spin, in a weak field: two wells that cold chains do not leave. Chains that only go up the
/// ladder keep the shares of beta 1.1 or so, 0.27 in the shallower one where there are 0.09 at beta 2, which is 0.24 nats of
/// energy; with swaps the standard error is about 0.02. The seed is fixed.
#[test]
fn swaps_bring_cold_chains_over() -> Test {
    // One hidden spin that all visible ones follow, with a field that makes one well the deeper.
    let of = |values: Vec<f32>, shape: &[usize]| Tensor::from_vec(values, shape, &Device::Cpu);
    let plain = Rbm::from_tensors(of(vec![0.9; 12], &[12, 1])?, of(vec![0.0], &[1])?, of(vec![0.05; 12], &[12])?)?;
    let layers = Layers { visible: Units::of(UnitKind::Spin, 12), hidden: Units::of(UnitKind::Spin, 1) };
    let rbm = plain.with_layers(layers, FieldTensors::default(), FieldTensors::default())?;
    let ladder: Vec<f64> = (0..=10).map(|k| 0.2 * f64::from(k)).collect();
    let found = thermodynamics(&rbm, &ladder, &Run { chains: 200, steps: 400, seed: 1 })?;
    for rung in &found {
        // ln Z, with the hidden spin up and down: 12 spins in the fields 0.95 and 0.85.
        let log_z =
            |beta: f64| [0.95, 0.85].map(|field: f64| (2.0 * (beta * field).cosh()).powi(12)).iter().sum::<f64>().ln();
        let h = 1e-4;
        let energy = (log_z(rung.beta - h) - log_z(rung.beta + h)) / (2.0 * h);
        assert!((rung.energy - energy).abs() < 0.1, "{rung:?} for {energy}");
        assert!((rung.log_z - log_z(rung.beta)).abs() < 0.05, "{rung:?} for {}", log_z(rung.beta));
    }
    Ok(())
}

#[test]
fn what_cannot_be_measured_is_refused() -> Test {
    let rbm = rbm(UnitKind::Bernoulli)?;
    let run = Run { chains: 4, steps: 1, seed: 1 };
    for ladder in [&[][..], &[0.5, 0.5], &[-1.0, 0.0], &[0.0, f64::INFINITY]] {
        assert!(thermodynamics(&rbm, ladder, &run).is_err(), "{ladder:?}");
    }
    assert!(thermodynamics(&rbm, &[1.0], &Run { chains: 1, ..run }).is_err());
    let drelu = rbm.with_hidden_units(UnitKind::Drelu)?;
    let refusal = thermodynamics(&drelu, &[1.0], &run).unwrap_err().to_string();
    assert!(refusal.contains("it needs bernoulli or spin hidden units"), "{refusal}");
    Ok(())
}

/// The chains of mixed units have the distribution that enumeration has.
#[test]
fn chains_draw_from_the_model() -> Test {
    use deepbelief_analysis::chains::Chains;
    let rbm = rbm(UnitKind::Spin)?;
    let sites = Sites::of(&rbm)?;
    let mut chains = Chains::new(&rbm, 4000, 3)?;
    chains.advance(60)?;
    let drawn = Sequences::of_values(&rbm.layers().visible, &chains.states().to_values(), None)?;
    let all: Vec<Vec<Level>> =
        (0..3).flat_map(|a| (0..8u16).map(move |rest| vec![a, rest & 1, rest >> 1 & 1, rest >> 2 & 1])).collect();
    let energies = sites.free_energies(&Sequences::new(4, all.concat(), None)?)?;
    let z: f64 = energies.iter().map(|f| (-f).exp()).sum();
    // Frequencies of 24 states, each within five standard errors; the seed is fixed.
    for (state, f) in all.iter().zip(energies) {
        let p = (-f).exp() / z;
        let found = drawn.rows().filter(|row| row == state).count() as f64 / 4000.0;
        assert!((found - p).abs() < 5.0 * (p * (1.0 - p) / 4000.0).sqrt() + 1e-3, "{state:?}: {found} for {p}");
    }
    Ok(())
}
