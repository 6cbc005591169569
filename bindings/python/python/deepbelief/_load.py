"""Models of checkpoints."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from deepbelief import _deepbelief
from deepbelief._input import Encoding
from deepbelief._net import DeepBeliefNet
from deepbelief._network import Network
from deepbelief._rbm import RBM


def load(path: str | os.PathLike[str]) -> RBM | DeepBeliefNet | Network:
    """Return the model of a checkpoint.

    Parameters
    ----------
    path : path
        A safetensors file that `save` or the program `dbn` wrote, the folder of a run of
        that, or ``hf:USER/REPO`` on the Hugging Face Hub, ``hf:USER/REPO@REVISION:FILE``
        in full. The Hub needs the program ``dbn-hub`` on the PATH.

    Returns
    -------
    RBM, DeepBeliefNet or Network
        A fitted model; what its columns are and which labels it learned is that of its
        training data.

    Examples
    --------
    >>> import tempfile, os
    >>> import numpy as np
    >>> import deepbelief as db
    >>> rbm = db.RBM(2, epochs=1, random_state=1).fit(np.eye(4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rbm.save(os.path.join(folder, "rbm.safetensors"))
    ...     again = db.load(os.path.join(folder, "rbm.safetensors"))
    >>> bool(np.array_equal(again.components_, rbm.components_))
    True
    """
    path = os.fspath(path)
    if path.startswith("hf:"):
        path = _deepbelief.checkpoint(path)
    elif os.path.isdir(path):
        path = os.path.join(path, "model.safetensors")
    model = _deepbelief.Model.load(path)
    recipe = json.loads(model.provenance).get("recipe") or {}
    encoding, classes = _encoding(recipe, int(model.sizes[0])), _classes(recipe, model.classes)
    if model.kind in ("mlp", "autoencoder"):
        network = Network(model, encoding, classes)
        _name_features(network, encoding)
        return network
    hidden = [int(units) for units in model.sizes[1:]]
    estimator: RBM | DeepBeliefNet
    estimator = RBM(hidden[0]) if model.kind == "rbm" else DeepBeliefNet(hidden)
    estimator._model, estimator._encoding = model, encoding
    estimator.history_, estimator.outcome_ = [], "finished"
    estimator.n_features_in_ = int(model.sizes[0])
    if isinstance(estimator, DeepBeliefNet) and classes is not None:
        estimator.classes_ = classes
    if isinstance(estimator, RBM):
        estimator._state = None
    _name_features(estimator, encoding)
    return estimator


def _encoding(recipe: dict[str, Any], units: int) -> Encoding:
    schema = recipe.get("schema")
    if schema is not None:
        named = any("name" in column for column in schema["column"])
        return Encoding("table", schema, named, "pandas" if named else None)
    grey = recipe.get("scale") == "255" or recipe.get("data") == "mnist"
    return Encoding("grey" if grey else "unit")


def _classes(recipe: dict[str, Any], classes: int) -> Any:
    if classes == 0:
        return None
    names = recipe.get("class_names")
    if not names:
        return np.arange(classes)
    try:
        return np.array([int(name) for name in names])
    except ValueError:
        return np.array(names)


def _name_features(model: Any, encoding: Encoding) -> None:
    """Names of the columns that samples have, the label's and those left out not among them."""
    if encoding.schema is None:
        return
    columns = [c for c in encoding.schema["column"] if c["kind"] not in ("label", "weight")]
    model.n_features_in_ = sum(column.get("count", 1) for column in columns)
    if encoding.named:
        model.feature_names_in_ = np.array([column["name"] for column in columns], dtype=object)
