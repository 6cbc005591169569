"""scikit-learn's own tests of its `BernoulliRBM`, as its wheel has them, of this one.

Its module is read and run as it is; only the name `BernoulliRBM` that it imports is another class. One test of
24 cases in two parameters expects weights of scikit-learn's own random numbers, and has to fail.
"""

import importlib.util
import sys

import pytest
import sklearn.neural_network

from deepbelief.sklearn import BernoulliRBM


def _module():
    spec = importlib.util.find_spec("sklearn.neural_network.tests.test_rbm")
    module = importlib.util.module_from_spec(spec)
    theirs = sklearn.neural_network.BernoulliRBM
    sklearn.neural_network.BernoulliRBM = BernoulliRBM
    try:
        spec.loader.exec_module(module)
    finally:
        sklearn.neural_network.BernoulliRBM = theirs
    assert module.BernoulliRBM is BernoulliRBM
    sys.modules[__name__ + ".theirs"] = module
    return module


_theirs = _module()
globals().update({name: test for name, test in vars(_theirs).items() if name.startswith("test_")})

test_fit_gibbs = pytest.mark.xfail(  # noqa: F811
    reason="expects four digits of weights that come of NumPy's random numbers in scikit-learn's order",
    raises=AssertionError,
    strict=True,
)(test_fit_gibbs)  # noqa: F821


def test_all_of_their_tests_are_here():
    """A new name there is a test here; none is lost."""
    names = [name for name in vars(_theirs) if name.startswith("test_")]
    assert len(names) >= 14 and all(name in globals() for name in names)
