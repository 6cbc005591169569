"""One restricted Boltzmann machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from deepbelief._base import BeliefUse, check_device, settings_json
from deepbelief._deepbelief import train_rbm
from deepbelief._input import decoded, fit_input, later_input

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deepbelief._deepbelief import State
    from deepbelief.plot import Plots


class RBM(BeliefUse, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A restricted Boltzmann machine, trained by contrastive divergence.

    What is None is left to the recipe of ``dbn pretrain``, after Hinton's practical guide
    (2010), and for a table to what ``dbn check`` recommends. The same settings and data
    give the same bits as there, for any number of threads.

    Parameters
    ----------
    hidden : int, default=None
        Hidden units; the recipe has 500.
    hidden_units : str, default="bernoulli"
        What they are: ``bernoulli``, ``gaussian``, ``spin``, ``relu`` or ``drelu``, or a
        mixture such as ``relu=100,bernoulli=20``.
    visible_units : {"auto", "bernoulli", "gaussian", "spin", "categorical"}
        What learns the columns. With "auto", values in [0, 1] and bytes are learned by
        Bernoulli units; of other arrays and of data frames each column has its own:
        numbers Gaussian units, categories categorical units.
    column_types : dict of str, default=None
        What single columns are, where their values do not say it rightly: ``binary``,
        ``unit``, ``real``, ``categorical``, ``spin`` or ``ignored``, by name or by place.
    epochs : int, default=None
        Passes over the data; the recipe has 30.
    learning_rate : float, default=None
        Step size; the recipe has 0.1 for most units.
    batch_size : int, default=None
        Samples in a minibatch; the recipe has 100.
    cd_steps : int or str, default=None
        Gibbs steps of the negative phase, 1 in the recipe. They may grow: ``"1x10+5"`` has
        one in ten epochs, then five.
    persistent_chains : int, default=None
        Chains that go on from update to update (Tieleman 2008). The recipe has 0: every
        chain starts from the data.
    weight_cost : float, default=None
        L2 cost of the weights; the recipe has 0.0001.
    binarize : str, default=None
        How values between 0 and 1 become states: ``fresh``, as in the recipe, draws them in
        every epoch, ``fixed`` once, ``threshold=0.5`` compares them, ``none`` learns them
        as they are.
    settings : dict, default=None
        Any other option of ``dbn pretrain`` by its name, such as ``{"centred": True}``.
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
    components_ : ndarray of shape (hidden, n_units)
        Weights.
    intercept_hidden_ : ndarray of shape (hidden,)
        Biases of the hidden units.
    intercept_visible_ : ndarray of shape (n_units,)
        Biases of the visible units.
    history_ : list of dict
        Metrics of every epoch, in nats per sample: see `plot`.
    outcome_ : str
        How the training ended: "finished", "converged", "interrupted" or "diverged".
    schema_ : dict or None
        What the columns are, where the data were a table.
    n_features_in_ : int
        Columns of the training data.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where the data were a data frame.

    Notes
    -----
    Ctrl-C stops a training after the running minibatch: the estimator is then fitted as
    far as it came, and `KeyboardInterrupt` is raised.

    Examples
    --------
    >>> import numpy as np
    >>> import deepbelief as db
    >>> X = np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 50, axis=0)
    >>> rbm = db.RBM(2, epochs=60, batch_size=10, random_state=1).fit(X)
    >>> rbm.transform(X).shape
    (100, 2)
    >>> float(rbm.log_likelihood(X)) > -1.5  # two samples alone would have -0.69
    True
    """

    def __init__(
        self,
        hidden: int | None = None,
        *,
        hidden_units: str = "bernoulli",
        visible_units: str = "auto",
        column_types: dict[str, str] | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        cd_steps: int | str | None = None,
        persistent_chains: int | None = None,
        weight_cost: float | None = None,
        binarize: str | None = None,
        settings: dict[str, Any] | None = None,
        n_valid: int = 0,
        random_state: Any = None,
        n_threads: int = 0,
        device: str = "cpu",
        verbose: int = 0,
        callback: Any = None,
    ) -> None:
        self.hidden = hidden
        self.hidden_units = hidden_units
        self.visible_units = visible_units
        self.column_types = column_types
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.cd_steps = cd_steps
        self.persistent_chains = persistent_chains
        self.weight_cost = weight_cost
        self.binarize = binarize
        self.settings = settings
        self.n_valid = n_valid
        self.random_state = random_state
        self.n_threads = n_threads
        self.device = device
        self.verbose = verbose
        self.callback = callback

    def _settings(self, seed: int, **more: Any) -> str:
        mixed = "=" in self.hidden_units
        asked = {
            "visible_units": self.visible_units,
            "hidden": None if mixed else self.hidden,
            "hidden_units": self.hidden_units,
            "epochs": self.epochs,
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "cd_steps": self.cd_steps,
            "persistent_chains": self.persistent_chains,
            "weight_cost": self.weight_cost,
            "binarize": self.binarize,
            "valid": self.n_valid,
            "seed": seed,
            "threads": self.n_threads,
            "device": check_device(self.device),
        }
        # What a pass needs goes before a setting, and not before a parameter.
        rest = {
            key: value
            for key, value in (self.settings or {}).items()
            if key in asked or key not in more
        }
        return settings_json({**asked, **more}, rest)

    def fit(self, X: Any, y: Any = None) -> RBM:
        """Train on samples.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples. Missing values, NaN and empty cells, are drawn in training.
        y : ignored
            For pipelines.

        Returns
        -------
        RBM
            The estimator itself.
        """
        data, self._encoding = fit_input(
            self, X, None, visible_units=self.visible_units, column_types=self.column_types
        )
        seed, valid = self._seed(), None
        if self.n_valid:
            data, valid = data.split(self.n_valid, seed)
        settings = self._settings(seed)
        beside = json.dumps(self._encoding.recipe())
        trained = self._train(
            "RBM",
            self.epochs,
            lambda watch: train_rbm(data, settings, beside, valid=valid, watch=watch),
        )
        self._model = trained[0]
        self._state: State | None = None
        self._raise(trained[2])
        return self

    def partial_fit(self, X: Any, y: Any = None) -> RBM:
        """Train on for one pass over some samples, at a constant rate.

        Momentum and persistent chains go on from the last call; a model that `fit` or `load`
        made is trained on without either. What columns are is inferred from the samples that
        an estimator sees first.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.
        y : ignored
            For pipelines.

        Returns
        -------
        RBM
            The estimator itself.
        """
        state: State | None = getattr(self, "_state", None)
        start = getattr(self, "_model", None) if state is None else None
        if state is None:
            self._fit_seed = self._seed()
        if state is None and start is None:
            data, self._encoding = fit_input(
                self, X, None, visible_units=self.visible_units, column_types=self.column_types
            )
        else:
            data = later_input(self, self._encoding, X)
        epochs = 1 if state is None else state.epochs + 1
        settings = self._settings(self._fit_seed, epochs=epochs, schedule="constant", valid=0)
        beside = json.dumps(self._encoding.recipe())
        trained = self._train(
            "RBM",
            1,
            lambda watch: train_rbm(
                data, settings, beside, state=state, start=start, watch=watch
            ),
        )
        self._model, self._state = trained[0], trained[3]
        self._raise(trained[2])
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the means of the hidden units.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples. Missing values are filled as `impute` does.

        Returns
        -------
        ndarray of shape (n_samples, hidden)
            p(h = 1 | v) of Bernoulli units, of others E[h | v]; float64 if X is.
        """
        return self._transformed(X, 1)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Return the pseudo-likelihood of samples (Besag 1975).

        It is exact: the sum over all visible units of ln p(unit | all others).

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples. Bernoulli units between 0 and 1 have the mean over both values.

        Returns
        -------
        ndarray of shape (n_samples,)
            Nats: high where samples are probable, and low where they are anomalous.
        """
        return self._fitted().pseudo(self._data(X), False, self.n_threads)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean of `score_samples`.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Samples.
        y : ignored
            For pipelines.

        Returns
        -------
        float
            Nats per sample.
        """
        return float(np.mean(self.score_samples(X)))

    def gibbs(self, X: Any, steps: int = 1, *, random_state: Any = None) -> Any:
        """Return samples after Gibbs steps from others.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_samples, n_features)
            Where the chains start.
        steps : int, default=1
            Steps of each chain.
        random_state : int, RandomState or None
            Seed of everything drawn; None takes that of the estimator.

        Returns
        -------
        ndarray or data frame
            States, in the units of the training data.
        """
        data, seed = self._data(X), self._seed(random_state)
        values = self._model.gibbs(data, steps, seed, self.n_threads)
        return decoded(self._encoding, self._model, values, self)

    def sample(
        self,
        n: int = 10,
        *,
        given: dict[str, Any] | None = None,
        steps: int = 1000,
        random_state: Any = None,
    ) -> Any:
        """Return samples that the model generates.

        Parameters
        ----------
        n : int, default=10
            How many.
        given : dict, default=None
            Columns of a table that keep these values, by name or by place.
        steps : int, default=1000
            Gibbs steps before each sample.
        random_state : int, RandomState or None
            Seed of everything drawn; None takes that of the estimator.

        Returns
        -------
        ndarray or data frame
            In the units of the training data: means of Bernoulli units, which are
            probabilities, and states of all others.
        """
        return self._sampled(n, None, given, steps, random_state)[0]

    @property
    def components_(self) -> NDArray[np.float32]:
        """Weights."""
        return self._tensor("w_rec").T

    @property
    def intercept_hidden_(self) -> NDArray[np.float32]:
        """Biases of the hidden units."""
        return self._tensor("hb")

    @property
    def intercept_visible_(self) -> NDArray[np.float32]:
        """Biases of the visible units."""
        return self._tensor("vb")

    @property
    def schema_(self) -> dict[str, Any] | None:
        """What the columns are, where the data were a table."""
        self._tensor("vb")
        return self._encoding.schema

    @property
    def _n_features_out(self) -> int:
        return int(self._model.sizes[-1])

    @property
    def plot(self) -> Plots:
        """Pictures of the model: ``filters``, ``samples`` and ``history``."""
        from deepbelief.plot import Plots

        return Plots(self)

    def _tensor(self, name: str) -> NDArray[np.float32]:
        if not hasattr(self, "_model"):
            raise AttributeError(f"this {type(self).__name__} is not fitted yet")
        tensor: NDArray[np.float32] = self._model.tensors()[name]
        return tensor

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
