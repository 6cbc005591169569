"""`BernoulliRBM` instead of scikit-learn's."""

from __future__ import annotations

import json
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data

from deepbelief._base import BeliefUse
from deepbelief._deepbelief import Data, Model, survey, train_rbm
from deepbelief._input import Encoding, clipped, sparse_data, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from deepbelief._deepbelief import State

__all__ = ["BernoulliRBM"]

#: Samples that every epoch is measured on.
_MONITOR = 100

#: Sparse samples that are written out at a time.
_ROWS = 2000


#: The arrays that a model is made of.
_ARRAYS = ("components_", "intercept_hidden_", "intercept_visible_")


class _Weights:
    """One of the arrays that a model is made of, to read: to assign it makes another model."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, estimator: Any, owner: type | None = None) -> Any:
        if estimator is None:
            return self
        arrays = estimator.__dict__.get("_arrays", {})
        if self._name not in arrays:
            raise AttributeError(f"this {type(estimator).__name__} has no {self._name} yet")
        array = arrays[self._name].view()
        array.flags.writeable = False
        return array

    def __set__(self, estimator: Any, values: Any) -> None:
        estimator._assign(self._name, values)


def _dense_blocks(v: Any) -> Iterator[NDArray[Any]]:
    """Yield the rows of a sparse matrix, a block at a time."""
    for first in range(0, v.shape[0], _ROWS):
        yield v[first : first + _ROWS].toarray()


class BernoulliRBM(
    BeliefUse, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """A Bernoulli RBM with the parameters and attributes of scikit-learn's class.

    It learns by the same rule, stochastic maximum likelihood with one persistent chain a
    sample of a minibatch (Tieleman 2008), at a constant rate and without momentum. The
    random numbers are others, samples come in a new order in every epoch, and all is
    computed in 32 bits.

    Parameters
    ----------
    n_components : int, default=256
        Hidden units.
    learning_rate : float, default=0.1
        Step size.
    batch_size : int, default=10
        Samples in a minibatch, and chains.
    n_iter : int, default=10
        Passes over the data.
    verbose : int, default=0
        Whether to print a line an iteration.
    random_state : int, RandomState or None, default=None
        Seed of everything drawn.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights.
    intercept_hidden_ : ndarray of shape (n_components,)
        Biases of the hidden units.
    intercept_visible_ : ndarray of shape (n_features,)
        Biases of the visible units.
    h_samples_ : ndarray of shape (batch_size, n_components)
        Hidden states of the chains.
    n_features_in_ : int
        Features of the training data.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where the data were a data frame.

    Notes
    -----
    Values beyond [0, 1] are taken for its ends, with a `RangeWarning`: scikit-learn's
    class computes with them as they are. ``score_samples`` is scikit-learn's estimate,
    which flips one feature of each sample, ``pseudo_likelihood`` its mean over all of them.

    ``components_`` and the intercepts can be assigned, before or after a training, but not
    written into.

    Examples
    --------
    >>> import numpy as np
    >>> from deepbelief.sklearn import BernoulliRBM
    >>> X = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    >>> BernoulliRBM(n_components=2, random_state=0).fit(X)
    BernoulliRBM(n_components=2, random_state=0)
    """

    components_ = _Weights()
    intercept_hidden_ = _Weights()
    intercept_visible_ = _Weights()

    _parameter_constraints: dict[str, list[Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_iter": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 256,
        *,
        learning_rate: float = 0.1,
        batch_size: int = 10,
        n_iter: int = 10,
        verbose: int = 0,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.verbose = verbose
        self.random_state = random_state

    def _settings(self, seed: int, epochs: int, batch_size: int) -> str:
        return json.dumps(
            {
                "hidden": int(self.n_components),
                "epochs": max(int(epochs), 1),
                "learning_rate": float(self.learning_rate),
                "schedule": "constant",
                "momentum": 0.0,
                "final_momentum": 0.0,
                "weight_cost": 0.0,
                "visible_bias": "zero",
                "persistent_chains": int(self.batch_size),
                "batch_size": batch_size,
                "binarize": "none",
                "valid": 0,
                "seed": seed,
            }
        )

    def _bernoulli(self, X: Any) -> Data:
        if sparse.issparse(X):
            return sparse_data(X, None, clip=True)
        array = np.ascontiguousarray(X)
        low, high, binary, _, _ = survey(array)
        return Data.array(clipped(array, low, high), binary=binary)

    def _keep(self, trained: tuple[Any, ...], dtype: Any) -> None:
        self._model, self._encoding = trained[0], Encoding()
        tensors = self._model.tensors()
        values = (tensors["w_rec"].T, tensors["hb"], tensors["vb"])
        self._arrays = {name: array.astype(dtype) for name, array in zip(_ARRAYS, values)}
        chains = trained[3].chains()
        shape = (self.batch_size, self.n_components)
        self.h_samples_ = np.zeros(shape, dtype) if chains is None else chains.astype(dtype)
        self._raise(trained[2])

    def _assign(self, name: str, values: Any) -> None:
        """Make the model of assigned arrays, as soon as they fit each other."""
        self._arrays = {**self.__dict__.get("_arrays", {}), name: np.array(values)}
        self._state = None
        self.__dict__.pop("_model", None)
        weights, hidden, visible = (self._arrays.get(name, np.empty(0)) for name in _ARRAYS)
        if hidden.size and visible.size and weights.shape == hidden.shape + visible.shape:
            rows = np.ascontiguousarray(weights.T, dtype=np.float32)
            self._model = Model.of_weights(rows, hidden.tolist(), visible.tolist())
            self._encoding, self.n_features_in_ = Encoding(), len(visible)

    def _fitted(self) -> Model:
        if hasattr(self, "_arrays") and not hasattr(self, "_model"):
            shapes = ", ".join(f"{name} {array.shape}" for name, array in self._arrays.items())
            raise ValueError(
                f"the arrays that were assigned make no RBM: {shapes}; expected components_ "
                "(n_components, n_features), intercept_hidden_ (n_components,) and "
                "intercept_visible_ (n_features,)"
            )
        return super()._fitted()

    @property
    def _n_features_out(self) -> int:
        return len(self.intercept_hidden_)

    def _line(self) -> Any:
        started = [0]

        def line(metrics: dict[str, Any], seconds: float) -> str:
            started[0] += 1
            score = metrics.get("pseudo_likelihood_train", float("nan"))
            return (
                f"[{type(self).__name__}] Iteration {started[0]}, pseudo-likelihood = {score:.2f}, "
                f"time = {seconds:.2f}s"
            )

        return line

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> BernoulliRBM:
        """Train on samples.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
            Samples with values in [0, 1].
        y : ignored
            For pipelines.

        Returns
        -------
        BernoulliRBM
            The estimator itself.
        """
        X = validate_data(self, X, accept_sparse="csr", dtype=(np.float64, np.float32))
        data = self._bernoulli(X)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        settings = json.loads(self._settings(seed, self.n_iter, int(self.batch_size)))
        if self.verbose:
            settings["pseudo_every"] = 1
        text = json.dumps(settings)
        trained = self._train(
            type(self).__name__,
            self.n_iter,
            lambda watch: train_rbm(
                data, text, "{}", untrained=self.n_iter == 0, monitor=_MONITOR, watch=watch
            ),
            line=self._line(),
        )
        self._state = None
        self._keep(trained, X.dtype)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> BernoulliRBM:
        """Train on with one minibatch, from where the last one or `fit` left off.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
            The minibatch.
        y : ignored
            For pipelines.

        Returns
        -------
        BernoulliRBM
            The estimator itself.
        """
        if "_arrays" in self.__dict__:
            self._fitted()
        state: State | None = getattr(self, "_state", None)
        start = getattr(self, "_model", None) if state is None else None
        first = state is None and start is None
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=first)
        data = self._bernoulli(X)
        if state is None:
            if not hasattr(self, "random_state_"):
                self.random_state_ = check_random_state(self.random_state)
            self._fit_seed = int(self.random_state_.randint(2**31 - 1))
        epochs = 1 if state is None else state.epochs + 1
        settings = self._settings(self._fit_seed, epochs, X.shape[0])
        verbose, self.verbose = self.verbose, 0
        try:
            trained = self._train(
                type(self).__name__,
                1,
                lambda watch: train_rbm(
                    data, settings, "{}", state=state, start=start, monitor=_MONITOR, watch=watch
                ),
            )
        finally:
            self.verbose = verbose
        self._state = trained[3]
        self._keep(trained, X.dtype)
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the probabilities of the hidden units.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            P(h = 1 | v = X), in the floating-point type of X.
        """
        return self._mean_hiddens(self._later(X))

    def _later(self, X: Any) -> Any:
        """Later samples; whether those of an array are finite is seen where they are used."""
        self._fitted()
        return validate_data(
            self,
            X,
            accept_sparse="csr",
            reset=False,
            dtype=(np.float64, np.float32),
            ensure_all_finite=sparse.issparse(X),
        )

    def _mean_hiddens(self, v: Any) -> NDArray[Any]:
        flat = getattr(v, "ndim", 2) == 1
        rows = v.reshape(1, -1) if flat else v
        double = v.dtype == np.float64
        if sparse.issparse(rows):
            return self._model.encode(self._bernoulli(rows), 1, double=double)
        array = np.ascontiguousarray(rows)
        made = self._model.encode_values(array, double=double)
        assert made is not None, "its units are Bernoulli ones"
        within(self, array, made[1])
        return made[0][0] if flat else made[0]

    def _sample_hiddens(self, v: Any, rng: Any) -> NDArray[Any]:
        means = self._mean_hiddens(v)
        return rng.uniform(size=means.shape) < means

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Return scikit-learn's estimate of the pseudo-likelihood of samples.

        One feature i of each sample is drawn; what is returned is n_features times
        ln sigmoid(F(v with 1 - v_i) - F(v)), for the free energy F. The feature depends on
        `random_state` and on the sample's own values, so that a sample has the same score
        whatever comes with it. `pseudo_likelihood` sums over all features instead.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Estimates in nats.
        """
        v = self._later(X)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if sparse.issparse(v):
            return np.concatenate([self._flipped(rows, seed) for rows in _dense_blocks(v)])
        return self._flipped(np.ascontiguousarray(v), seed)

    def _flipped(self, v: NDArray[Any], seed: int) -> NDArray[np.float64]:
        scores, seen = self._model.flip_values(v, seed)
        within(self, v, seen)
        return scores

    def pseudo_likelihood(self, X: Any) -> NDArray[np.float64]:
        """Return the pseudo-likelihood of samples, exactly.

        It is what `score_samples` is on average over the feature that it draws.

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            The sum over all features i of ln sigmoid(F(v with 1 - v_i) - F(v)), in nats.
        """
        self._fitted()
        v = validate_data(self, X, accept_sparse="csr", reset=False, dtype=(np.float64, np.float32))
        return self._model.pseudo(self._bernoulli(v), True)

    def gibbs(self, v: Any) -> NDArray[np.bool_]:
        """Return samples after one Gibbs step from others.

        Parameters
        ----------
        v : array or sparse matrix of shape (n_samples, n_features)
            Where the chains start.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            States.
        """
        self._fitted()
        if not hasattr(self, "random_state_"):
            self.random_state_ = check_random_state(self.random_state)
        seed = int(self.random_state_.randint(2**31 - 1))
        return self._model.gibbs(self._bernoulli(v), 1, seed) > 0.5

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
