//! What is refused, and the one sentence that says so.

use crate::{Done, dbn, minibatches, monitors, network, patterns};
use candle_core::Device;
use deepbelief_data::{Binarize, Split};
use deepbelief_finetune::{FinetuneConfig, FinetuneState, Finetuner, Network, Objective, OptimizerKind};
use deepbelief_rbm::{Monitors, UnitKind, Units};

fn message<T>(result: Result<T, deepbelief_finetune::Error>) -> String {
    result.map(|_| ()).map_or_else(|error| error.to_string(), |()| "nothing was refused".into())
}

#[test]
fn data_that_do_not_fit_are_refused() -> Done {
    let split = patterns()?;
    let mut finetuner = Finetuner::new(&network(Objective::Classifier)?, crate::plain())?;
    let mut data = minibatches(&split)?;
    let mut fit = |monitors: Monitors| message(finetuner.fit(&mut data, &monitors, &mut ()));
    let narrow = Monitors { train: split.batch(0..5, Binarize::default(), 1).unwrap().head(0), ..monitors(&split) };
    assert!(fit(narrow).starts_with("labels of the training monitor"));
    let unlabelled = Monitors { train_labels: Vec::new(), ..monitors(&split) };
    let expected = "the training monitor have no labels, which a classifier learns from; train an autoencoder instead";
    assert_eq!(fit(unlabelled), expected);
    let mut wrong = monitors(&split);
    wrong.valid_labels[4] = 3;
    assert_eq!(fit(wrong), "label 3 (entry 4 of the validation data) is not below the number of classes, 3");
    Ok(())
}

/// An autoencoder knows its units, a classifier takes numbers of any.
#[test]
fn data_of_other_units_than_an_autoencoder_are_refused() -> Done {
    let split = Split::of_units(Units::of(UnitKind::Gaussian, 9), vec![0.5; 36], Some(vec![0, 1, 2, 0]))?;
    let monitors =
        Monitors { train: split.batch(0..4, Binarize::None, 1)?, train_labels: vec![0, 1, 2, 0], ..Default::default() };
    let fit = |objective| -> Result<String, crate::Failure> {
        let mut finetuner = Finetuner::new(&network(objective)?, FinetuneConfig { epochs: 1, ..crate::plain() })?;
        Ok(message(finetuner.fit(&mut minibatches(&split)?, &monitors, &mut ())))
    };
    let refused = fit(Objective::Autoencoder)?;
    let said = "the training data have 9 gaussian units, but the model has 9 bernoulli visible units; they differ from";
    assert!(refused.starts_with(said), "{refused}");
    assert_eq!(fit(Objective::Classifier)?, "nothing was refused");
    Ok(())
}

#[test]
fn networks_that_cannot_be_are_refused() -> Done {
    assert!(message(Network::classifier(&dbn(true)?, 2)).starts_with("number of classes is 2; it must be between 3"));
    assert!(message(Network::classifier(&dbn(false)?, 1)).starts_with("number of classes is 1; it must be between 2"));
    assert!(message(Network::random(Objective::Classifier, &[5], 0, 1)).starts_with("units of the network is 5-0;"));
    assert!(message(Network::random(Objective::Autoencoder, &[5], 0, 1)).starts_with("units of the network is 5;"));
    let network = network(Objective::Classifier)?;
    let v = crate::numbers(2, 9, 0)?;
    assert_eq!(message(network.encode(&v, 4)), "depth is 4; it must be at most 3");
    Ok(())
}

#[test]
fn a_training_out_of_bounds_says_so() -> Done {
    let split = patterns()?;
    let config =
        FinetuneConfig { optimizer: OptimizerKind::Sgd, learning_rate: 1e30, momentum: 0.99, ..crate::plain() };
    let mut finetuner = Finetuner::new(&network(Objective::Classifier)?, config)?;
    let told = message(finetuner.fit(&mut minibatches(&split)?, &monitors(&split), &mut ()));
    assert!(told.starts_with("training diverged in epoch 1, batch "), "{told}");
    assert!(told.contains("try a learning rate below"), "{told}");

    let config = FinetuneConfig { patience: 2, ..crate::plain() };
    let mut finetuner = Finetuner::new(&network(Objective::Classifier)?, config)?;
    let blind = Monitors { valid: None, ..monitors(&split) };
    let told = message(finetuner.fit(&mut minibatches(&split)?, &blind, &mut ()));
    assert_eq!(told, "patience is 2; it must be 0 where there are no validation data");
    Ok(())
}

#[test]
fn another_optimizer_cannot_resume_and_damaged_states_are_refused() -> Done {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state.safetensors");
    let finetuner = Finetuner::new(&network(Objective::Classifier)?, crate::plain())?;
    let state = finetuner.snapshot().state()?;
    let sgd = FinetuneConfig { optimizer: OptimizerKind::Sgd, ..crate::plain() };
    let told = message(Finetuner::resume(sgd, state.clone(), &Device::Cpu));
    assert!(told.starts_with("the saved state does not fit the settings: it is not one of Sgd"), "{told}");
    state.save(&path)?;
    let bytes = std::fs::read(&path)?;
    for cut in [0, 7, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..cut])?;
        assert!(message(FinetuneState::load(&path)).contains("state.safetensors"), "cut at {cut}");
    }
    Ok(())
}
