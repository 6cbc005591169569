"""An RBM: what it computes against the formulas in NumPy, and what its methods promise."""

import itertools
import json
import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import deepbelief as db


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype(np.float64)))


@pytest.fixture(scope="module")
def fitted(digits):
    X, _ = digits
    return db.RBM(16, epochs=5, batch_size=20, random_state=1).fit(X)


def test_what_it_computes_is_what_the_formulas_say(fitted, digits):
    """Against float64 in NumPy: 32-bit products of 64 pixels are right to some 1e-6."""
    X = digits[0][:100]
    w, hb, vb = fitted.components_.T, fitted.intercept_hidden_, fitted.intercept_visible_
    x = X.astype(np.float64) @ w + hb
    np.testing.assert_allclose(fitted.transform(X), sigmoid(x), atol=2e-6)
    energy = -X @ vb - np.logaddexp(0, x).sum(axis=1)
    np.testing.assert_allclose(fitted.free_energy(X), energy, atol=1e-4)
    np.testing.assert_allclose(fitted.reconstruct(X), sigmoid(sigmoid(x) @ w.T + vb), atol=2e-6)


def test_the_pseudo_likelihood_is_that_of_all_units(fitted, digits):
    X = (digits[0][:20] > 0.5).astype(np.float64)
    w, hb, vb = fitted.components_.T, fitted.intercept_hidden_, fitted.intercept_visible_

    def energy(v):
        return -v @ vb.astype(np.float64) - np.logaddexp(0, v @ w + hb.astype(np.float64)).sum()

    for v, got in zip(X, fitted.score_samples(X)):
        wanted = 0.0
        for unit in range(64):
            other = v.copy()
            other[unit] = 1 - other[unit]
            wanted -= np.logaddexp(0, energy(v) - energy(other))
        assert got == pytest.approx(wanted, abs=1e-3)


def test_the_likelihood_is_exact_where_it_can_be_summed(bars):
    X = bars[0][:, :8]
    rbm = db.RBM(4, epochs=20, batch_size=20, random_state=2).fit(X)
    w, hb, vb = (t.astype(np.float64) for t in (rbm.components_.T, rbm.intercept_hidden_, rbm.intercept_visible_))
    states = np.array(list(itertools.product([0.0, 1.0], repeat=8)))
    log_weights = states @ vb + np.logaddexp(0, states @ w + hb).sum(axis=1)
    log_z = np.logaddexp.reduce(log_weights)
    mean = np.mean(X @ vb + np.logaddexp(0, X @ w + hb).sum(axis=1)) - log_z
    found = rbm.log_likelihood(X)
    assert found.method == "exact" and found.low == found.value == found.high == float(found)
    assert float(found) == pytest.approx(mean, abs=1e-4)
    assert found.log_z == pytest.approx(log_z, abs=1e-4)


def test_a_larger_one_is_annealed(digits):
    """64 x 40 units: too many to be summed over. The interval is three standard errors wide."""
    X, _ = digits
    rbm = db.RBM(40, epochs=3, random_state=1).fit(X)
    found = rbm.log_likelihood(X, temperatures=500, burn_in=100, random_state=3)
    assert found.method == "annealed" and found.low <= found.value <= found.high
    assert found.high - found.low < 2.0
    # Worse than what samples are, better than noise of 64 bits.
    assert -64 * np.log(2) < found.value < 0


def test_one_sample_has_the_bits_that_it_has_among_others(fitted, digits):
    X = digits[0][:600]
    for method in ("transform", "reconstruct", "free_energy", "score_samples"):
        all_at_once = getattr(fitted, method)(X)
        for chosen in (slice(0, 1), slice(255, 258), slice(599, 600)):
            np.testing.assert_array_equal(getattr(fitted, method)(X[chosen]), all_at_once[chosen])


def test_codes_have_the_type_of_the_samples(fitted, digits):
    X = digits[0][:300]
    single, double = fitted.transform(X), fitted.transform(X.astype(np.float64))
    assert single.dtype == np.float32 and double.dtype == np.float64
    np.testing.assert_array_equal(single, double)


def test_threads_change_nothing(digits):
    X, _ = digits
    one, two = (db.RBM(16, epochs=2, random_state=7, n_threads=n).fit(X) for n in (1, 2))
    np.testing.assert_array_equal(one.components_, two.components_)
    np.testing.assert_array_equal(one.transform(X), two.transform(X))


def test_all_kinds_of_arrays_are_the_same_data(bars):
    X, _ = bars
    fits = [
        db.RBM(5, epochs=2, random_state=3).fit(kind).components_
        for kind in (
            X,
            X.astype(bool),
            X.astype(np.int64),
            X.astype(np.float32),
            X.astype(np.float64),
            np.asfortranarray(X),
            X.tolist(),
            sparse.csr_matrix(X),
            sparse.coo_array(X.astype(np.float64)),
        )
    ]
    for other in fits[1:]:
        np.testing.assert_array_equal(fits[0], other)


def test_bytes_are_grey_levels_ever_after(digits):
    grey = np.round(255 * digits[0]).astype(np.uint8)
    by_bytes = db.RBM(5, epochs=2, random_state=3, binarize="none").fit(grey)
    by_floats = db.RBM(5, epochs=2, random_state=3, binarize="none").fit(grey / np.float32(255))
    np.testing.assert_allclose(by_bytes.components_, by_floats.components_, atol=1e-6)
    dark = np.minimum(grey[:5], 1)
    np.testing.assert_allclose(by_bytes.transform(dark), by_floats.transform(dark / 255.0), atol=1e-6)
    for kind in (np.int64, np.float64):
        for levels in (dark, grey[:300]):
            np.testing.assert_allclose(by_bytes.transform(levels.astype(kind)), by_bytes.transform(levels), atol=1e-6)
    assert by_bytes.sample(2, steps=5).max() > 1


def test_values_beyond_what_was_learned_are_said(fitted):
    with pytest.warns(db.RangeWarning, match=r"from -1 to 3 are taken for the ends"):
        beyond = fitted.transform(np.tile([[3.0, -1.0]], 32))
    np.testing.assert_array_equal(beyond, fitted.transform(np.tile([[1.0, 0.0]], 32)))


def test_errors_are_those_of_the_engine():
    X = np.eye(4)
    for parameters, message in (
        ({"learning_rate": -1.0}, "learning_rate is -1; it must be a positive 32-bit number"),
        ({"hidden": 0}, "hidden is 0"),
        ({"batch_size": 0}, "batch_size is 0; it must be at least 1"),
        ({"settings": {"sparsity_csot": 1}}, "unknown key 'sparsity_csot'; did you mean 'sparsity_cost'?"),
        ({"epochs": 1, "settings": {"epochs": 1}}, "settings names 'epochs', which is a parameter of its own"),
        ({"settings": {"centred": "very"}}, "'centred' is \"very\": expected true or false"),
        ({"hidden_units": "quantum"}, "quantum"),
    ):
        with pytest.raises(ValueError, match=message):
            db.RBM(**parameters).fit(X)
    with pytest.raises(ValueError, match="from 0 to 7, and Bernoulli units"):
        db.RBM(visible_units="bernoulli").fit(7 * X)
    with pytest.raises(NotFittedError):
        db.RBM().transform(X)


def test_the_device_is_the_cpu():
    X = np.eye(4)
    assert db.RBM(2, epochs=1, device="cpu").fit(X).get_params()["device"] == "cpu"
    for model in (db.RBM(2, device="cuda:0"), db.DeepBeliefNet([2], device="cuda")):
        with pytest.raises(ValueError, match="this package computes on the CPU: train with a dbn .* built with CUDA"):
            model.fit(X)
    with pytest.raises(ValueError, match="device is 'tpu'; it must be 'cpu'"):
        db.RBM(2, device="tpu").fit(X)


def test_pickles_and_clones_are_the_same(fitted, digits):
    X, _ = digits
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(fitted))))
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))
    new = clone(clone(fitted))
    assert new.get_params() == fitted.get_params() and not hasattr(new, "history_")
    np.testing.assert_array_equal(new.fit(X).components_, fitted.components_)


def test_partial_fits_go_on_as_one_training_does(digits):
    """Momentum, chains and the numbers drawn go on: five calls are a training of five epochs at that rate."""
    X, _ = digits
    parameters = {"hidden": 8, "batch_size": 50, "random_state": 5, "persistent_chains": 10}
    whole = db.RBM(epochs=5, settings={"schedule": "constant"}, **parameters).fit(X)
    parts = db.RBM(**parameters)
    for call in range(5):
        parts.partial_fit(X)
        if call == 2:
            parts = pickle.loads(pickle.dumps(parts))
    np.testing.assert_array_equal(parts.components_, whole.components_)


@pytest.mark.parametrize(
    "more",
    [
        {"persistent_chains": 20, "settings": {"centred": True}},
        {"hidden_units": "relu=8,bernoulli=4", "learning_rate": 0.002},
    ],
)
def test_a_loaded_rbm_has_the_parameters_of_its_training(digits, tmp_path, more):
    """A clone of it fits the same model, with settings that no parameter stands for."""
    X, _ = digits
    rbm = db.RBM(
        12, epochs=2, batch_size=50, cd_steps=2, weight_cost=0.001, binarize="fixed", n_valid=100, random_state=5, **more
    ).fit(X)
    rbm.save(tmp_path / "rbm.safetensors")
    again = db.load(tmp_path / "rbm.safetensors")
    given = {key: value for key, value in rbm.get_params().items() if value is not None and key != "settings"}
    found = again.get_params()
    assert {key: found[key] for key in given} == given
    assert found["settings"]["momentum"] == 0.5 and found["settings"].get("centred", False) == ("settings" in more)
    np.testing.assert_array_equal(clone(again).fit(X).components_, rbm.components_)
    assert again.partial_fit(X).transform(X).shape == (len(X), 12)


def test_history_and_callbacks(digits):
    X, _ = digits
    seen = []
    rbm = db.RBM(8, epochs=9, n_valid=200, random_state=1, callback=lambda m: seen.append(m) or m["epoch"] == 3)
    rbm.fit(X)
    assert [m["epoch"] for m in rbm.history_] == [1, 2, 3] and seen == rbm.history_
    assert rbm.outcome_ == "interrupted" and rbm.history_[-1]["reconstruction_cost_valid"] > 0
    assert rbm.transform(X).shape == (len(X), 8)

    def fails(metrics):
        raise RuntimeError("mine")

    rbm = db.RBM(8, epochs=9, random_state=1, callback=fails)
    with pytest.raises(RuntimeError, match="mine"):
        rbm.fit(X)
    assert rbm.transform(X).shape == (len(X), 8)


def test_what_diverges_is_a_warning(digits):
    from sklearn.exceptions import ConvergenceWarning

    X, _ = digits
    rbm = db.RBM(16, epochs=3, learning_rate=1000.0, random_state=1)
    with pytest.warns(ConvergenceWarning):
        rbm.fit(X)
    assert rbm.outcome_ == "diverged"


def test_samples_and_chains(bars):
    X, _ = bars
    rbm = db.RBM(32, epochs=200, batch_size=10, persistent_chains=10, random_state=1).fit(X)
    samples = rbm.sample(200, steps=200)
    assert samples.shape == (200, 16) and samples.min() >= 0 and samples.max() <= 1
    np.testing.assert_array_equal(samples, rbm.sample(200, steps=200))
    assert not np.array_equal(samples, rbm.sample(200, steps=200, random_state=9))
    # A bar has four pixels on; noise of independent pixels would have that in a fifth of the samples.
    assert np.mean((samples > 0.5).sum(axis=1) == 4) > 0.5
    states = rbm.gibbs(X, steps=3)
    assert set(np.unique(states)) <= {0.0, 1.0} and states.shape == X.shape


def test_gaussian_units_learn_the_moments():
    """Two columns around 10 and -3 with deviations 2 and 0.5: 5 standard errors of a mean over 4,000 are 0.16."""
    rng = np.random.default_rng(0)
    X = np.array([10.0, -3.0]) + np.array([2.0, 0.5]) * rng.standard_normal((4000, 2))
    rbm = db.RBM(4, epochs=10, random_state=1, visible_units="gaussian", learning_rate=0.01).fit(X)
    drawn = rbm.gibbs(rbm.gibbs(X))
    np.testing.assert_allclose(drawn.mean(axis=0), [10, -3], atol=0.4)
    np.testing.assert_allclose(drawn.std(axis=0), [2, 0.5], rtol=0.2)
    assert rbm.schema_["column"] and json.dumps(rbm.schema_)


def test_output_for_pandas(fitted, digits):
    pytest.importorskip("pandas")
    out = clone(fitted).set_output(transform="pandas").fit_transform(digits[0][:100])
    assert list(out.columns) == [f"rbm{i}" for i in range(16)]


def test_weights_are_those_of_the_file(fitted, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    fitted.save(tmp_path / "rbm.safetensors")
    tensors = safetensors.load_file(tmp_path / "rbm.safetensors")
    for name, w in fitted.weights().items():
        np.testing.assert_array_equal(tensors[name], w)
