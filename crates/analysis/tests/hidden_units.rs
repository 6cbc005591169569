//! What is reported of hidden units, against closed forms.

use candle_core::{Device, Tensor};
use deepbelief_analysis::hidden_units::{hidden_units, zero_sum_weights};
use deepbelief_analysis::sites::{Sequences, Sites};
use deepbelief_rbm::{FieldTensors, Layers, Rbm, UnitKind, Units};

type Test = Result<(), Box<dyn std::error::Error>>;

/// Three categories of 2 levels; unit 0 acts on the first site alone, unit 1 on all alike.
fn sites(kind: UnitKind) -> Result<Sites, Box<dyn std::error::Error>> {
    let w = [2.0f64, 1.0, -1.0, -1.0, 0.5, 1.0, 0.5, -1.0, 0.0, 1.0, 0.0, -1.0];
    let tensor = |values: &[f64], shape: &[usize]| Tensor::from_vec(values.to_vec(), shape, &Device::Cpu);
    let rbm = Rbm::from_tensors(tensor(&w, &[6, 2])?, tensor(&[0.3, -0.2], &[2])?, tensor(&[0.0; 6], &[6])?)?;
    let layers = Layers { visible: Units::categorical(3, 2), hidden: Units::of(kind, 2) };
    let fields = match kind {
        UnitKind::Gaussian => {
            FieldTensors { log_precision: Some(tensor(&[2.0f64.ln(), 0.0], &[2])?), ..FieldTensors::default() }
        }
        _ => FieldTensors::default(),
    };
    Ok(Sites::of(&rbm.with_layers(layers, FieldTensors::default(), fields)?)?)
}

#[test]
fn importance_of_gaussian_units_is_half_the_variance_of_their_input_over_g() -> Test {
    let data = Sequences::new(3, vec![0, 0, 0, 1, 0, 1, 1, 1, 1], Some(vec![1.0, 2.0, 1.0]))?;
    let found = hidden_units(&sites(UnitKind::Gaussian)?, &data, 2)?;
    let unit = |k: usize| found.iter().find(|unit| unit.unit == k).ok_or("no such unit");
    // Unit 0: inputs 2.5, -0.5, -0.5. Unit 1: inputs 3, -1, -3.
    let (first, second) = (unit(0)?, unit(1)?);
    assert!((first.importance - 0.5 * (27.0 / 16.0) / 2.0).abs() < 1e-12, "{}", first.importance);
    let variance = (9.0 + 2.0 + 9.0) / 4.0 - (2.0f64 / 4.0).powi(2);
    assert!((second.importance - 0.5 * variance).abs() < 1e-12, "{}", second.importance);
    assert!(found[0].unit == 1 && found[0].importance >= found[1].importance, "the most important first");
    assert!((second.input.0 + 0.5).abs() < 1e-12 && (second.input.1 - variance.sqrt()).abs() < 1e-12);
    assert_eq!(
        (second.inputs.clone(), second.highest.clone(), second.lowest.clone()),
        (vec![3.0, -1.0, -3.0], vec![0, 1], vec![2, 1])
    );
    assert!((first.acts_on - 1.0).abs() < 1e-12 && (second.acts_on - 3.0).abs() < 1e-12);
    assert_eq!(zero_sum_weights(&sites(UnitKind::Gaussian)?, 0, 0), [1.5, -1.5]);
    Ok(())
}

/// A unit whose input never varies adds nothing.
#[test]
fn constant_units_have_no_importance() -> Test {
    let data = Sequences::new(3, vec![0, 1, 0, 0, 1, 0], None)?;
    for kind in [UnitKind::Bernoulli, UnitKind::Spin, UnitKind::Relu, UnitKind::Drelu] {
        let found = hidden_units(&sites(kind)?, &data, 1)?;
        assert!(found.iter().all(|unit| unit.importance < 1e-12 && unit.input.1 < 1e-12), "{kind}");
    }
    let varied = Sequences::new(3, vec![0, 1, 0, 1, 1, 1], None)?;
    for kind in [UnitKind::Bernoulli, UnitKind::Spin, UnitKind::Relu, UnitKind::Drelu] {
        assert!(hidden_units(&sites(kind)?, &varied, 1)?.iter().all(|unit| unit.importance > 1e-3), "{kind}");
    }
    Ok(())
}
