"""`deepbelief.sklearn.BernoulliRBM`: what it computes of arrays of every kind, and scikit-learn's estimate."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn import neural_network

import deepbelief as db
from deepbelief.sklearn import BernoulliRBM


@pytest.fixture(scope="module")
def fitted(digits):
    return BernoulliRBM(16, n_iter=5, random_state=1).fit(digits[0])


def means(rbm, X):
    x = X.astype(np.float64) @ rbm.components_.T + rbm.intercept_hidden_
    return 1 / (1 + np.exp(-x))


def test_rows_of_states_and_of_others_are_told_apart(fitted, digits):
    """Against float64 in NumPy; a row has the same bits whatever stands beside it."""
    X = digits[0][:300].copy()
    X[::3] = X[::3] > 0.5
    X[7] = 0
    X[9] = 1
    for dtype in (np.float64, np.float32):
        got = fitted.transform(X.astype(dtype))
        assert got.dtype == dtype
        np.testing.assert_allclose(got, means(fitted, X), atol=2e-6)
        for row in (0, 1, 7, 9, 299):
            assert (fitted.transform(X[row : row + 1].astype(dtype)) == got[row]).all()
    np.testing.assert_allclose(fitted.transform(sparse.csr_matrix(X)), got, atol=2e-6)


def test_what_is_beyond_the_range_is_said_and_what_is_no_number_refused(fitted, digits):
    X = digits[0][:20].copy()
    X[3, 5], X[4, 1] = 3, -2
    with pytest.warns(db.RangeWarning, match="values from -2 to 3 are taken"):
        got = fitted.transform(X)
    np.testing.assert_allclose(got, means(fitted, X.clip(0, 1)), atol=2e-6)
    for wrong in (np.nan, np.inf):
        X[3, 5] = wrong
        for method in (fitted.transform, fitted.score_samples):
            with pytest.raises(ValueError, match="Input X contains"):
                method(X)


def test_the_estimate_flips_one_feature_of_each_sample(fitted, digits):
    """Each score is one of the 64 that flipping a feature gives, and alone a sample has the same."""
    X = digits[0][:40].copy()
    X[::2] = X[::2] > 0.5
    w, hb, vb = (x.astype(np.float64) for x in (fitted.components_, fitted.intercept_hidden_, fitted.intercept_visible_))

    def energy(v):
        return -v @ vb - np.logaddexp(0, v @ w.T + hb).sum(axis=-1)

    got = fitted.score_samples(X)
    features = set()
    for v, score in zip(X, got):
        flipped = np.where(np.eye(64, dtype=bool), 1 - v, v)
        all_scores = -64 * np.logaddexp(0, energy(v) - energy(flipped))
        nearest = np.abs(all_scores - score).argmin()
        assert all_scores[nearest] == pytest.approx(score, abs=2e-3)
        features.add(nearest)
    assert len(features) > 15
    assert (fitted.score_samples(X[::-1].copy())[::-1] == got).all()
    assert fitted.score_samples(X[5:6])[0] == got[5]
    np.testing.assert_allclose(fitted.score_samples(sparse.csr_matrix(X)), got)


def test_the_estimate_is_right_on_average(fitted, digits):
    """Of 400 seeds the mean lies within five standard errors of the exact value, all 10 samples together."""
    X = digits[0][:10] > 0.5
    X = X.astype(np.float64)
    exact = fitted.pseudo_likelihood(X)
    scores = np.array([BernoulliRBM.score_samples(_with_seed(fitted, seed), X) for seed in range(400)])
    error = scores.std(axis=0) / np.sqrt(len(scores))
    assert (np.abs(scores.mean(axis=0) - exact) < 5 * error).all()


def _with_seed(rbm, seed):
    rbm = copy.copy(rbm)
    rbm.random_state = seed
    return rbm


def test_weights_that_are_assigned_are_the_model(digits):
    """As in scikit-learn's class, where the arrays are all that there is."""
    X = digits[0][:50].astype(np.float64)
    rng = np.random.default_rng(1)
    w, hb, vb = rng.normal(0, 0.1, (5, 64)), rng.normal(0, 1, 5), rng.normal(0, 1, 64)
    theirs, ours = neural_network.BernoulliRBM(5), BernoulliRBM(5)
    for rbm in (theirs, ours):
        rbm.components_, rbm.intercept_hidden_, rbm.intercept_visible_ = w, hb, vb
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), atol=2e-6)
    moved = BernoulliRBM(5, n_iter=2, random_state=1).fit(X)
    before = moved.transform(X)
    moved.intercept_hidden_ = moved.intercept_hidden_ + 1
    odds = np.log(before / (1 - before)) + 1
    np.testing.assert_allclose(moved.transform(X), 1 / (1 + np.exp(-odds)), atol=1e-5)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(moved)).transform(X), moved.transform(X))
    with pytest.raises(ValueError, match="read-only"):
        moved.components_[0] = 0
    moved.components_ = w[:3]
    with pytest.raises(ValueError, match=r"make no RBM: components_ \(3, 64\), intercept_hidden_ \(5,\)"):
        moved.transform(X)


@pytest.mark.parametrize("assigned", [{}, {"intercept_hidden_": (4,), "intercept_visible_": (64,)}])
def test_partial_fits_do_not_train_over_assigned_weights_that_make_no_model(digits, assigned):
    X = digits[0][:20].astype(np.float64)
    rbm = BernoulliRBM(5, random_state=1)
    rbm.components_ = np.full((5, 64), 0.25)
    for name, shape in assigned.items():
        setattr(rbm, name, np.zeros(shape))
    with pytest.raises(ValueError, match=r"make no RBM: components_ \(5, 64\)"):
        rbm.partial_fit(X)
    np.testing.assert_array_equal(rbm.components_, np.full((5, 64), 0.25))
    rbm.intercept_hidden_, rbm.intercept_visible_ = np.zeros(5), np.zeros(64)
    moved = np.abs(rbm.partial_fit(X).components_ - 0.25).max()
    assert 0 < moved < 0.2


@pytest.mark.parametrize("make", [lambda: BernoulliRBM(8, n_iter=20, random_state=1), lambda: db.RBM(8, random_state=1)])
def test_partial_fits_go_on_from_a_fit(digits, make, tmp_path):
    """One more step moves weights a little; a training from the start would move them as far as they are large."""
    X = digits[0]
    rbm = make().fit(X)
    models = [rbm]
    if isinstance(rbm, db.RBM):
        rbm.save(tmp_path / "rbm.safetensors")
        models.append(db.load(tmp_path / "rbm.safetensors"))
    for model in models:
        before = model.components_.copy()
        model.partial_fit(X[:20])
        moved = np.abs(model.components_ - before).max()
        assert 0 < moved < 0.2 * np.abs(before).max()


def test_warnings_are_of_the_line_that_calls(fitted, digits):
    beyond = 3 * digits[0][:20]
    for use in (fitted.transform, fitted.score_samples, fitted.pseudo_likelihood, BernoulliRBM(2, n_iter=1).fit):
        with pytest.warns(db.RangeWarning) as caught:
            use(beyond)
        assert {warning.filename for warning in caught} == {__file__}
