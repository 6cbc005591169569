"""From what users have to visible units, and back.

=========  ==========================================================================
``unit``   values in [0, 1]: arrays and sparse matrices of such, 0 and 1 among them
``grey``   bytes 0 to 255, which stand for value / 255
``table``  columns of any kinds, as the schema says that was inferred of the training
           data: arrays of other values, values with gaps, and data frames
``units``  values as the units of a model have them that no schema tells what its
           columns are: real numbers, -1 and 1 for spins, one-hot for categories
=========  ==========================================================================
"""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import (
    _check_feature_names,
    _check_n_features,
    assert_all_finite,
    validate_data,
)

from deepbelief._deepbelief import Data, survey
from deepbelief._results import RangeWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Texts of a data frame that mean nothing is there.
_NOTHING = ""


@dataclass
class Encoding:
    """How values become visible units."""

    kind: str = "unit"
    schema: dict[str, Any] | None = None
    named: bool = False
    #: The library that data frames are of: pandas or polars.
    library: str | None = None
    #: What was asked for of single columns, as options of `dbn` say it.
    column_types: str | None = None

    def recipe(self) -> dict[str, Any]:
        """What a checkpoint says of it, as `dbn` reads it."""
        if self.schema is not None:
            asked = {"column_types": self.column_types} if self.column_types else {}
            return {"schema": self.schema, **asked}
        return {"scale": "255" if self.kind == "grey" else "none"}


def is_frame(X: Any) -> bool:
    """Whether it is a data frame of pandas or polars whose columns have names."""
    if not (hasattr(X, "columns") and hasattr(X, "dtypes")) or hasattr(X, "tocsr"):
        return False
    return all(isinstance(name, str) for name in X.columns)


def fit_input(
    estimator: Any,
    X: Any,
    labels: NDArray[np.integer[Any]] | None,
    *,
    visible_units: str,
    column_types: dict[str, str] | None,
) -> tuple[Data, Encoding]:
    """Take training data: what their columns are is inferred from them."""
    codes = None if labels is None else labels.tolist()
    options: dict[str, Any] = {"visible_units": visible_units}
    if column_types:
        options["column_types"] = ",".join(f"{name}={kind}" for name, kind in column_types.items())
    if is_frame(X):
        _check_feature_names(estimator, X, reset=True)
        _check_n_features(estimator, X, reset=True)
        names, columns = frame_columns(X)
        data = Data.columns(names, columns, json.dumps(options), codes)
        return data, _table(data, options, library=type(X).__module__.split(".")[0])
    X = validate_data(
        estimator, X, accept_sparse="csr", ensure_all_finite="allow-nan", dtype="numeric"
    )
    if sparse.issparse(X):
        return sparse_data(X, codes, clip=False), Encoding()
    array = _of_known_type(X)
    low, high, binary, gaps, _ = survey(array)
    plain = visible_units in ("auto", "bernoulli") and not column_types and not gaps
    if plain and (binary or (low >= 0 and high <= 1)):
        return Data.array(array, codes, binary=binary), Encoding()
    if plain and array.dtype == np.uint8:
        return Data.array(array, codes, grey=True), Encoding("grey")
    if visible_units == "bernoulli" and not column_types and not (low >= 0 and high <= 1):
        raise ValueError(
            f"the values are from {low:g} to {high:g}, and Bernoulli units have values in [0, 1]: "
            "scale them, or let visible_units be 'auto'"
        )
    data = Data.table(np.ascontiguousarray(array, np.float64), json.dumps(options), codes)
    return data, _table(data, options, library=None)


def later_input(estimator: Any, encoding: Encoding, X: Any, labels: Any = None) -> Data:
    """Take other data as the training data were."""
    codes = None if labels is None else labels.tolist()
    options = json.dumps({"schema": encoding.schema, "visible_units": "auto"})
    if is_frame(X):
        _check_feature_names(estimator, X, reset=False)
        if encoding.named:
            _check_n_features(estimator, X, reset=False)
            names, columns = frame_columns(X)
            return Data.columns(names, columns, options, codes)
    if encoding.kind == "table":
        X = validate_data(
            estimator, X, reset=False, ensure_all_finite="allow-nan", dtype=np.float64, order="C"
        )
        if encoding.named:
            columns = [np.ascontiguousarray(column) for column in X.T]
            return Data.columns(list(estimator.feature_names_in_), columns, options, codes)
        return Data.table(X, options, codes)
    X = validate_data(
        estimator, X, reset=False, accept_sparse="csr", ensure_all_finite=True, dtype="numeric"
    )
    if encoding.kind == "units":
        values: Any = X
        dense = values.toarray() if sparse.issparse(X) else values
        return Data.units_of(estimator._model, np.ascontiguousarray(dense, np.float32), codes)
    if sparse.issparse(X):
        return sparse_data(X, codes, clip=True)
    array = _of_known_type(X)
    if encoding.kind == "grey":
        if array.dtype == np.uint8:
            return Data.array(array, codes, grey=True)
        array = _shares_of_white(array)
    low, high, binary, _, _ = survey(array)
    if binary:
        return Data.array(array, codes, binary=True)
    return Data.array(clipped(array, low, high), codes)


def later_values(estimator: Any, encoding: Encoding, X: Any) -> tuple[NDArray[Any], bool] | None:
    """An array of values as the training data were, and whether they are grey levels.

    Whether the values are from 0 to 1 and finite is seen where they are used: `within`.
    None of what is no such array.
    """
    if encoding.kind in ("table", "units") or is_frame(X) or sparse.issparse(X):
        return None
    X = validate_data(estimator, X, reset=False, ensure_all_finite=False, dtype="numeric")
    array = _of_known_type(X)
    grey = encoding.kind == "grey" and array.dtype == np.uint8
    if encoding.kind == "grey" and not grey:
        array = _shares_of_white(array)
    return array, grey


def within(estimator: Any, array: NDArray[Any], seen: tuple[float, float, bool]) -> None:
    """Refuse values that are no numbers; say where others were taken for the ends of [0, 1]."""
    low, high, finite = seen
    if not finite:
        assert_all_finite(array, estimator_name=type(estimator).__name__, input_name="X")
    if low < 0 or high > 1:
        _warn_of_range(low, high)


def _of_libraries(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(("deepbelief.", "sklearn."))


def outside() -> int:
    """The stack level of the code that uses the package, for warnings of its caller."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _of_libraries(frame):
        frame, level = frame.f_back, level + 1
    return level


def _warn_of_range(low: float, high: float) -> None:
    warnings.warn(
        f"values from {low:g} to {high:g} are taken for the ends of [0, 1], which the model learned",
        RangeWarning,
        stacklevel=outside(),
    )


def clipped(array: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """Values in [0, 1]; says where others were taken for its ends."""
    if low >= 0 and high <= 1:
        return array
    _warn_of_range(low, high)
    floats = array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)
    return np.clip(floats, 0, 1)


def frame_columns(X: Any) -> tuple[list[str], list[Any]]:
    """Columns by name: numbers with NaN for gaps, or texts with "" for them."""
    columns = []
    for name in X.columns:
        column = X[name]
        kind = str(column.dtype).lower()
        if any(word in kind for word in ("date", "time", "duration", "period", "interval")):
            raise TypeError(
                f"column {name!r} has times ({column.dtype}), which no unit learns: make numbers or "
                "categories of them, or leave it out"
            )
        # Truth values are texts, as in files of pandas.
        if kind.startswith(("int", "uint", "float", "double")):
            columns.append(_numbers(column))
        else:
            columns.append(_texts(column))
    return [str(name) for name in X.columns], columns


def _numbers(column: Any) -> NDArray[np.float64]:
    if hasattr(column, "to_list") and not hasattr(column, "array"):
        return np.ascontiguousarray(column.cast(float).to_numpy(), np.float64)
    return np.ascontiguousarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _texts(column: Any) -> Any:
    values = column.to_list()
    missing = [x is None or x != x for x in values]
    if all(
        gap or (isinstance(x, (int, float)) and not isinstance(x, bool))
        for x, gap in zip(values, missing)
    ) and not str(column.dtype).lower().startswith("cat"):
        return np.array([np.nan if gap else float(x) for x, gap in zip(values, missing)])
    return [_NOTHING if gap else str(x) for x, gap in zip(values, missing)]


def decoded(encoding: Encoding, model: Any, values: NDArray[np.float32], estimator: Any) -> Any:
    """Visible values in the units of the training data."""
    if encoding.kind == "grey":
        return values * np.float32(255)
    if encoding.kind == "unit":
        return values
    if encoding.kind == "units":
        return np.where(model.spins, 2 * values - 1, values)
    columns = {name: _truths(cells) for name, cells in model.decode(values)}
    if encoding.library is not None:
        return frame_of(encoding.library, columns)
    # Columns that are not learned from have no values.
    array = np.full((len(values), estimator.n_features_in_), np.nan)
    for place, column in columns.items():
        array[:, int(place)] = np.asarray(column, dtype=np.float64)
    return array


def _truths(cells: Any) -> Any:
    """Texts that are truth values as such, all else as it is."""
    if isinstance(cells, list) and set(cells) <= {"False", "True"}:
        return np.array([cell == "True" for cell in cells])
    return cells


def frame_of(library: str, columns: dict[str, Any]) -> Any:
    """A data frame of columns."""
    if library == "polars":
        import polars

        return polars.DataFrame(columns)
    import pandas

    return pandas.DataFrame(columns)


def _table(data: Data, options: dict[str, Any], *, library: str | None) -> Encoding:
    """The encoding of columns, which have names where they are those of a library's data frame."""
    for doubt in data.doubts:
        warnings.warn(doubt, UserWarning, stacklevel=outside())
    schema = data.schema
    if schema is None:
        return Encoding()
    asked = options.get("column_types")
    return Encoding("table", json.loads(schema), library is not None, library, asked)


def _shares_of_white(array: NDArray[Any]) -> NDArray[np.float32]:
    """Grey levels of other types than bytes as values in [0, 1]; nothing larger is made on the way."""
    shares = np.empty(array.shape, np.float32)
    np.divide(array, 255.0, out=shares, casting="same_kind")
    return shares


def _of_known_type(array: NDArray[Any]) -> NDArray[Any]:
    """The same values in a type that the engine reads, without a copy where there is one."""
    if array.dtype == bool:
        array = array.view(np.uint8)
    elif array.dtype == np.float16:
        array = array.astype(np.float32)
    elif array.dtype not in (np.uint8, np.float32, np.float64):
        # States of a wider type need no more than a byte each.
        whole = array.dtype.kind in "iu" and array.size > 0
        states = whole and array.min() >= 0 and array.max() <= 1
        array = array.astype(np.uint8 if states else np.float64)
    return np.ascontiguousarray(array)


def sparse_data(X: Any, codes: list[int] | None, *, clip: bool) -> Data:
    """Sparse rows of values in [0, 1]."""
    X = X.tocsr()
    values = X.data.astype(np.float32)
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        low, high = float(values.min()), float(values.max())
        if not clip:
            raise ValueError(
                f"the values are from {low:g} to {high:g}, and sparse data are of Bernoulli units, "
                "with values in [0, 1]: scale them"
            )
        values = clipped(values, low, high)
    starts, columns = X.indptr.astype(np.int64), X.indices.astype(np.int64)
    return Data.sparse(starts, columns, np.ascontiguousarray(values), X.shape[1], codes)
