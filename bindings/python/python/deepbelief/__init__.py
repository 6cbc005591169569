"""Restricted Boltzmann machines and deep belief nets.

The estimators follow scikit-learn; what they compute is done by the Rust engine of
`dbn`, whose checkpoints they read and write.

==================  ==========================================================
`RBM`               one restricted Boltzmann machine, of any kinds of units
`DeepBeliefNet`     a stack of them, with or without labels, and its tuning
`Network`           a classifier or an autoencoder made of either
`load`              a model of a checkpoint
`datasets`          the digits of MNIST
`plot`              filters, samples and histories, drawn with Matplotlib
`sklearn`           `BernoulliRBM`, instead of scikit-learn's
==================  ==========================================================

>>> import deepbelief as db
>>> X, y = db.datasets.mnist(split="test")
>>> X.shape, X.dtype
((10000, 784), dtype('uint8'))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from deepbelief._deepbelief import __version__

if TYPE_CHECKING:
    from deepbelief import datasets, plot, sklearn
    from deepbelief._load import load
    from deepbelief._net import DeepBeliefNet
    from deepbelief._network import Network
    from deepbelief._rbm import RBM
    from deepbelief._results import LogLikelihood, RangeWarning

__all__ = [
    "RBM",
    "DeepBeliefNet",
    "LogLikelihood",
    "Network",
    "RangeWarning",
    "__version__",
    "datasets",
    "load",
    "plot",
    "sklearn",
]

# Looked up when they are asked for: importing scikit-learn takes a second.
_HOMES = {
    "RBM": "_rbm",
    "DeepBeliefNet": "_net",
    "Network": "_network",
    "LogLikelihood": "_results",
    "RangeWarning": "_results",
    "load": "_load",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"deepbelief.{_HOMES[name]}"), name)
    if name in ("datasets", "plot", "sklearn"):
        return importlib.import_module(f"deepbelief.{name}")
    raise AttributeError(f"module 'deepbelief' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
