"""Data that come with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from deepbelief import _deepbelief

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["mnist"]


def mnist(
    split: Literal["train", "test"] = "train",
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the handwritten digits of MNIST (LeCun et al. 1998).

    They are part of the package: nothing is downloaded.

    Parameters
    ----------
    split : {"train", "test"}, default="train"
        The 60,000 training digits or the 10,000 test digits.

    Returns
    -------
    X : ndarray of shape (n_samples, 784), uint8
        Grey levels, 0 to 255, of 28 x 28 pixels row by row.
    y : ndarray of shape (n_samples,), int64
        The digits.

    Examples
    --------
    >>> from deepbelief import datasets
    >>> X, y = datasets.mnist("test")
    >>> X.shape, X.max(), y[:5].tolist()
    ((10000, 784), np.uint8(255), [7, 2, 1, 0, 4])
    """
    if split not in ("train", "test"):
        raise ValueError(f"split is {split!r}; it must be 'train' or 'test'")
    digits = _deepbelief.Data.mnist(split == "test")
    return digits.bytes(), np.asarray(digits.labels, dtype=np.int64)
