from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "checkpoint",
    "keys_of_program",
    "program",
    "survey",
    "Data",
    "Model",
    "State",
    "finetune",
    "train_rbm",
    "train_stack",
    "tune",
    "__version__",
]

__version__: str

_Watch = Callable[[str], object]
_Trained = tuple[Model, str, BaseException | None]

def checkpoint(path: str) -> str: ...
def keys_of_program() -> list[str]: ...
def program(args: Sequence[str]) -> int: ...
def survey(array: NDArray[Any]) -> tuple[float, float, bool, bool, bool]: ...
def train_rbm(
    data: Data,
    settings: str,
    beside: str,
    *,
    untrained: bool = False,
    valid: Data | None = None,
    state: State | None = None,
    start: Model | None = None,
    monitor: int = 2000,
    watch: _Watch | None = None,
) -> tuple[Model, str, BaseException | None, State]: ...
def train_stack(
    data: Data,
    settings: str,
    beside: str,
    *,
    classes: int | None = None,
    valid: Data | None = None,
    monitor: int = 5000,
    watch: _Watch | None = None,
) -> _Trained: ...
def tune(
    model: Model,
    data: Data,
    settings: str,
    beside: str,
    *,
    valid: Data | None = None,
    monitor: int = 2000,
    watch: _Watch | None = None,
) -> _Trained: ...
def finetune(
    model: Model,
    data: Data,
    settings: str,
    beside: str,
    *,
    classes: int | None = None,
    valid: Data | None = None,
    monitor: int = 2000,
    watch: _Watch | None = None,
) -> _Trained: ...
@final
class Data:
    @staticmethod
    def array(
        array: NDArray[Any],
        labels: list[int] | None = None,
        *,
        grey: bool = False,
        binary: bool = False,
    ) -> Data: ...
    @staticmethod
    def sparse(
        starts: NDArray[np.int64],
        columns: NDArray[np.int64],
        values: NDArray[np.float32],
        units: int,
        labels: list[int] | None = None,
    ) -> Data: ...
    @staticmethod
    def columns(
        names: list[str],
        columns: list[Any],
        options: str,
        labels: list[int] | None = None,
    ) -> Data: ...
    @staticmethod
    def table(
        array: NDArray[np.float64], options: str, labels: list[int] | None = None
    ) -> Data: ...
    @staticmethod
    def units_of(
        model: Model, array: NDArray[np.float32], labels: list[int] | None = None
    ) -> Data: ...
    @staticmethod
    def mnist(test: bool) -> Data: ...
    def split(self, samples: int, seed: int) -> tuple[Data, Data]: ...
    def rows(self, first: int, count: int) -> Data: ...
    def bytes(self) -> NDArray[np.uint8]: ...
    def values(self) -> NDArray[np.float32]: ...
    @property
    def samples(self) -> int: ...
    @property
    def units(self) -> int: ...
    @property
    def schema(self) -> str | None: ...
    @property
    def summary(self) -> str: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def doubts(self) -> list[str]: ...
    @property
    def has_missing(self) -> bool: ...
    @property
    def labels(self) -> list[int] | None: ...

@final
class State:
    @staticmethod
    def from_bytes(bytes: bytes) -> State: ...
    def chains(self) -> NDArray[np.float32] | None: ...
    @property
    def epochs(self) -> int: ...

@final
class Model:
    @staticmethod
    def of_weights(
        weights: NDArray[np.float32], hidden: Sequence[float], visible: Sequence[float]
    ) -> Model: ...
    @staticmethod
    def load(path: str) -> Model: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> Model: ...
    def save(self, path: str) -> None: ...
    def tensors(self) -> dict[str, NDArray[np.float32]]: ...
    def decode(self, values: NDArray[np.float32]) -> list[tuple[str, Any]]: ...
    def with_recipe(self, recipe: str) -> Model: ...
    def layers(self) -> list[tuple[NDArray[np.float32], NDArray[np.float32], str]]: ...
    def encode(
        self, data: Data, depth: int, threads: int = 0, *, double: bool = False
    ) -> NDArray[Any]: ...
    def encode_values(
        self, array: NDArray[Any], threads: int = 0, *, grey: bool = False, double: bool = False
    ) -> tuple[NDArray[Any], tuple[float, float, bool]] | None: ...
    def flip_values(
        self, array: NDArray[Any], seed: int, threads: int = 0
    ) -> tuple[NDArray[np.float64], tuple[float, float, bool]]: ...
    def probabilities(self, data: Data, threads: int = 0) -> NDArray[np.float32]: ...
    def reconstruct(self, data: Data, threads: int = 0) -> NDArray[np.float32]: ...
    def free_energy(self, data: Data, threads: int = 0) -> NDArray[np.float64]: ...
    def costs(self, data: Data, threads: int = 0) -> NDArray[np.float64]: ...
    def pseudo(
        self, data: Data, flips: bool = False, threads: int = 0
    ) -> NDArray[np.float64]: ...
    def impute(
        self, data: Data, sweeps: int, seed: int, threads: int = 0
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
    def sample(
        self, count: int, labels: list[int] | None, steps: int, seed: int, threads: int = 0
    ) -> tuple[NDArray[np.float32], list[int]]: ...
    def sample_given(
        self,
        count: int,
        given: list[tuple[str, str]],
        steps: int,
        seed: int,
        threads: int = 0,
    ) -> NDArray[np.float32]: ...
    def gibbs(
        self, data: Data, steps: int, seed: int, threads: int = 0
    ) -> NDArray[np.float32]: ...
    def log_likelihood(
        self,
        data: Data,
        chains: int,
        temperatures: int,
        burn_in: int,
        seed: int,
        threads: int = 0,
    ) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def sizes(self) -> list[int]: ...
    @property
    def classes(self) -> int: ...
    @property
    def visible_units(self) -> str: ...
    @property
    def spins(self) -> list[bool]: ...
    @property
    def hidden_units(self) -> str: ...
    @property
    def provenance(self) -> str: ...
