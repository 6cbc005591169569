"""What all models of the package can do."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from deepbelief._input import (
    Encoding,
    decoded,
    frame_of,
    is_frame,
    later_input,
    later_values,
    outside,
    within,
)
from deepbelief._progress import StopTraining, Watch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deepbelief._deepbelief import Data, Model

#: How a training may end without a word.
_WELL = ("finished", "converged", "interrupted")


class ModelUse:
    """Use of a model, whatever made it: needs ``_model`` and ``_encoding``."""

    _model: Model
    _encoding: Encoding
    n_threads: int = 0
    random_state: Any = None

    def _fitted(self) -> Model:
        """The model, where there is one."""
        if not self.__sklearn_is_fitted__():
            name = type(self).__name__
            raise NotFittedError(f"This {name} instance is not fitted yet: call fit first.")
        return self._model

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def _data(self, X: Any) -> Data:
        self._fitted()
        return later_input(self, self._encoding, X)

    def _seed(self, random_state: Any = None) -> int:
        """A seed of the engine: a number is taken as it is."""
        chosen = self.random_state if random_state is None else random_state
        if isinstance(chosen, (int, np.integer)) and chosen >= 0:
            return int(chosen)
        return int(check_random_state(chosen).randint(2**31 - 1))

    def _transformed(self, X: Any, depth: int) -> NDArray[Any]:
        double = getattr(X, "dtype", None) == np.float64
        model = self._fitted()
        plain = later_values(self, self._encoding, X) if model.kind == "rbm" and depth == 1 else None
        if plain is not None:
            array, grey = plain
            made = model.encode_values(array, self.n_threads, grey=grey, double=double)
            if made is not None:
                within(self, array, made[1])
                return made[0]
        return model.encode(self._data(X), depth, self.n_threads, double=double)

    def _in_type_of(self, X: Any, values: NDArray[np.float32]) -> NDArray[Any]:
        """The values in the floating-point type of X, which is float32 for all that has none."""
        return values.astype(np.float64) if getattr(X, "dtype", None) == np.float64 else values

    def reconstruct(self, X: Any) -> Any:
        """Return what the model makes of samples on the way up and down again.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray or data frame
            Means of the visible units, in the units of the training data.
        """
        values = self._fitted().reconstruct(self._data(X), self.n_threads)
        return decoded(self._encoding, self._model, values, self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint, which `load` and the program `dbn` read.

        Parameters
        ----------
        path : path
            A safetensors file; written whole or not at all.
        """
        self._fitted().save(os.fspath(path))

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Return all parameters by name, as arrays of their own.

        Returns
        -------
        dict of ndarray
            Those of an RBM are ``w_rec`` of shape (n_units, hidden), ``hb`` and ``vb``.
        """
        return dict(self._fitted().tensors())

    def to_torch(self) -> Any:
        """Return the way up as a module of PyTorch, with weights of its own.

        Returns
        -------
        torch.nn.Sequential
            A ``Linear`` and what follows it for each layer. Of an RBM or a net it maps
            visible units to what `transform` returns; of a classifier to probabilities,
            and without its last module to their logits; of an autoencoder to
            reconstructions. Visible units are grey levels divided by 255, and of a table
            what its columns are made into.
        """
        from deepbelief._torch import module

        return module(self._fitted().layers())


class BeliefUse(ModelUse):
    """Use of an RBM or a deep belief net."""

    def free_energy(self, X: Any) -> NDArray[np.float64]:
        """Return the free energy of samples, of a net that of its top.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            Free energies in nats: low where samples are probable.
        """
        return self._fitted().free_energy(self._data(X), self.n_threads)

    def log_likelihood(
        self,
        X: Any,
        *,
        chains: int = 100,
        temperatures: int = 14_500,
        burn_in: int = 1000,
        random_state: Any = None,
    ) -> Any:
        """Return the mean log-likelihood of samples.

        ln Z is summed exactly where one side of the top has few units, else estimated
        by annealing in both directions (Neal 2001; Bennett 1976), whose chains start
        from these samples. Values between 0 and 1 are drawn once.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples: those that the model was trained on, or many like them.
        chains, temperatures, burn_in : int
            The annealing: chains of each direction, inverse temperatures that they
            pass, and Gibbs steps from the samples before those in reverse.
        random_state : int, RandomState or None
            Seed of everything drawn; None takes that of the estimator.

        Returns
        -------
        LogLikelihood
            The value in nats per sample with its interval.
        """
        from deepbelief._results import LogLikelihood

        seed = self._seed(random_state)
        text = self._fitted().log_likelihood(
            self._data(X), chains, temperatures, burn_in, seed, self.n_threads
        )
        return LogLikelihood._of(text)

    def impute(self, X: Any, *, sweeps: int = 20, random_state: Any = None) -> Any:
        """Fill missing values with their means given the rest of the sample.

        Parameters
        ----------
        X : array or data frame of shape (n_samples, n_features)
            Samples; NaN and empty cells are missing.
        sweeps : int, default=20
            Gibbs steps of each of four chains that the means are of.
        random_state : int, RandomState or None
            Seed of everything drawn; None takes that of the estimator.

        Returns
        -------
        ndarray or data frame
            A copy of X without gaps. A binary or categorical column has its most
            probable value there.
        """
        data, seed = self._data(X), self._seed(random_state)
        mean, _ = self._model.impute(data, sweeps, seed, self.n_threads)
        filled = decoded(self._encoding, self._model, mean, self)
        if is_frame(X):
            columns = {name: X[name] for name in X.columns}
            for name in filled.columns:
                columns[name] = _filled(X[name], filled[name])
            return frame_of(type(X).__module__.split(".")[0], columns)
        X = np.asarray(X, dtype=np.float64)
        return np.where(np.isnan(X), np.asarray(filled, dtype=np.float64), X)

    def _sampled(
        self, n: int, labels: list[int] | None, given: Any, steps: int, random_state: Any
    ) -> tuple[Any, list[int]]:
        self._fitted()
        seed = self._seed(random_state)
        if not given:
            values, found = self._model.sample(n, labels, steps, seed, self.n_threads)
            return decoded(self._encoding, self._model, values, self), found
        if self._encoding.kind != "table":
            raise ValueError("given columns are those of a table: this model learned values alone")
        texts = [(str(name), _as_text(value)) for name, value in given.items()]
        values = self._model.sample_given(n, texts, steps, seed, self.n_threads)
        return decoded(self._encoding, self._model, values, self), []

    def _train(
        self,
        title: str,
        epochs: int | None,
        start: Callable[[Watch], tuple[Any, ...]],
        line: Callable[[dict[str, Any], float], str] | None = None,
    ) -> tuple[Any, ...]:
        """Keep what a training made before what interrupted it is raised."""
        watch = Watch(
            title, epochs, int(getattr(self, "verbose", 0)), getattr(self, "callback", None), line
        )
        trained, self.history_, self.outcome_ = watched(watch, start)
        return trained

    @staticmethod
    def _raise(error: BaseException | None) -> None:
        raise_unless_stopped(error)


def watched(
    watch: Watch, start: Callable[[Watch], tuple[Any, ...]]
) -> tuple[tuple[Any, ...], list[dict[str, Any]], str]:
    """Train: what came of it, the metrics of its epochs and how it ended."""
    try:
        trained = start(watch)
    finally:
        watch.close()
    if trained[1] in _WELL:
        return trained, watch.history, trained[1]
    warnings.warn(f"{trained[1]}", ConvergenceWarning, stacklevel=outside())
    return trained, watch.history, "diverged"


def raise_unless_stopped(error: BaseException | None) -> None:
    """Raise what interrupted a training; a callback that stops it is none."""
    if error is not None and not isinstance(error, StopTraining):
        raise error


def check_device(device: str) -> str:
    """The name of a device that this package computes on."""
    if str(device).startswith("cuda"):
        raise ValueError(
            f"device is {device!r}, but this package computes on the CPU: train with a dbn that was "
            "built with CUDA and load its checkpoint, or leave device='cpu'"
        )
    if device != "cpu":
        raise ValueError(f"device is {device!r}; it must be 'cpu'")
    return device


def label_codes(y: Any) -> tuple[NDArray[np.integer[Any]], NDArray[Any]]:
    """Labels by their places among the classes, and the classes."""
    y = column_or_1d(y, warn=True)
    check_classification_targets(y)
    encoder = LabelEncoder()
    codes: NDArray[np.integer[Any]] = encoder.fit_transform(y)
    return codes, encoder.classes_


def settings_json(asked: dict[str, Any], more: dict[str, Any] | None) -> str:
    """Settings as the engine reads them: what is None is left to the recipe."""
    settings = {key: value for key, value in asked.items() if value is not None}
    for key, value in (more or {}).items():
        if key in settings:
            raise ValueError(f"settings names {key!r}, which is a parameter of its own")
        settings[key] = value
    return json.dumps(settings, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is no setting: expected a number, a text, a list or a dict")


def _as_text(value: Any) -> str:
    return str(value.item() if isinstance(value, np.generic) else value)


def _filled(column: Any, made: Any) -> Any:
    """A column with what is made of it where nothing is there."""
    old, new = column.to_list(), made.to_list()
    return [b if a is None or a != a or a == "" else a for a, b in zip(old, new)]
