"""Pictures of models, drawn with Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["Plots", "tiles"]


def tiles(
    rows: NDArray[Any],
    shape: tuple[int, int] | None = None,
    *,
    columns: int | None = None,
    each: bool = False,
    ax: Axes | None = None,
    cmap: str = "gray",
) -> Axes:
    """Draw rows as small pictures beside each other.

    Parameters
    ----------
    rows : ndarray of shape (n, n_pixels)
        Pictures, row by row.
    shape : (int, int), default=None
        Height and width; None takes a square.
    columns : int, default=None
        Pictures in a row; None makes a sheet about as wide as high.
    each : bool, default=False
        Whether each picture has a scale of its own.
    ax : Axes, default=None
        Where to draw; None makes a new figure.
    cmap : str, default="gray"
        Colours.

    Returns
    -------
    Axes
        Where it was drawn.
    """
    rows = np.asarray(rows, dtype=np.float64)
    n, pixels = rows.shape
    height, width = shape or _square(pixels)
    if height * width != pixels:
        raise ValueError(f"shape is {height} x {width}, but a picture has {pixels} pixels")
    if each:
        low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
        rows = (rows - low) / np.where(high > low, high - low, 1.0)
    columns = columns or int(np.ceil(np.sqrt(n)))
    lines = -(-n // columns)
    sheet = np.full((lines * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for place, row in enumerate(rows):
        line, column = divmod(place, columns)
        at, beside = line * (height + 1), column * (width + 1)
        sheet[at : at + height, beside : beside + width] = row.reshape(height, width)
    ax = ax or _new_axes(columns, lines)
    ax.imshow(sheet, cmap=cmap, interpolation="nearest")
    ax.set_axis_off()
    return ax


class Plots:
    """What ``model.plot`` draws; each method takes ``ax`` and returns it."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def filters(
        self,
        n: int = 64,
        *,
        shape: tuple[int, int] | None = None,
        columns: int | None = None,
        ax: Axes | None = None,
        cmap: str = "gray",
    ) -> Axes:
        """Draw the weights into the first units of the lowest layer.

        Parameters
        ----------
        n : int, default=64
            How many units.
        shape, columns, ax, cmap
            As for `tiles`.

        Returns
        -------
        Axes
            Where it was drawn.
        """
        weights = self._model.weights()
        lowest = weights.get("w_rec")
        if lowest is None:
            lowest = next(w for name, w in weights.items() if name.endswith("w_rec"))
        return tiles(lowest.T[:n], shape, columns=columns, each=True, ax=ax, cmap=cmap)

    def samples(
        self,
        n: int = 20,
        *,
        label: Any = None,
        steps: int = 1000,
        random_state: Any = None,
        shape: tuple[int, int] | None = None,
        columns: int | None = None,
        ax: Axes | None = None,
        cmap: str = "gray",
    ) -> Axes:
        """Draw samples that the model generates.

        Parameters
        ----------
        n : int, default=20
            How many.
        label : label, default=None
            The label that they are of, of a net that learned labels.
        steps, random_state
            As for the model's ``sample``.
        shape, columns, ax, cmap
            As for `tiles`.

        Returns
        -------
        Axes
            Where it was drawn.
        """
        more = {} if label is None else {"label": label}
        rows = self._model.sample(n, steps=steps, random_state=random_state, **more)
        return tiles(np.asarray(rows), shape, columns=columns, ax=ax, cmap=cmap)

    def history(self, *metrics: str, ax: Axes | None = None) -> Axes:
        """Draw metrics over the epochs of the last training.

        Parameters
        ----------
        *metrics : str
            Keys of ``history_``; none draws the costs and, where there are held-out
            samples, theirs.
        ax : Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        Axes
            Where it was drawn.
        """
        history = self._model.history_
        if not history:
            raise ValueError("there is no history: the model was loaded, not trained")
        costs = ("reconstruction_cost", "reconstruction_cost_valid")
        chosen = metrics or tuple(key for key in costs if history[0].get(key) is not None)
        ax = ax or _new_axes(6, 4, scale=1.0)
        for key in chosen:
            values = [np.nan if epoch.get(key) is None else epoch[key] for epoch in history]
            ax.plot(np.arange(1, len(values) + 1), values, label=key.replace("_", " "))
        ax.set_xlabel("epoch")
        ax.set_ylabel("nats per sample")
        ax.legend()
        return ax


def _square(pixels: int) -> tuple[int, int]:
    side = int(round(np.sqrt(pixels)))
    if side * side != pixels:
        raise ValueError(f"{pixels} pixels are no square: give shape=(height, width)")
    return side, side


def _new_axes(width: float, height: float, *, scale: float = 0.8) -> Axes:
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(scale * width, scale * height), layout="constrained")
    return ax
