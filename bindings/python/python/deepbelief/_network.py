"""Feed-forward networks made of nets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score

from deepbelief import _deepbelief
from deepbelief._base import (
    ModelUse,
    check_device,
    label_codes,
    raise_unless_stopped,
    settings_json,
    watched,
)
from deepbelief._input import Encoding, later_input
from deepbelief._progress import Watch

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Network(ModelUse):
    """A classifier or an autoencoder, made of a net and trained by backpropagation.

    `DeepBeliefNet.finetune` makes it, and `load` reads it. It is a fitted model and not an
    estimator of scikit-learn: its weights start from a trained net, so that it has no
    ``fit``, ``get_params`` or ``set_params``, and ``sklearn.base.clone`` refuses it. To
    search over parameters, search over those of the net, and call `finetune` of each net.

    Attributes
    ----------
    kind : {"mlp", "autoencoder"}
        A classifier, or an autoencoder.
    sizes : list of int
        Units of every layer, from the inputs to the outputs.
    classes_ : ndarray of shape (n_classes,)
        The labels of a classifier.
    history_ : list of dict
        Metrics of every epoch.

    Examples
    --------
    >>> import numpy as np
    >>> import deepbelief as db
    >>> X = np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 50, axis=0)
    >>> net = db.DeepBeliefNet([8], epochs=10, batch_size=10, random_state=1).fit(X)
    >>> network = net.finetune(X, np.repeat([0, 1], 50), epochs=200)
    >>> network.sizes, network.score(X, np.repeat([0, 1], 50))
    ([4, 8, 2], 1.0)
    """

    def __init__(self, model: Any, encoding: Encoding, classes: Any = None) -> None:
        self._model, self._encoding = model, encoding
        self.n_features_in_ = int(model.sizes[0])
        self.history_: list[dict[str, Any]] = []
        self.outcome_ = "finished"
        self.feature_names_in_: NDArray[Any]
        if classes is not None:
            self.classes_ = np.asarray(classes)

    @classmethod
    def _of(
        cls, net: Any, X: Any, y: Any, epochs: int | None, settings: dict[str, Any] | None
    ) -> Network:
        codes, classes = None, None
        if y is not None:
            codes, classes = label_codes(y)
        data = later_input(net, net._encoding, X, codes)
        seed, valid = net._seed(), None
        asked = {
            "as": "autoencoder" if y is None else "classifier",
            "epochs": epochs,
            "batch_size": net.batch_size,
            "binarize": net.binarize,
            "valid": net.n_valid,
            "seed": seed,
            "threads": net.n_threads,
            "device": check_device(net.device),
        }
        text = settings_json(asked, settings)
        beside = net._encoding.recipe()
        if classes is not None:
            beside["class_names"] = [str(label) for label in classes]
        if net.n_valid:
            data, valid = data.split(net.n_valid, seed)
        trained, history, outcome = watched(
            Watch("Network", epochs, int(net.verbose), net.callback),
            lambda watch: _deepbelief.finetune(
                net._model,
                data,
                text,
                json.dumps(beside),
                classes=None if classes is None else len(classes),
                valid=valid,
                watch=watch,
            ),
        )
        network = cls(trained[0], net._encoding, classes)
        network.history_, network.outcome_ = history, outcome
        network.n_threads, network.random_state = net.n_threads, net.random_state
        network.n_features_in_ = net.n_features_in_
        if hasattr(net, "feature_names_in_"):
            network.feature_names_in_ = net.feature_names_in_
        raise_unless_stopped(trained[2])
        return network

    @property
    def kind(self) -> str:
        """`mlp`, a classifier, or `autoencoder`."""
        return str(self._model.kind)

    @property
    def sizes(self) -> list[int]:
        """Units of every layer, from the inputs to the outputs."""
        return list(self._model.sizes)

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probabilities of labels given samples.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        if self.kind != "mlp":
            raise ValueError("an autoencoder knows no labels: make a classifier by finetune(X, y)")
        return self._in_type_of(X, self._model.probabilities(self._data(X), self.n_threads))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of samples.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels as they were learned.
        """
        best = np.argmax(self.predict_proba(X), axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def score(self, X: Any, y: Any) -> float:
        """Return the share of samples whose label is found.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Their labels.

        Returns
        -------
        float
            Between 0 and 1.
        """
        return float(accuracy_score(y, self.predict(X)))

    def transform(self, X: Any, depth: int | None = None) -> NDArray[Any]:
        """Return the outputs of a layer.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.
        depth : int, default=None
            The layer, from 1 at the bottom; None takes the last hidden layer of a
            classifier and the code of an autoencoder.

        Returns
        -------
        ndarray of shape (n_samples, n_units)
            Outputs; float64 if X is.
        """
        if depth is None:
            layers = len(self.sizes) - 1
            depth = layers // 2 if self.kind == "autoencoder" else max(layers - 1, 1)
        return self._transformed(X, depth)

    def reconstruct(self, X: Any) -> Any:
        """Return what an autoencoder makes of samples.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray or data frame
            Means of the visible units, in the units of the training data.
        """
        if self.kind != "autoencoder":
            raise ValueError("a classifier reconstructs nothing: make an autoencoder by finetune(X)")
        return super().reconstruct(X)

    def __sklearn_tags__(self) -> Any:
        tags = BaseEstimator().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __repr__(self) -> str:
        return f"Network(kind={self.kind!r}, sizes={self.sizes})"
