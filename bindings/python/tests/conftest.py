"""Data that several tests learn from."""

import numpy as np
import pytest
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def digits():
    """Digits of 8 x 8 pixels in [0, 1], and their labels."""
    X, y = load_digits(return_X_y=True)
    return np.ascontiguousarray(X / 16.0, dtype=np.float32), y


@pytest.fixture(scope="session")
def bars():
    """Pictures of 4 x 4 pixels with a row or a column on, and which it is."""
    samples = np.arange(400)
    rows = np.arange(16).reshape(4, 4) // 4
    X = np.where((samples % 2 == 0)[:, None, None], rows == (samples // 2 % 4)[:, None, None],
                 rows.T == (samples // 2 % 4)[:, None, None])
    return X.reshape(400, 16).astype(np.uint8), np.where(samples % 2 == 0, "row", "column")


@pytest.fixture(scope="session")
def table():
    """A table of people in which two groups have other ages, heights and colours; some cells are missing."""
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(1)
    group = rng.integers(0, 2, 600)
    frame = pandas.DataFrame(
        {
            "age": np.round(np.where(group, 60.0, 25.0) + 4 * rng.standard_normal(600), 1),
            "height": 170.0 + 8 * rng.standard_normal(600),
            "colour": np.where(rng.random(600) < 0.9, np.where(group, "grey", "brown"), "red"),
            "member": np.where(rng.random(600) < 0.9, group == 1, group == 0),
        }
    )
    frame.loc[rng.random(600) < 0.1, "age"] = np.nan
    frame.loc[rng.random(600) < 0.1, "colour"] = None
    return frame
