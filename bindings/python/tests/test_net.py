"""Deep belief nets, their tuning and the networks made of them."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

import deepbelief as db


@pytest.fixture(scope="module")
def net(bars):
    X, y = bars
    return db.DeepBeliefNet([24, 32], epochs=60, batch_size=10, learning_rate=0.2, random_state=1).fit(X, y)


def test_labels_are_learned_by_their_names(net, bars):
    X, y = bars
    assert list(net.classes_) == ["column", "row"]
    p = net.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(net.predict(X), net.classes_[p.argmax(axis=1)])
    assert net.score(X, y) > 0.95


def test_samples_have_the_label_that_is_asked_for(net, bars):
    drawn = net.sample(100, label="row", steps=300, random_state=4).reshape(100, 4, 4)
    along, across = drawn.mean(axis=2).max(axis=1), drawn.mean(axis=1).max(axis=1)
    assert np.mean(along > across) > 0.75
    with pytest.raises(ValueError, match="label is 'circle'; the net learned"):
        net.sample(1, label="circle")


def test_layers_stand_on_each_other(net, bars):
    X = bars[0][:7]
    w = net.weights()
    lower = net.transform(X, depth=1)
    assert lower.shape == (7, 24) and net.transform(X).shape == (7, 32)
    recognised = next(w[name] for name in w if name.endswith("0.w_rec"))
    bias = next(w[name] for name in w if name.endswith("0.hb"))
    np.testing.assert_allclose(lower, 1 / (1 + np.exp(-(X @ recognised + bias))), atol=2e-6)
    assert net.reconstruct(X).shape == X.shape and net.score_samples(X).shape == (7,)


def test_tuning_goes_on_from_the_net(net, bars):
    X, y = bars
    tuned = pickle.loads(pickle.dumps(net))
    before = tuned.log_likelihood(X).bound
    assert tuned.tune(X, y, epochs=30) is tuned
    assert [m["epoch"] for m in tuned.history_][-1] == 30
    assert tuned.log_likelihood(X).bound > before - 0.5 and tuned.score(X, y) > 0.9
    with pytest.raises(ValueError, match="needs y"):
        tuned.tune(X)
    with pytest.raises(ValueError, match="label 'circle' is none of"):
        tuned.tune(X, np.full(len(X), "circle"))


def test_minibatches_are_as_small_as_those_of_the_net(bars):
    X, _ = bars
    net = db.DeepBeliefNet([8, 6], epochs=2, batch_size=20, random_state=1).fit(X)

    def tuned(batch_size):
        other = pickle.loads(pickle.dumps(net)).set_params(batch_size=batch_size)
        return other.tune(X, epochs=3).reconstruct(X), other.finetune(X, epochs=1).transform(X)

    asked, left, large = tuned(20), tuned(None), tuned(100)
    for k in (0, 1):
        np.testing.assert_array_equal(left[k], asked[k])
        assert not np.array_equal(left[k], large[k])


def test_finetuning_makes_a_classifier_and_an_autoencoder(net, bars):
    X, y = bars
    network = net.finetune(X, y, epochs=20)
    assert network.kind == "mlp" and network.sizes == [16, 24, 32, 2]
    assert network.score(X, y) == 1.0 and network.transform(X).shape == (400, 32)
    again = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(again.predict_proba(X), network.predict_proba(X))
    coder = net.finetune(X, epochs=30)
    assert coder.kind == "autoencoder" and coder.transform(X).shape == (400, 32)
    assert np.mean((coder.reconstruct(X) - X) ** 2) < 0.05
    with pytest.raises(ValueError, match="knows no labels"):
        coder.predict(X)


def test_a_net_without_labels(bars):
    X, _ = bars
    net = db.DeepBeliefNet([8, 6], epochs=3, random_state=1).fit(X)
    assert net.transform(X).shape == (400, 6) and net.sample(3, steps=10).shape == (3, 16)
    with pytest.raises(ValueError, match="learned no labels"):
        net.predict(X)
    with pytest.raises(ValueError, match="y has 1 class"):
        net.fit(X, np.zeros(400))


def test_the_top_has_settings_of_its_own(bars):
    X, _ = bars
    nets = [db.DeepBeliefNet([8, 6], epochs=2, random_state=1, top=top).fit(X) for top in (None, {"cd_steps": "7"})]
    lower = [net.transform(X, depth=1) for net in nets]
    np.testing.assert_array_equal(*lower)
    assert not np.array_equal(*[net.transform(X) for net in nets])


def test_clone_and_the_same_seed_are_the_same_net(net, bars):
    X, y = bars
    again = clone(net).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))


def test_checkpoints_know_labels_and_columns(net, bars, tmp_path):
    X, y = bars
    net.save(tmp_path / "net.safetensors")
    again = db.load(tmp_path / "net.safetensors")
    assert isinstance(again, db.DeepBeliefNet)
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    network = net.finetune(X, y, epochs=2)
    network.save(tmp_path / "mlp.safetensors")
    np.testing.assert_array_equal(db.load(tmp_path / "mlp.safetensors").predict(X), network.predict(X))


def test_a_loaded_net_has_the_parameters_of_its_training(bars, tmp_path):
    """A clone of it fits the same net; that of a tuned net has its layers."""
    X, y = bars
    path = tmp_path / "net.safetensors"
    net = db.DeepBeliefNet(
        [12, 10], epochs=3, batch_size=10, learning_rate=[0.2, 0.1], n_valid=40, random_state=3, top={"cd_steps": 2}
    ).fit(X, y)
    net.save(path)
    again = db.load(path)
    found = again.get_params()
    for key in ("layers", "epochs", "batch_size", "learning_rate", "n_valid", "random_state"):
        assert found[key] == net.get_params()[key]
    assert found["settings"]["cd_steps"] == [1, 2] and found["top"] is None
    np.testing.assert_array_equal(clone(again).fit(X, y).predict_proba(X), net.predict_proba(X))
    again.tune(X, y, epochs=3).save(path)
    tuned = db.load(path).get_params()
    assert tuned["layers"] == [12, 10] and tuned["n_valid"] == 40 and tuned["learning_rate"] is None


def test_a_loaded_net_has_the_units_of_its_top(bars, tmp_path):
    X, _ = bars
    top = {"hidden_units": "gaussian", "learning_rate": 0.001}
    net = db.DeepBeliefNet([8, 4], epochs=2, random_state=3, top=top).fit(X)
    net.save(tmp_path / "net.safetensors")
    again = clone(db.load(tmp_path / "net.safetensors"))
    assert again.top == {"hidden_units": "gaussian"} and again.learning_rate[1] == 0.001
    np.testing.assert_array_equal(again.fit(X).transform(X), net.transform(X))
