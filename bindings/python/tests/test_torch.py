"""Models as modules of PyTorch: the real one where it is installed, else the few classes that a module is made of."""

import sys
import types

import numpy as np
import pytest
from scipy import sparse

import deepbelief as db
from deepbelief.sklearn import BernoulliRBM


def _stand_in():
    """What `to_torch` takes of PyTorch, computed by NumPy."""
    nn = types.SimpleNamespace()

    class Linear:
        def __init__(self, inputs, outputs):
            self.shape = (outputs, inputs)
            self.weight, self.bias = types.SimpleNamespace(), types.SimpleNamespace()

        def __call__(self, x):
            assert self.weight.data.shape == self.shape and self.bias.data.shape == self.shape[:1]
            return x @ self.weight.data.T + self.bias.data

    class Sequential(list):
        def __init__(self, *parts):
            super().__init__(parts)

        def __call__(self, x):
            for part in self:
                x = part(x)
            return x

    nn.Linear, nn.Sequential = Linear, Sequential
    nn.Sigmoid = lambda: lambda x: 1 / (1 + np.exp(-x))
    nn.Softmax = lambda dim: lambda x: np.exp(x) / np.exp(x).sum(axis=dim, keepdims=True)
    torch = types.ModuleType("torch")
    torch.nn, torch.from_numpy = nn, lambda array: array
    return torch


@pytest.fixture
def run(monkeypatch):
    """Runs a module on an array."""
    try:
        import torch
    except ImportError:
        monkeypatch.setitem(sys.modules, "torch", _stand_in())
        return lambda module, X: module(X)
    return lambda module, X: module(torch.from_numpy(X)).detach().numpy()


def test_modules_compute_what_models_do(run, bars):
    X, y = bars
    values = X.astype(np.float32)
    rbm = db.RBM(6, epochs=3, random_state=1).fit(X)
    np.testing.assert_allclose(run(rbm.to_torch(), values), rbm.transform(X), atol=2e-6)
    net = db.DeepBeliefNet([8, 6], epochs=3, random_state=1).fit(X)
    np.testing.assert_allclose(run(net.to_torch(), values), net.transform(X), atol=2e-6)
    network = net.finetune(X, y, epochs=3)
    np.testing.assert_allclose(run(network.to_torch(), values), network.predict_proba(X), atol=2e-6)
    coder = net.finetune(X, epochs=3)
    np.testing.assert_allclose(run(coder.to_torch(), values), coder.reconstruct(X), atol=2e-6)


def test_modules_have_weights_of_their_own(run, bars):
    rbm = db.RBM(6, epochs=1, random_state=1).fit(bars[0])
    before = rbm.components_.copy()
    rbm.to_torch()[0].weight.data[:] = 7
    np.testing.assert_array_equal(rbm.components_, before)


def test_arrays_can_be_taken_over_without_a_copy(bars):
    """`torch.from_numpy` takes arrays as they are, and warns of such as are for reading alone."""
    X, y = bars
    net = db.DeepBeliefNet([8, 6], epochs=1, random_state=1).fit(X, y)
    rbm = BernoulliRBM(4, n_iter=1, random_state=1).fit(X)
    arrays = [*net.weights().values(), *rbm.weights().values(), net.transform(X), net.predict_proba(X), net.sample(2, steps=1)]
    for kind in (X, X.astype(np.float32), X / 2.0, sparse.csr_matrix(X)):
        arrays += [model.transform(kind) for model in (db.RBM(4, epochs=1).fit(X), rbm)]
    for array in arrays:
        assert array.flags.c_contiguous and array.flags.writeable and array.dtype in (np.float32, np.float64)
    assert set(rbm.weights()) == {"w_rec", "hb", "vb"} and rbm.weights()["w_rec"].shape == (16, 4)
    before = rbm.components_.copy()
    rbm.weights()["w_rec"][:] = 7
    np.testing.assert_array_equal(rbm.components_, before)


def test_what_makes_an_array_of_itself_is_one(bars):
    """As tensors of PyTorch do."""

    class Tensor:
        def __init__(self, values):
            self.values = values

        def __len__(self):
            return len(self.values)

        def __array__(self, dtype=None, copy=None):
            return self.values if dtype is None else self.values.astype(dtype)

    X = bars[0].astype(np.float32)
    rbm = db.RBM(4, epochs=1, random_state=1).fit(Tensor(X))
    np.testing.assert_array_equal(rbm.components_, db.RBM(4, epochs=1, random_state=1).fit(X).components_)
    np.testing.assert_array_equal(rbm.transform(Tensor(X)), rbm.transform(X))


def test_without_torch_it_says_what_to_do(bars, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    rbm = db.RBM(3, epochs=1, random_state=1).fit(bars[0])
    with pytest.raises(ImportError, match=r"to_torch\(\) needs PyTorch: pip install torch"):
        rbm.to_torch()


def test_units_that_are_no_layers_are_named(run, bars):
    rbm = db.RBM(3, hidden_units="relu", epochs=1, random_state=1).fit(bars[0])
    with pytest.raises(ValueError, match="hidden_units of the top"):
        rbm.to_torch()
