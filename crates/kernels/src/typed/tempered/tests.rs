use super::*;
use crate::learning::parameters::Fields;
use crate::rng::Stream;
use crate::units::layers::{Segment, Units};
use crate::units::reference;

fn numbers(n: usize, scale: f32, step: u32) -> Vec<f32> {
    let mut out = vec![0.0; n];
    Uniforms::new(7, Stream::User, step).fill_row(0, &mut out);
    out.iter().map(|u| scale * (2.0 * u - 1.0)).collect()
}

fn units(parts: &[(UnitKind, usize, usize)]) -> Units {
    parts.iter().map(|&(units, levels, sites)| Segment { units, levels, sites }).collect()
}

/// 2 Gaussian, 1 categorical of 3, 2 spin units under one of each hidden kind.
fn model() -> (Layers, Parameters) {
    use UnitKind::{Bernoulli, Categorical, Drelu, Gaussian, Relu, Spin};
    let layers = Layers {
        visible: units(&[(Gaussian, 1, 2), (Categorical, 3, 1), (Spin, 1, 2)]),
        hidden: units(&[(Bernoulli, 1, 1), (Gaussian, 1, 1), (Relu, 1, 1), (Drelu, 1, 1), (Spin, 1, 1)]),
    };
    let mut parameters = Parameters {
        w_rec: numbers(35, 0.8, 0),
        hb: numbers(5, 1.0, 1),
        vb: numbers(7, 1.0, 2),
        visible_fields: Fields::at_rest(&layers.visible),
        hidden_fields: Fields::at_rest(&layers.hidden),
        ..Parameters::default()
    };
    parameters.visible_fields.log_precision[..2].copy_from_slice(&[0.4, 1.1]);
    parameters.hidden_fields.log_precision = vec![0.0, 0.3, -0.5, 0.2, 0.0];
    parameters.hidden_fields.bias_below[3] = -0.7;
    parameters.hidden_fields.log_precision_below[3] = 0.6;
    (layers, parameters)
}

/// ln p* at β, in double precision, of states whose spins are bits. `from` are b, g and c at β = 0, in bits.
fn log_p(p: &Parameters, from: &PathBiases, v: &[f32], beta: f64) -> f64 {
    let at = |line: &BiasLine, k: usize| f64::from(line.offset[k]) + beta * f64::from(line.slope[k]);
    let hidden = p.hb.len();
    let mut sum = 0.0;
    for (i, &x) in v.iter().enumerate() {
        let x = f64::from(x);
        sum += at(&from.visible, i) * x;
        if let (Some(g), true) = (&from.precision, i < 2) {
            sum -= 0.5 * at(g, i) * x * x;
        }
    }
    for u in 0..hidden {
        let terms = v.iter().enumerate().map(|(i, &x)| f64::from(x) * f64::from(p.w_rec[i * hidden + u]));
        let shift = at(&from.hidden, u) - f64::from(p.hb[u]);
        let x = beta * terms.sum::<f64>() + shift;
        let log_g = f64::from(p.hidden_fields.log_precision[u]);
        let below = (f64::from(p.hidden_fields.bias_below[u]), f64::from(p.hidden_fields.log_precision_below[u]));
        let fields = [f64::from(p.hb[u]), log_g.exp(), below.0, below.1.exp()];
        sum += match u {
            1 => reference::gaussian(x, fields).cgf,
            2 => reference::relu(x, fields).cgf,
            3 => reference::drelu(x, fields).cgf,
            _ => (x + f64::from(p.hb[u])).exp().ln_1p(),
        };
    }
    sum
}

/// The ratios of far and near temperatures are those of the formula, with 40 chains at temperatures of their own.
#[test]
fn chains_collect_the_ratios_of_their_temperatures() {
    let (layers, parameters) = model();
    let (_, bits, _) = spins_as_bits(&layers, &parameters);
    let mut chains = TypedTempered::new(&layers, &parameters, &[0.0; 7]);
    let g: Vec<f32> = bits.visible_fields.log_precision.iter().map(|&x| libm::expf(x)).collect();
    let path = PathBiases {
        visible: BiasLine::between(&numbers(7, 1.0, 5), &bits.vb),
        hidden: BiasLine::between(&numbers(5, 1.0, 6), &bits.hb),
        precision: Some(BiasLine::between(&[0.8, 1.5, 1.0, 1.0, 1.0, 1.0, 1.0], &g)),
    };
    chains.set_biases(&path).unwrap();
    let draw = |stream, step| Uniforms::new(3, stream, step);
    let draws = |step| GibbsDraws {
        hidden: draw(Stream::AnnealHidden, step),
        visible: draw(Stream::AnnealVisible, step),
        label: draw(Stream::AnnealLabel, step),
    };
    chains.start(40, &draws(0)).unwrap();
    let betas: Vec<f32> = (0..40).map(|k| k as f32 / 39.0).collect();
    for step in 1..4 {
        chains.gibbs(Betas::Each(&betas), &draws(step)).unwrap();
        let v = chains.states().unwrap().to_values();
        for width in [1e-5, 0.02, 0.5] {
            let next: Vec<f32> =
                betas.iter().map(|beta| if *beta < 0.5 { beta + width } else { beta - width }).collect();
            chains.anneal(Betas::Each(&betas), Betas::Each(&next), None).unwrap();
            for (chain, got) in chains.take_log_weights().unwrap().into_iter().enumerate() {
                let own = &v[chain * 7..(chain + 1) * 7];
                let at = |beta: f32| log_p(&bits, &path, own, f64::from(beta));
                let want = at(next[chain]) - at(betas[chain]);
                let tolerance = 1e-5 + 2e-6 * want.abs().max(own.iter().map(|x| f64::from(x * x)).sum());
                let tolerance = if width < 1e-3 { 3e-8 + 2e-6 * want.abs() + 1e-7 } else { tolerance };
                assert!((got - want).abs() < tolerance, "chain {chain}, {width}: {got}, exactly {want}");
            }
        }
    }
}

/// Means over the chains of a chain's start, against those of independent units: 4,000 chains, five standard errors,
/// a failure below 1e-5 for the seven columns.
#[test]
fn chains_start_from_independent_units() {
    let (layers, parameters) = model();
    let base = [0.5, -1.0, 0.2, -0.4, 0.9, 0.3, -0.6];
    let mut chains = TypedTempered::new(&layers, &parameters, &base);
    let draw = Uniforms::new(3, Stream::User, 0);
    chains.start(4000, &GibbsDraws { hidden: draw, visible: draw, label: draw }).unwrap();
    let v = chains.states().unwrap().to_values();
    let g = [libm::exp(0.4_f32.into()), libm::exp(1.1_f32.into())];
    let whole: f64 = base[2..5].iter().map(|&b| libm::exp(b.into())).sum();
    for column in 0..7 {
        let b = f64::from(base[column]);
        let (mean, variance) = match column {
            0 | 1 => (b / g[column], 1.0 / g[column]),
            2..5 => (b.exp() / whole, b.exp() / whole * (1.0 - b.exp() / whole)),
            _ => (1.0 / (1.0 + (-2.0 * b).exp()), 0.25),
        };
        let found = v.iter().skip(column).step_by(7).map(|&x| f64::from(x)).sum::<f64>() / 4000.0;
        let error = (variance / 4000.0).sqrt();
        assert!((found - mean).abs() < 5.0 * error, "column {column}: {found}, exactly {mean}");
    }
}
