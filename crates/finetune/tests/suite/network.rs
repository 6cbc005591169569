//! What a network is made of, what it computes, and its file.

use crate::{Done, dbn, network, numbers, values};
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::VarBuilder;
use deepbelief_finetune::{Activation, Network, Objective};
use deepbelief_rbm::{Provenance, UnitKind};
use deepbelief_stack::{Dbn, export};

fn apart(a: &Tensor, b: &Tensor) -> candle_core::Result<f32> {
    (a - b)?.abs()?.flatten_all()?.max(0)?.to_scalar()
}

/// Before training, a classifier's features and an autoencoder's reconstructions are those of the net
/// it was unrolled from; values below 1 through three layers err by less than 1e-6 in F32.
#[test]
fn an_unrolled_net_computes_what_the_net_does() -> Done {
    let (dbn, v) = (dbn(true)?, numbers(5, 9, 0)?);
    let classifier = Network::classifier(&dbn, 3)?;
    assert!(apart(&classifier.encode(&v, classifier.code_depth())?, &dbn.encode(&v, 2, None)?)? < 1e-6);
    let labels = dbn.top().labels().ok_or("no labels")?;
    let logits = dbn.encode(&v, 2, None)?.matmul(&labels.w.t()?)?.broadcast_add(&labels.b)?;
    assert!(apart(&classifier.forward(&v)?, &candle_nn::ops::softmax(&logits, 1)?)? < 1e-6);

    let plain = crate::dbn(false)?;
    let autoencoder = Network::autoencoder(&plain)?;
    assert!(apart(&autoencoder.forward(&v)?, &plain.reconstruct(&v)?)? < 1e-6);
    assert_eq!((autoencoder.sizes(), autoencoder.code_depth()), (vec![9, 6, 4, 6, 9], 2));
    let exported = export::autoencoder(&plain)?;
    for ((name, tensor), (exported_name, exported)) in autoencoder.named_tensors("")?.iter().zip(&exported) {
        assert_eq!(name, exported_name);
        assert_eq!(apart(tensor, exported)?, 0.0, "{name}");
    }
    Ok(())
}

/// A top of Gaussian hidden units is a linear code, unrolled or exported.
#[test]
fn a_gaussian_code_is_linear() -> Done {
    let v = numbers(5, 9, 0)?;
    let mut rbms = dbn(false)?.to_rbms()?;
    let top = rbms.pop().ok_or("no top")?.with_hidden_units(UnitKind::Gaussian)?;
    rbms.push(top);
    let dbn = Dbn::from_rbms(rbms)?;
    let network = Network::autoencoder(&dbn)?;
    let activations: Vec<Activation> = network.layers().iter().map(|layer| layer.activation).collect();
    assert_eq!(activations, [Activation::Sigmoid, Activation::Linear, Activation::Sigmoid, Activation::Sigmoid]);
    assert!(apart(&network.encode(&v, 2)?, &dbn.encode(&v, 2, None)?)? < 1e-5);
    assert!(apart(&network.forward(&v)?, &dbn.reconstruct(&v)?)? < 1e-5);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("e.safetensors");
    export::save(&path, &dbn, export::Network::Autoencoder)?;
    let (read, _) = Network::load(&path, Objective::Autoencoder)?;
    assert_eq!(apart(&read.forward(&v)?, &network.forward(&v)?)?, 0.0);
    Ok(())
}

/// The label layer of a net without labels starts at zero: every label is as probable.
#[test]
fn without_a_label_group_all_labels_start_alike() -> Done {
    let p = Network::classifier(&dbn(false)?, 4)?.forward(&numbers(2, 9, 0)?)?;
    assert_eq!(p.flatten_all()?.to_vec1::<f32>()?, [0.25; 8]);
    Ok(())
}

#[test]
fn random_weights_have_the_stated_spread() -> Done {
    let network = Network::random(Objective::Classifier, &[300, 200], 10, 5)?;
    for (layer, std) in [(0, 4.0 * (2.0f64 / 500.0).sqrt()), (1, (2.0f64 / 210.0).sqrt())] {
        let w: Vec<f32> = network.layers()[layer].w.flatten_all()?.to_vec1()?;
        let n = w.len() as f64;
        let found = (w.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n).sqrt();
        // Five standard errors: a false failure is below 1e-6, and the seed is fixed.
        assert!((found - std).abs() < 5.0 * std / (2.0 * n).sqrt(), "layer {layer}: {found}, expected {std}");
    }
    let autoencoder = Network::random(Objective::Autoencoder, &[9, 6, 2], 0, 5)?;
    let activations: Vec<Activation> = autoencoder.layers().iter().map(|layer| layer.activation).collect();
    assert_eq!(activations, [Activation::Sigmoid, Activation::Linear, Activation::Sigmoid, Activation::Sigmoid]);
    Ok(())
}

#[test]
fn files_are_read_back_and_load_into_candle_linear() -> Done {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("n.safetensors");
    let v = numbers(5, 9, 0)?;
    for objective in [Objective::Classifier, Objective::Autoencoder] {
        let network = network(objective)?;
        let provenance = Provenance { dataset: "d".into(), epochs: 3, ..Default::default() };
        network.save(&path, &provenance)?;
        let (read, header) = Network::load(&path, objective)?;
        assert_eq!(values(&read)?, values(&network)?);
        assert_eq!((header.sizes, header.provenance), (network.sizes(), provenance));

        let bytes = std::fs::read(&path)?;
        let vb = VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu)?;
        let first = if objective == Objective::Classifier { "layers.0" } else { "encoder.0" };
        let linear = candle_nn::linear(9, 6, vb.pp(first))?;
        assert!(apart(&candle_nn::ops::sigmoid(&linear.forward(&v)?)?, &network.encode(&v, 1)?)? < 1e-6);
    }
    Ok(())
}

#[test]
fn an_exported_autoencoder_is_one_and_an_export_without_labels_no_classifier() -> Done {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("e.safetensors");
    let dbn = dbn(false)?;
    export::save(&path, &dbn, export::Network::Autoencoder)?;
    let (read, _) = Network::load(&path, Objective::Autoencoder)?;
    assert_eq!(values(&read)?, values(&Network::autoencoder(&dbn)?)?);
    export::save(&path, &dbn, export::Network::Mlp)?;
    let refused = Network::load(&path, Objective::Classifier).map(|_| ()).map_err(|error| error.to_string());
    assert!(refused.is_err_and(|reason| reason.contains("Softmax")));
    Ok(())
}
