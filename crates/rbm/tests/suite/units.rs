//! Units of all kinds on tensors: known values, sums over all states, differences, forms of one distribution.

use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Fields, Parameters, Stream, Uniforms};
use deepbelief_rbm::likelihood::exact_log_partition;
use deepbelief_rbm::{Layers, Provenance, Rbm, Segment, UnitKind, Units, load, save};

fn segment(units: UnitKind, levels: usize, sites: usize) -> Segment {
    Segment { units, levels, sites }
}

fn tensor(values: &[f64], rows: usize) -> Tensor {
    Tensor::from_slice(values, (rows, values.len() / rows), &Device::Cpu).unwrap()
}

fn scalar(tensor: &Tensor) -> f64 {
    tensor.flatten_all().unwrap().to_vec1::<f64>().unwrap()[0]
}

/// `[b, g, b-, g-]` of every column as a layer has them.
fn fields(units: &Units, of: &[[f64; 4]]) -> (Vec<f32>, Fields) {
    let mut fields = Fields::at_rest(units);
    let column = |at: usize| of.iter().map(move |f| f[at]);
    let values = [
        column(1).map(|g| g.ln() as f32).collect::<Vec<_>>(),
        column(2).map(|b| b as f32).collect(),
        column(3).map(|g| g.ln() as f32).collect(),
    ];
    for ((_, field), values) in fields.each_mut().into_iter().zip(values) {
        if !field.is_empty() {
            *field = values;
        }
    }
    (column(0).map(|b| b as f32).collect(), fields)
}

fn rbm(layers: &Layers, w: &[f64], visible: &[[f64; 4]], hidden: &[[f64; 4]]) -> Rbm {
    let ((vb, visible_fields), (hb, hidden_fields)) =
        (fields(&layers.visible, visible), fields(&layers.hidden, hidden));
    let w_rec = w.iter().map(|&w| w as f32).collect();
    let parameters = Parameters { w_rec, hb, vb, visible_fields, hidden_fields, ..Parameters::default() };
    Rbm::from_parameters(layers, parameters, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
}

/// b, g, b-, g-, input; cgf, mean, variance.
#[test]
fn known_values_come_out() {
    let drelu = UnitKind::Drelu;
    let relu = UnitKind::Relu;
    for (kind, [b, below, g, g_below, x], [cgf, mean, variance]) in [
        (drelu, [0.5, -0.3, 1.2, 0.8, 0.0], [1.277_671_948, -0.112_400_143, 1.421_844_995]),
        (drelu, [0.5, -0.3, 1.2, 0.8, 2.0], [3.436_506_838, 2.070_582_142, 0.866_011_972]),
        (drelu, [0.5, -0.3, 1.2, 0.8, -2.0], [4.338_226_372, -2.869_845_162, 1.266_516_080]),
        (drelu, [-3.0, 3.0, 1.0, 2.0, 0.0], [-0.528_331_370, 0.023_279_964, 0.134_546_519]),
        (drelu, [1.0, 1.0, 1.0, 1.0, 0.7], [2.363_938_533, 1.7, 1.0]),
        (drelu, [0.0, 0.0, 1.0, 4.0, -3.0], [1.362_811_229, -0.733_447_876, 0.270_951_437]),
        (relu, [0.5, 0.0, 1.2, 1.0, 0.0], [0.540_325_362, 0.902_132_233, 0.395_379_198]),
        (relu, [0.5, 0.0, 1.2, 1.0, 2.0], [3.420_641_35, 2.110_576_22, 0.775_835_149]),
        (relu, [0.5, 0.0, 1.2, 1.0, -2.0], [-0.694_525_517, 0.418_965_477, 0.134_094_415]),
        (relu, [0.0, 0.0, 1.0, 1.0, -20.0], [-2.998_216_84, 0.049_753_068_5, 0.002_463_26]),
        (relu, [0.0, 0.0, 1.0, 1.0, -1000.0], [-6.907_756_28, 9.999_98e-4, 9.999_94e-7]),
    ] {
        let layers = Layers { visible: Units::of(UnitKind::Bernoulli, 1), hidden: Units::of(kind, 1) };
        let rbm = rbm(&layers, &[1.0], &[[0.0; 4]], &[[b, g, below, g_below]]);
        let v = tensor(&[x], 1);
        let got = [
            -scalar(&rbm.free_energy(&v).unwrap()),
            scalar(&rbm.forward(&v).unwrap()),
            scalar(&rbm.hidden_variance(&v).unwrap()),
        ];
        for (got, known) in got.iter().zip([cgf, mean, variance]) {
            // Fields are numbers of 32 bits.
            assert!((got - known).abs() < 1e-6 * known.abs().max(0.3), "{kind} at {x}: {got}, known {known}");
        }
    }
}

const MIXED: [[f64; 3]; 7] = [
    [0.5, -0.3, 0.2],
    [-0.1, 0.4, 0.6],
    [0.2, -0.5, 0.1],
    [0.3, 0.3, -0.2],
    [-0.4, 0.2, 0.15],
    [0.35, -0.25, 0.45],
    [0.6, -0.1, -0.3],
];

fn discrete() -> [Segment; 3] {
    [segment(UnitKind::Categorical, 3, 1), segment(UnitKind::Spin, 1, 1), segment(UnitKind::Bernoulli, 1, 1)]
}

/// Biases of the discrete visible units.
const BIASES: [f64; 5] = [0.1, -0.4, 0.3, 0.25, -0.5];

fn biases_alone(biases: &[f64]) -> Vec<[f64; 4]> {
    biases.iter().map(|&b| [b, 1.0, 0.0, 1.0]).collect()
}

#[test]
fn a_mixed_visible_layer_has_the_known_partition_function() {
    let visible: Units = [segment(UnitKind::Gaussian, 1, 2)].into_iter().chain(discrete()).collect();
    let layers = Layers { visible, hidden: Units::of(UnitKind::Bernoulli, 3) };
    let mut of_visible = vec![[0.3, 1.5, 0.0, 1.0], [-0.2, 0.8, 0.0, 1.0]];
    of_visible.extend(biases_alone(&BIASES));
    let rbm = rbm(&layers, MIXED.as_flattened(), &of_visible, &biases_alone(&[0.1, -0.2, 0.3]));
    let log_z = exact_log_partition(&rbm).unwrap();
    assert!((log_z - 6.845_826_089).abs() < 1e-6, "{log_z}");
    let free = scalar(&rbm.free_energy(&tensor(&[0.7, -1.1, 0.0, 0.0, 1.0, -1.0, 1.0], 1)).unwrap());
    assert!((free + 0.886_533_947).abs() < 1e-6, "{free}");
    assert!((-free - log_z + 5.959_292_142).abs() < 1e-6);
}

fn mixed_above() -> Rbm {
    let hidden: Units =
        [UnitKind::Drelu, UnitKind::Gaussian, UnitKind::Relu].map(|kind| segment(kind, 1, 1)).into_iter().collect();
    let layers = Layers { visible: discrete().into_iter().collect(), hidden };
    let of_hidden = [[0.5, 1.2, -0.3, 0.8], [0.2, 1.5, 0.0, 1.0], [-0.1, 0.9, 0.0, 1.0]];
    rbm(&layers, MIXED[2..].as_flattened(), &biases_alone(&BIASES), &of_hidden)
}

#[test]
fn a_mixed_hidden_layer_has_the_known_probabilities() {
    const KNOWN: [f64; 12] = [
        -3.176_694_753,
        -3.806_264_938,
        -1.700_285_368,
        -1.874_107_056,
        -3.707_720_145,
        -4.286_597_345,
        -2.504_801_665,
        -2.626_358_172,
        -2.342_370_287,
        -3.538_478_417,
        -1.677_703_415,
        -2.347_118_200,
    ];
    let rbm = mixed_above();
    let log_z = exact_log_partition(&rbm).unwrap();
    assert!((log_z - 4.991_628_616).abs() < 1e-6, "{log_z}");
    let mut known = KNOWN.into_iter();
    for level in 0..3 {
        for spin in [-1.0, 1.0] {
            for bit in [0.0, 1.0] {
                let mut v = [0.0, 0.0, 0.0, spin, bit];
                v[level] = 1.0;
                let log_p = -scalar(&rbm.free_energy(&tensor(&v, 1)).unwrap()) - log_z;
                assert!((log_p - known.next().unwrap()).abs() < 1e-6, "({level}, {spin}, {bit}): {log_p}");
            }
        }
    }
}

/// A determinant against the sum over a grid of one of two units: a step of 0.05 to 15 standard deviations.
#[test]
fn gaussian_units_alone_are_a_normal_distribution() {
    let kind = UnitKind::Gaussian;
    let layers = Layers { visible: Units::of(kind, 1), hidden: Units::of(kind, 2) };
    let one = rbm(&layers, &[0.4, -0.7], &[[0.3, 1.5, 0.0, 1.0]], &[[0.2, 1.0, 0.0, 1.0], [-0.5, 1.3, 0.0, 1.0]]);
    let grid: Vec<f64> = (-400..=400).map(|i| f64::from(i) * 0.05).collect();
    let free: Vec<f64> = one.free_energy(&tensor(&grid, grid.len())).unwrap().to_vec1().unwrap();
    let z: f64 = free.iter().map(|f| (-f).exp() * 0.05).sum();
    assert!((exact_log_partition(&one).unwrap() - z.ln()).abs() < 1e-9);
    let wild = rbm(&layers, &[1.4, -0.7], &[[0.3, 1.5, 0.0, 1.0]], &[[0.2, 1.0, 0.0, 1.0], [-0.5, 1.3, 0.0, 1.0]]);
    let refusal = exact_log_partition(&wild).unwrap_err().to_string();
    assert!(refusal.starts_with("weights between gaussian units is too large"), "{refusal}");
}

/// Mean and variance of units of each kind are the derivatives of cgf, which is what -F is of one visible Bernoulli unit
/// that takes any value.
#[test]
fn means_and_variances_are_derivatives_of_cgf() {
    for kind in UnitKind::ALL.into_iter().filter(|&kind| kind != UnitKind::Categorical) {
        let layers = Layers { visible: Units::of(UnitKind::Bernoulli, 1), hidden: Units::of(kind, 1) };
        let rbm = rbm(&layers, &[1.0], &[[0.0; 4]], &[[0.4, 1.7, -0.6, 0.5]]);
        let cgf = |x: f64| -scalar(&rbm.free_energy(&tensor(&[x], 1)).unwrap());
        let mean = |x: f64| scalar(&rbm.forward(&tensor(&[x], 1)).unwrap());
        for x in [-9.0, -2.5, -0.3, 0.0, 1.1, 4.0] {
            let slope = |of: &dyn Fn(f64) -> f64| (of(x + 1e-4) - of(x - 1e-4)) / 2e-4;
            let variance = scalar(&rbm.hidden_variance(&tensor(&[x], 1)).unwrap());
            assert!((mean(x) - slope(&cgf)).abs() < 1e-6, "{kind} at {x}: mean {}", mean(x));
            assert!((variance - slope(&mean)).abs() < 1e-6, "{kind} at {x}: variance {variance}");
        }
    }
}

/// Draws of every kind have the mean and the variance that they say: of 20 000, within five standard errors, which one test
/// in 100 000 leaves, and the seed is fixed.
#[test]
fn draws_have_their_means_and_variances() {
    const DRAWS: usize = 20_000;
    let hidden: Units = [
        segment(UnitKind::Bernoulli, 1, 2),
        segment(UnitKind::Spin, 1, 2),
        segment(UnitKind::Categorical, 3, 2),
        segment(UnitKind::Gaussian, 1, 2),
        segment(UnitKind::Relu, 1, 2),
        segment(UnitKind::Drelu, 1, 2),
    ]
    .into_iter()
    .collect();
    let columns = hidden.columns();
    let layers = Layers { visible: Units::of(UnitKind::Spin, 1), hidden };
    let some = |at: usize| [0.3 * at as f64 - 1.5, 0.4 + 0.2 * at as f64, 1.0 - 0.2 * at as f64, 0.9];
    let w: Vec<f64> = (0..columns).map(|at| 0.4 - 0.1 * at as f64).collect();
    let rbm = rbm(&layers, &w, &[[0.0; 4]], &(0..columns).map(some).collect::<Vec<_>>());
    let v = Tensor::ones((DRAWS, 1), DType::F64, &Device::Cpu).unwrap();
    let drawn = rbm.sample_h(&v, Uniforms::new(5, Stream::User, 0)).unwrap();
    let variance: Vec<f64> = rbm.hidden_variance(&v).unwrap().get(0).unwrap().to_vec1().unwrap();
    let mean: Vec<f64> = drawn.probabilities.get(0).unwrap().to_vec1().unwrap();
    let states: Vec<Vec<f64>> = drawn.states.to_vec2().unwrap();
    for column in 0..columns {
        let of = |power: i32| states.iter().map(|h| (h[column] - mean[column]).powi(power)).sum::<f64>() / DRAWS as f64;
        let (m, second, fourth) = (of(1), of(2), of(4));
        assert!(m.abs() < 5.0 * (variance[column] / DRAWS as f64).sqrt(), "column {column}: mean off by {m}");
        let error = ((fourth - second * second).max(0.0) / DRAWS as f64).sqrt();
        let gap = second - variance[column];
        assert!(gap.abs() < 5.0 * error + 1e-3 * variance[column], "column {column}: variance off by {gap}");
    }
}

#[test]
fn files_of_version_two_hold_all_units() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let rbm = mixed_above();
    save(&path, &rbm, &Provenance::default()).unwrap();
    let (loaded, header) = load(&path, &Device::Cpu).unwrap();
    assert_eq!((header.format_version, &header.layers), (2, rbm.layers()));
    assert_eq!(loaded.to_parameters().unwrap(), rbm.to_parameters().unwrap());

    let good = std::fs::read(&path).unwrap();
    let at = good.windows(5).position(|w| w == b"drelu").unwrap();
    let mut other = good.clone();
    other[at..at + 5].copy_from_slice(b"zrelu");
    std::fs::write(&path, other).unwrap();
    let refusal = load(&path, &Device::Cpu).unwrap_err().to_string();
    assert!(refusal.contains("has hidden units of type 'zrelu', this version knows 'bernoulli', 'spin'"), "{refusal}");
}

/// Each kind where it is another one.
#[test]
fn kinds_have_their_limits() {
    let over_one = |hidden: Units, w: &[f64], of: &[[f64; 4]]| {
        rbm(&Layers { visible: Units::of(UnitKind::Bernoulli, 1), hidden }, w, &[[0.0; 4]], of)
    };
    let one = |kind, of| over_one(Units::of(kind, 1), &[1.0], &[of]);
    let cgf = |rbm: &Rbm, x: f64| -scalar(&rbm.free_energy(&tensor(&[x], 1)).unwrap());
    let bernoulli = one(UnitKind::Bernoulli, [0.4, 1.0, 0.0, 1.0]);
    let levels = over_one(Units::categorical(1, 2), &[0.0, 1.0], &[[0.0, 1.0, 0.0, 1.0], [0.4, 1.0, 0.0, 1.0]]);
    let spin = one(UnitKind::Spin, [0.2, 1.0, 0.0, 1.0]);
    let gaussian = one(UnitKind::Gaussian, [0.4, 1.7, 0.0, 1.0]);
    let equal_halves = one(UnitKind::Drelu, [0.4, 1.7, 0.4, 1.7]);
    let relu = one(UnitKind::Relu, [0.4, 1.7, 0.0, 1.0]);
    let steep_below = one(UnitKind::Drelu, [0.4, 1.7, 0.0, 1e10]);
    for x in [-3.0, -0.4, 0.0, 0.9, 2.5] {
        assert!((cgf(&levels, x) - cgf(&bernoulli, x)).abs() < 1e-7, "two levels at {x}");
        // A spin of input x is a bit of input 2 x, but for a constant of the energy.
        assert!((cgf(&spin, x) - (cgf(&bernoulli, 2.0 * x) - x - 0.2)).abs() < 1e-7, "spin at {x}");
        assert!((cgf(&equal_halves, x) - cgf(&gaussian, x)).abs() < 1e-6, "equal halves at {x}");
        // What lies below 0 has a mass of some 1e-5.
        assert!((cgf(&steep_below, x) - cgf(&relu, x)).abs() < 1e-4, "steep below at {x}");
    }
}

/// ln of the integral of `exp(beta (x h - U(h)))` over h, by midpoints of steps of 0.001 up to 20, or of its sum over 0 and 1;
/// U has the fields b, g, b-, g-.
fn integral(kind: UnitKind, [b, g, below, g_below]: [f64; 4], beta: f64, x: f64) -> f64 {
    let energy = |h: f64| match kind {
        UnitKind::Bernoulli => -b * h,
        UnitKind::Drelu if h < 0.0 => 0.5 * g_below * h * h - below * h,
        _ => 0.5 * g * h * h - b * h,
    };
    let weight = |h: f64| (beta * (x * h - energy(h))).exp();
    if kind == UnitKind::Bernoulli {
        return (weight(0.0) + weight(1.0)).ln();
    }
    let first = if kind == UnitKind::Relu { 0 } else { -20_000 };
    let sum: f64 = (first..20_000).map(|step| 0.001 * weight((f64::from(step) + 0.5) * 0.001)).sum();
    sum.ln()
}

/// At another temperature all energies are divided by it: free energies are those of integrals over the hidden units.
#[test]
fn energies_at_another_temperature_are_divided_by_it() {
    let kinds = [UnitKind::Drelu, UnitKind::Relu, UnitKind::Gaussian, UnitKind::Bernoulli];
    let of_hidden = [[0.5, 1.2, -0.3, 0.8], [-0.1, 0.9, 0.0, 1.0], [0.2, 1.5, 0.0, 1.0], [0.3, 1.0, 0.0, 1.0]];
    let [b, g] = [0.3, 1.5];
    let of_visible = [[b, g, 0.0, 1.0], [0.25, 1.0, 0.0, 1.0]];
    let w = [[0.5, -0.3, 0.2, 0.4], [0.3, 0.2, -0.4, 0.6]];
    let layers = Layers {
        visible: [UnitKind::Gaussian, UnitKind::Spin].map(|kind| segment(kind, 1, 1)).into_iter().collect(),
        hidden: kinds.map(|kind| segment(kind, 1, 1)).into_iter().collect(),
    };
    let rbm = rbm(&layers, w.as_flattened(), &of_visible, &of_hidden);
    for beta in [0.5, 1.0, 3.0] {
        let there = rbm.at_beta(beta).unwrap();
        for [x, s] in [[0.7, -1.0], [-1.1, 1.0]] {
            let hidden = (0..kinds.len()).map(|u| integral(kinds[u], of_hidden[u], beta, x * w[0][u] + s * w[1][u]));
            let expected = beta * (0.5 * g * x * x - b * x - 0.25 * s) - hidden.sum::<f64>();
            let free = scalar(&there.free_energy(&tensor(&[x, s], 1)).unwrap());
            assert!((free - expected).abs() < 1e-5, "beta {beta}, ({x}, {s}): {free}, by integrals {expected}");
        }
    }
    assert!(rbm.at_beta(0.0).unwrap_err().to_string().starts_with("beta is 0"));
}

/// Free energies where a Gaussian unit is held at 0.7 are, but for a constant, those of its input and of integrals over the
/// other hidden units.
#[test]
fn a_hidden_unit_that_is_held_leaves_the_conditional_distribution() {
    let (rbm, w) = (mixed_above(), &MIXED[2..]);
    let held = rbm.with_hidden_given(1, 0.7).unwrap();
    let log_weight = |v: &[f64; 5]| {
        let input = |unit: usize| v.iter().zip(w).map(|(x, w)| x * w[unit]).sum::<f64>();
        let biased: f64 = v.iter().zip(BIASES).map(|(x, b)| x * b).sum();
        let above = integral(UnitKind::Drelu, [0.5, 1.2, -0.3, 0.8], 1.0, input(0));
        biased + 0.7 * input(1) + above + integral(UnitKind::Relu, [-0.1, 0.9, 0.0, 1.0], 1.0, input(2))
    };
    let states = [[1.0, 0.0, 0.0, -1.0, 1.0], [0.0, 0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0, 1.0]];
    let apart = states.map(|v| scalar(&held.free_energy(&tensor(&v, 1)).unwrap()) + log_weight(&v));
    assert!(apart.iter().all(|x| (x - apart[0]).abs() < 1e-5), "{apart:?}");
    for (unit, value, said) in [(2, -1.0, "a number from 0 up"), (3, 1.0, "one of those that are there")] {
        let refusal = rbm.with_hidden_given(unit, value).unwrap_err().to_string();
        assert!(refusal.contains(said), "{refusal}");
    }
}
