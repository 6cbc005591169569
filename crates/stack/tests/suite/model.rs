//! The passes through the model, at depths one to four.

use crate::{apart, in_f64, message, random_rbm, random_rbms, tensor, untied, values};
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::ops::sigmoid;
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_stack::{Dbn, Generation};

const SIZES: [usize; 5] = [37, 11, 33, 5, 20];

/// Up and down composed here of candle's own operations in F64; the model runs the kernels in
/// F32. Odd sizes on both sides of the kernels' width.
#[test]
fn passes_agree_with_plain_operations_at_depths_one_to_four() {
    let v = tensor(&[7, 37], 0.5, 70).affine(1.0, 0.5).unwrap();
    for depth in 1..=4 {
        let dbn = untied(&SIZES[..=depth], 0, 0.5);
        assert_eq!((dbn.depth(), dbn.visible(), dbn.sizes()), (depth, 37, SIZES[..=depth].to_vec()));
        let double = in_f64(&dbn);
        let mut up = vec![v.to_dtype(DType::F64).unwrap()];
        let layer =
            |x: &Tensor, w: &Tensor, b: &Tensor| sigmoid(&x.matmul(w).unwrap().broadcast_add(b).unwrap()).unwrap();
        for directed in double.layers() {
            up.push(layer(&up[up.len() - 1], directed.w_rec(), directed.hb()));
        }
        let penultimate = up[up.len() - 1].clone();
        up.push(layer(&penultimate, double.top().w_rec(), double.top().hb()));
        for (depth, up) in up.iter().enumerate() {
            assert!(apart(&dbn.encode(&v, depth, None).unwrap(), up) < 1e-5);
        }
        assert!(apart(&dbn.penultimate(&v).unwrap(), &penultimate) < 1e-5);
        assert_eq!(
            values(&candle_nn::seq().add(dbn.clone()).forward(&v).unwrap()),
            values(&dbn.encode(&v, depth, None).unwrap())
        );

        let mut down = layer(&up[depth], double.top().w_gen(), double.top().vb());
        for directed in double.layers().iter().rev() {
            down = layer(&down, directed.w_gen(), directed.vb());
        }
        assert!(apart(&dbn.reconstruct(&v).unwrap(), &down) < 1e-5);
        assert!(apart(&dbn.decode(&up[0].to_dtype(DType::F32).unwrap(), 0).unwrap(), &v) == 0.0);
    }
}

#[test]
fn a_stack_is_tied_until_its_weights_part() {
    for depth in 1..=4 {
        let rbms = random_rbms(&SIZES[..=depth], 3, 0.5);
        let dbn = Dbn::from_rbms(rbms.clone()).unwrap();
        assert!(dbn.is_tied().unwrap());
        for (back, rbm) in dbn.to_rbms().unwrap().iter().zip(&rbms) {
            assert_eq!(values(back.w_rec()), values(rbm.w_rec()));
            assert_eq!((values(back.hb()), values(back.vb())), (values(rbm.hb()), values(rbm.vb())));
            assert_eq!(back.labels().is_some(), rbm.labels().is_some());
        }
    }
    let apart = untied(&SIZES, 0, 0.5);
    assert!(!apart.is_tied().unwrap());
    let refusal = apart.to_rbms().unwrap_err();
    assert!(refusal.to_string().starts_with("layer 1 has generative weights of its own"), "{refusal}");
}

/// The kernels in F32 against candle's own operations in F64, with widths on both sides of the
/// kernels' own. Scores are sums of up to 33 terms below 10, each wrong by less than 1e-5.
#[test]
fn label_scores_and_reconstruction_cost_agree_with_double_precision() {
    let v = tensor(&[7, 37], 0.5, 72).affine(1.0, 0.5).unwrap();
    let v64 = v.to_dtype(DType::F64).unwrap();
    for depth in 1..=4 {
        for classes in [1, 3, 10] {
            let dbn = untied(&SIZES[..=depth], classes, 1.0);
            let double = in_f64(&dbn);
            assert!(apart(&dbn.label_scores(&v).unwrap(), &double.label_scores(&v64).unwrap()) < 33.0 * 1e-5);
            let (p, v) = (values(&double.reconstruct(&v64).unwrap()), values(&v64));
            let terms = p.iter().zip(&v).map(|(p, v)| v * p.ln() + (1.0 - v) * (1.0 - p).ln());
            let exact = -terms.sum::<f64>() / 7.0;
            assert!((double.reconstruction_cost(&v64).unwrap() - exact).abs() < 1e-9);
        }
    }
}

/// By hand: against the labels predicted, with none, one and all of them changed.
#[test]
fn the_label_error_is_the_share_of_other_labels() {
    let dbn = Dbn::from_rbms(random_rbms(&[6, 5, 7], 3, 1.0)).unwrap();
    let v = tensor(&[4, 6], 1.0, 3);
    let told = dbn.classify(&v).unwrap();
    let with = |changed: usize| {
        let label = |(i, &label): (usize, &u32)| if i < changed { (label + 1) % 3 } else { label };
        dbn.label_error(&v, &told.iter().enumerate().map(label).collect::<Vec<_>>()).unwrap()
    };
    assert_eq!([with(0), with(1), with(4)], [0.0, 0.25, 1.0]);
    let message = dbn.label_error(&v, &told[..3]).unwrap_err().to_string();
    assert_eq!(message, "number of labels is 3; it must be that of the samples, 4, and not 0");
}

/// Samples in one large batch and by themselves must get the same labels: the samples are
/// classified 500 at a time, and 1203 of them have a remainder.
#[test]
fn classification_does_not_depend_on_the_batch() {
    let dbn = untied(&SIZES[..3], 4, 2.0);
    let v = tensor(&[1203, 37], 0.5, 71).affine(1.0, 0.5).unwrap();
    let labels = dbn.classify(&v).unwrap();
    assert_eq!(labels.len(), 1203);
    let p = dbn.label_probabilities(&v).unwrap();
    assert!(values(&p.sum(1).unwrap()).iter().all(|sum| (sum - 1.0).abs() < 1e-5));
    for sample in [0, 499, 500, 1202] {
        assert_eq!(dbn.classify(&v.narrow(0, sample, 1).unwrap()).unwrap(), [labels[sample]]);
    }
    assert!(labels.iter().any(|&label| label != labels[0]));
    assert!(dbn.classify(&v.narrow(0, 0, 0).unwrap()).unwrap().is_empty());
    assert_eq!(dbn.classify_gibbs(&v, 2, Uniforms::new(1, Stream::User, 0)).unwrap().len(), 1203);
}

#[test]
fn fantasies_have_the_asked_shapes_at_every_depth() {
    for depth in 1..=4 {
        for classes in [0, 3] {
            let dbn = untied(&SIZES[..=depth], classes, 0.5);
            let labels = (classes > 0).then(|| vec![0, 1, 2, 2, 1]);
            let what = Generation { chains: 5, labels: labels.clone(), steps: 2, shown: 3, seed: 4 };
            let shown = dbn.generate(&what).unwrap();
            assert_eq!(shown.len(), 3);
            for fantasies in &shown {
                assert_eq!(fantasies.visible.dims(), [5, 37]);
                assert!(values(&fantasies.visible).iter().all(|p| (0.0..=1.0).contains(p)));
                assert_eq!(fantasies.labels, labels.clone().unwrap_or_default());
            }
            assert_ne!(values(&shown[0].visible), values(&shown[1].visible));
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let refused = |rbms| Dbn::from_rbms(rbms).unwrap_err().to_string();
    assert_eq!(refused(vec![]), "number of layers is 0; it must be between 1 and 64");
    assert_eq!(
        refused(vec![random_rbm(4, 3, 0, 1.0, 1), random_rbm(5, 2, 0, 1.0, 2)]),
        "layer 2 takes 5 units from below, but the layer below it has 3"
    );
    assert_eq!(
        refused(vec![random_rbm(4, 3, 2, 1.0, 1), random_rbm(3, 2, 0, 1.0, 2)]),
        "layer 1 has a label group, but only the top layer of a stack of 2 can have one"
    );
    let plain = untied(&[4, 3, 2], 0, 1.0);
    let v = Tensor::zeros((1, 4), DType::F32, &Device::Cpu).unwrap();
    assert_eq!(
        plain.classify(&v).unwrap_err().to_string(),
        "the model has no label group: a label's free energy needs one trained with labels"
    );
    assert_eq!(
        plain.encode(&v, 3, None).unwrap_err().to_string(),
        "depth is 3; it must be between 0 and 2, the layers of the model"
    );
    let clamped = |dbn: &Dbn, chains, labels: &[u32]| {
        let what = Generation { chains, labels: Some(labels.to_vec()), ..Default::default() };
        message(&dbn.generate(&what).unwrap_err())
    };
    assert_eq!(clamped(&plain, 1, &[0]), "the model has no label group: a clamped label needs one trained with labels");
    let labelled = untied(&[4, 3, 2], 3, 1.0);
    assert_eq!(clamped(&labelled, 2, &[0]), "number of labels is 1; it must be 2, one a chain");
    assert_eq!(
        clamped(&labelled, 2, &[0, 3]),
        "label 3 (entry 1, counted from 0) is not below the number of classes, 3"
    );
    assert_eq!(clamped(&labelled, 0, &[]), "chains is 0; it must be at least 1");
    let draw = Uniforms::new(1, Stream::User, 0);
    let steps = |steps| labelled.classify_gibbs(&v, steps, draw).unwrap_err().to_string();
    assert_eq!(steps(0), "steps is 0; it must be between 1 and 32767");
    assert_eq!(steps(32_768), "steps is 32768; it must be between 1 and 32767");
    let misfit = labelled.encode(&v.t().unwrap(), 1, Some(draw)).unwrap_err().to_string();
    assert!(misfit.contains("[4, 1]") && misfit.contains("[4, 3]"), "{misfit}");
}
