"""Deep belief nets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils.validation import column_or_1d

from deepbelief import _deepbelief
from deepbelief._base import BeliefUse, check_device, label_codes, settings_json
from deepbelief._input import fit_input, later_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deepbelief._network import Network
    from deepbelief.plot import Plots


class DeepBeliefNet(BeliefUse, ClassifierMixin, TransformerMixin, BaseEstimator):
    """A deep belief net (Hinton, Osindero & Teh 2006).

    `fit` trains RBMs layer by layer, `tune` goes on by wake-sleep, `finetune` makes a
    classifier or an autoencoder of the net by backpropagation. With labels, a label group
    joins at the top, and `predict` finds the label of the lowest free energy. What is None
    is left to the recipes of ``dbn stack``, ``dbn tune`` and ``dbn finetune``, and for a
    table to what ``dbn check`` recommends. The same settings and data give the same bits as
    there, for any number of threads.

    Parameters
    ----------
    layers : sequence of int, default=None
        Hidden units of each layer, from the bottom; the recipe has 500, 500 and 2000.
    visible_units : {"auto", "bernoulli", "gaussian", "spin", "categorical"}
        What learns the columns: see `RBM`.
    column_types : dict of str, default=None
        What single columns are: see `RBM`.
    epochs : int, default=None
        Passes over the data for each layer; the recipe has 30.
    learning_rate : float or list of float, default=None
        Step size, of all layers or of each; the recipe has 0.1.
    batch_size : int, default=None
        Samples in a minibatch; the recipe has 100. `tune` and `finetune` take those of
        `fit`, where they are smaller than their own 100.
    weight_cost : float, default=None
        L2 cost of the weights; the recipe has 0.0002.
    binarize : str, default=None
        How values between 0 and 1 become states: see `RBM`. The recipe has ``none``.
    settings : dict, default=None
        Any other option of ``dbn stack`` by its name; a list has a value for each layer.
    top : dict, default=None
        The same for the top alone, such as ``{"cd_steps": "5x20+10"}``.
    n_valid : int, default=0
        Samples held out to see overfitting by.
    random_state : int, RandomState or None, default=None
        Seed of everything drawn. With the same number the model has the same bits.
    n_threads : int, default=0
        Threads; 0 takes one a core. The model does not depend on it.
    device : str, default="cpu"
        Where to compute: the package does on the CPU. ``cuda`` is refused with what to do.
    verbose : int, default=0
        1 shows a progress bar where tqdm is installed, and else a line an epoch.
    callback : callable, default=None
        Takes the metrics of every epoch, a dict; where it returns what is true the
        training stops.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, where there were some.
    history_ : list of dict
        Metrics of every epoch of the last training.
    outcome_ : str
        How it ended: "finished", "converged" or "interrupted".
    n_features_in_ : int
        Columns of the training data.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where the data were a data frame.

    Examples
    --------
    >>> import numpy as np
    >>> import deepbelief as db
    >>> X = np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 50, axis=0)
    >>> y = np.repeat(["left", "right"], 50)
    >>> net = db.DeepBeliefNet([8, 8], epochs=40, batch_size=10, random_state=1).fit(X, y)
    >>> net.score(X, y)
    1.0
    >>> net.sample(3, label="left", steps=100).shape
    (3, 4)
    """

    def __init__(
        self,
        layers: Sequence[int] | None = None,
        *,
        visible_units: str = "auto",
        column_types: dict[str, str] | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        weight_cost: float | None = None,
        binarize: str | None = None,
        settings: dict[str, Any] | None = None,
        top: dict[str, Any] | None = None,
        n_valid: int = 0,
        random_state: Any = None,
        n_threads: int = 0,
        device: str = "cpu",
        verbose: int = 0,
        callback: Any = None,
    ) -> None:
        self.layers = layers
        self.visible_units = visible_units
        self.column_types = column_types
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.weight_cost = weight_cost
        self.binarize = binarize
        self.settings = settings
        self.top = top
        self.n_valid = n_valid
        self.random_state = random_state
        self.n_threads = n_threads
        self.device = device
        self.verbose = verbose
        self.callback = callback

    def fit(self, X: Any, y: Any = None) -> DeepBeliefNet:
        """Train all layers, one after the other.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,), default=None
            Labels of any kind; None trains without.

        Returns
        -------
        DeepBeliefNet
            The estimator itself.
        """
        labels = None if y is None else self._learn_labels(y)
        data, self._encoding = fit_input(
            self, X, labels, visible_units=self.visible_units, column_types=self.column_types
        )
        seed = self._seed()
        asked = {
            "visible_units": self.visible_units,
            "layers": None if self.layers is None else [int(hidden) for hidden in self.layers],
            "epochs": self.epochs,
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "weight_cost": self.weight_cost,
            "binarize": self.binarize,
            "valid": self.n_valid,
            "top": self.top,
            "seed": seed,
            "threads": self.n_threads,
            "device": check_device(self.device),
        }
        settings = settings_json(asked, self.settings)
        classes = len(self.classes_) if labels is not None else None
        self._train_model(
            lambda watch, data, valid, beside: _deepbelief.train_stack(
                data, settings, beside, classes=classes, valid=valid, watch=watch
            ),
            (data, seed),
            None,
        )
        return self

    def tune(
        self,
        X: Any,
        y: Any = None,
        *,
        epochs: int = 30,
        top_steps: str | None = None,
        settings: dict[str, Any] | None = None,
    ) -> DeepBeliefNet:
        """Tune all weights together by wake-sleep.

        Recognition and generative weights part. With ``n_valid`` samples held out the
        best net is kept.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,), default=None
            Labels, which a net with a label group needs.
        epochs : int, default=30
            Passes over the data: a third each with 3, 6 and 10 Gibbs steps at the top.
        top_steps : str, default=None
            Gibbs steps and epochs in place of these, such as ``"3x100,6x100,10x100"``.
        settings : dict, default=None
            Any other option of ``dbn tune`` by its name.

        Returns
        -------
        DeepBeliefNet
            The estimator itself.
        """
        self._fitted()
        seed = self._seed()
        asked = {
            "top_steps": top_steps or _phases(epochs),
            "batch_size": self.batch_size,
            "binarize": self.binarize,
            "valid": self.n_valid,
            "seed": seed,
            "threads": self.n_threads,
            "device": check_device(self.device),
        }
        text = settings_json(asked, settings)
        model = self._model
        self._train_model(
            lambda watch, data, valid, beside: _deepbelief.tune(
                model, data, text, beside, valid=valid, watch=watch
            ),
            (self._labelled(X, y), seed),
            None if top_steps else epochs,
        )
        return self

    def finetune(
        self,
        X: Any,
        y: Any = None,
        *,
        epochs: int | None = None,
        settings: dict[str, Any] | None = None,
    ) -> Network:
        """Make a feed-forward network of the net and train it by backpropagation.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,), default=None
            Labels of a classifier; None makes an autoencoder.
        epochs : int, default=None
            Passes over the data; None takes the recipe's 20 of a classifier and 100 of an
            autoencoder.
        settings : dict, default=None
            Any other option of ``dbn finetune`` by its name.

        Returns
        -------
        Network
            The network; this net stays as it is.
        """
        self._fitted()
        from deepbelief._network import Network

        return Network._of(self, X, y, epochs, settings)

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
        return self.classes_[best]

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
        self._fitted()
        if self._model.classes == 0:
            raise ValueError("this net learned no labels: fit it with y")
        return self._in_type_of(X, self._model.probabilities(self._data(X), self.n_threads))

    def transform(self, X: Any, depth: int | None = None) -> NDArray[Any]:
        """Return the means of the units of a layer.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.
        depth : int, default=None
            The layer, from 1 at the bottom; None takes the top.

        Returns
        -------
        ndarray of shape (n_samples, n_units)
            Means; float64 if X is.
        """
        self._fitted()
        return self._transformed(X, len(self._model.sizes) - 1 if depth is None else depth)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return names of the units of the top.

        Parameters
        ----------
        input_features : ignored
            For pipelines.

        Returns
        -------
        ndarray of str
            ``deepbeliefnet0`` and so on.
        """
        self._fitted()
        name = type(self).__name__.lower()
        return np.array([f"{name}{unit}" for unit in range(self._model.sizes[-1])], dtype=object)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Return minus the reconstruction cost of samples.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Nats: low where samples are anomalous.
        """
        data = self._data(X)
        return -self._model.costs(data, self.n_threads)

    def sample(
        self,
        n: int = 10,
        *,
        label: Any = None,
        given: dict[str, Any] | None = None,
        steps: int = 1000,
        random_state: Any = None,
    ) -> Any:
        """Return samples that the net generates.

        Parameters
        ----------
        n : int, default=10
            How many.
        label : label, default=None
            The label that they are all of; None lets the net choose.
        given : dict, default=None
            Columns of a table that keep these values, by name or by place.
        steps : int, default=1000
            Gibbs steps at the top before each sample.
        random_state : int, RandomState or None
            Seed of everything drawn; None takes that of the estimator.

        Returns
        -------
        ndarray or data frame
            In the units of the training data: means of Bernoulli units, which are
            probabilities, and states of all others.
        """
        self._fitted()
        labels = None
        if label is not None:
            if given:
                raise ValueError("label and given exclude each other")
            known = self.classes_.tolist() if self._model.classes else []
            if label not in known:
                raise ValueError(f"label is {label!r}; the net learned {known or 'none'}")
            labels = [known.index(label)] * n
        return self._sampled(n, labels, given, steps, random_state)[0]

    @property
    def schema_(self) -> dict[str, Any] | None:
        """What the columns are, where the data were a table."""
        if not hasattr(self, "_model"):
            raise AttributeError("this DeepBeliefNet is not fitted yet")
        return self._encoding.schema

    @property
    def plot(self) -> Plots:
        """Pictures of the net: ``filters``, ``samples`` and ``history``."""
        from deepbelief.plot import Plots

        return Plots(self)

    def _learn_labels(self, y: Any) -> NDArray[np.integer[Any]]:
        codes, self.classes_ = label_codes(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has {len(self.classes_)} class: a label group needs at least two classes"
            )
        return codes

    def _codes(self, y: Any) -> NDArray[np.integer[Any]]:
        """Labels by their places among those that were learned."""
        y = column_or_1d(y, warn=True)
        codes = np.searchsorted(self.classes_, y)
        codes = np.minimum(codes, len(self.classes_) - 1)
        unknown = self.classes_[codes] != y
        if np.any(unknown):
            raise ValueError(
                f"label {y[unknown][:1].tolist()[0]!r} is none of {self.classes_.tolist()}"
            )
        return codes

    def _labelled(self, X: Any, y: Any) -> Any:
        labelled = self._model.classes > 0
        if labelled and y is None:
            raise ValueError("the net has a label group, which needs y")
        codes = self._codes(y) if labelled else None
        return later_input(self, self._encoding, X, codes)

    def _beside(self) -> str:
        """What the data were, beside the settings, as checkpoints say it."""
        beside = self._encoding.recipe()
        if hasattr(self, "classes_"):
            beside["class_names"] = [str(label) for label in self.classes_]
        return json.dumps(beside)

    def _train_model(self, start: Any, what: tuple[Any, int], epochs: int | None) -> None:
        (data, seed), valid = what, None
        if self.n_valid:
            data, valid = data.split(self.n_valid, seed)
        beside = self._beside()
        trained = self._train(
            "DeepBeliefNet", epochs, lambda watch: start(watch, data, valid, beside)
        )
        self._model = trained[0]
        self._raise(trained[2])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.target_tags.required = False
        tags.classifier_tags.poor_score = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _phases(epochs: int) -> str:
    """A third of the epochs each with 3, 6 and 10 Gibbs steps at the top."""
    if epochs < 1:
        raise ValueError(f"epochs is {epochs}; it must be at least 1")
    ends = [0, epochs // 3, 2 * epochs // 3, epochs]
    phases = [
        f"{steps}x{end - start}"
        for steps, start, end in zip((3, 6, 10), ends, ends[1:])
        if end > start
    ]
    return ",".join(phases)
