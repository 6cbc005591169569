"""Models of checkpoints."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from deepbelief import _deepbelief
from deepbelief._input import Encoding
from deepbelief._net import DeepBeliefNet
from deepbelief._network import Network
from deepbelief._rbm import RBM

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Parameters by the names that recipes of all trainings have for them.
_SHARED = {
    "batch_size": "batch_size",
    "binarize": "binarize",
    "n_valid": "valid",
    "random_state": "seed",
}

#: Parameters of an RBM that its recipe has under the same names.
_OF_RBM = ("epochs", "learning_rate", "cd_steps", "persistent_chains", "weight_cost")

#: Parameters of a net that the layers of its recipe have under the same names.
_OF_LAYERS = ("epochs", "learning_rate", "batch_size", "weight_cost")

_VISIBLE_UNITS = ("auto", "bernoulli", "gaussian", "spin", "categorical")

#: What a recipe says of files and of the machine: no setting of a training on samples in memory.
_OF_PROGRAM = frozenset(_deepbelief.keys_of_program())


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
        training data. A model that does not say what its columns are, such as one that
        `dbn import` made, takes values as its units have them: real numbers, -1 and 1 for
        spins, one-hot for categories. Parameters are those of its training, as far as the file says them:
        a clone fits the same model to the same samples.

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
    encoding, classes = _encoding(recipe, model), _classes(recipe, model.classes)
    if model.kind in ("mlp", "autoencoder"):
        network = Network(model, encoding, classes)
        _name_features(network, encoding)
        return network
    estimator: RBM | DeepBeliefNet
    if model.kind == "rbm":
        estimator = RBM(**_shared(recipe), **_of_rbm(recipe, model))
    else:
        estimator = DeepBeliefNet(**_shared(recipe), **_of_net(recipe, model))
    estimator._model, estimator._encoding = model, encoding
    estimator.history_, estimator.outcome_ = [], "finished"
    estimator.n_features_in_ = int(model.sizes[0])
    if isinstance(estimator, DeepBeliefNet) and classes is not None:
        estimator.classes_ = classes
    if isinstance(estimator, RBM):
        estimator._state = None
    _name_features(estimator, encoding)
    return estimator


def _shared(recipe: dict[str, Any]) -> dict[str, Any]:
    """Parameters that estimators of both kinds have."""
    found = {name: recipe[key] for name, key in _SHARED.items() if key in recipe}
    # A tuned net has another setting of this name.
    if recipe.get("visible_units") in _VISIBLE_UNITS:
        found["visible_units"] = recipe["visible_units"]
    kinds = str(recipe.get("column_types") or "").split(",")
    if any(kinds):
        found["column_types"] = dict(pair.rsplit("=", 1) for pair in kinds if "=" in pair)
    return found


def _rest(recipe: dict[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Settings without a parameter of their own."""
    out = _OF_PROGRAM.union(_SHARED.values(), known, ("class_names",))
    return {key: value for key, value in recipe.items() if key not in out}


def _of_rbm(recipe: dict[str, Any], model: _deepbelief.Model) -> dict[str, Any]:
    """Parameters of an RBM alone. An RBM that was a layer has a recipe of something else."""
    found: dict[str, Any] = {"hidden": int(model.sizes[1]), "hidden_units": model.hidden_units}
    if "hidden" in recipe:
        found.update({name: recipe[name] for name in _OF_RBM if name in recipe})
        found["settings"] = _rest(recipe, (*_OF_RBM, "hidden", "hidden_units")) or None
    return found


def _of_net(recipe: dict[str, Any], model: _deepbelief.Model) -> dict[str, Any]:
    """Parameters of a net alone. One that was tuned has the recipe of its tuning."""
    found: dict[str, Any] = {"layers": [int(units) for units in model.sizes[1:]]}
    layers = recipe.get("layer")
    if not isinstance(layers, list) or len(layers) != len(found["layers"]):
        if model.hidden_units != "bernoulli":
            found["top"] = {"hidden_units": model.hidden_units}
        return found
    settings = _rest(recipe, ("layer",))
    own: list[dict[str, Any]] = [{} for _ in layers]
    for key in sorted({key for layer in layers for key in layer} - {"hidden"}):
        values = [layer.get(key) for layer in layers]
        alike = all(value == values[0] for value in values)
        if None in values:
            # What a checkpoint leaves out is the default of that layer.
            for table, value in zip(own, values):
                table.update({} if value is None else {key: value})
        elif key == "learning_rate" or (key in _OF_LAYERS and alike):
            found[key] = values[0] if alike else values
        else:
            settings[key] = values[0] if alike else values
    if any(own[:-1]):
        settings["layer"] = own
    elif own[-1]:
        found["top"] = own[-1]
    found["settings"] = settings or None
    return found


def _encoding(recipe: dict[str, Any], model: _deepbelief.Model) -> Encoding:
    schema = recipe.get("schema")
    if schema is not None:
        named = any("name" in column for column in schema["column"])
        return Encoding(
            "table", schema, named, "pandas" if named else None, recipe.get("column_types")
        )
    if model.visible_units != "bernoulli":
        return Encoding("units")
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
