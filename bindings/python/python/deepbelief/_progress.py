"""What is seen of a training while it runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

Callback = Callable[[dict[str, Any]], object]


class StopTraining(Exception):
    """A callback asked a training to stop."""


class Watch:
    """Keeps the metrics of every epoch, shows them, and asks a callback.

    Parameters
    ----------
    title : str
        What is trained.
    epochs : int or None
        How many epochs there will be.
    verbose : int
        0 shows nothing, 1 a bar where tqdm is installed and else a line an epoch.
    callback : callable or None
        Takes the metrics of an epoch; what is true stops the training.
    line : callable or None
        Makes the line of an epoch of its metrics and its seconds.
    """

    def __init__(
        self,
        title: str,
        epochs: int | None,
        verbose: int,
        callback: Callback | None = None,
        line: Callable[[dict[str, Any], float], str] | None = None,
    ) -> None:
        self.history: list[dict[str, Any]] = []
        self._title, self._callback, self._line = title, callback, line
        self._verbose, self._epochs = verbose, epochs
        self._bar: Any = _bar(title, epochs) if verbose and line is None else None
        self._last = time.perf_counter()

    def __call__(self, message: str) -> None:
        """Take the metrics of an epoch, as JSON."""
        metrics = json.loads(message)
        self.history.append(metrics)
        if self._verbose:
            self._show(metrics)
        if self._callback is not None and self._callback(metrics):
            raise StopTraining

    def close(self) -> None:
        """Close what is open on the screen."""
        if self._bar is not None:
            self._bar.close()

    def _show(self, metrics: dict[str, Any]) -> None:
        now = time.perf_counter()
        seconds, self._last = now - self._last, now
        cost = metrics.get("reconstruction_cost", metrics.get("cost"))
        if self._line is not None:
            print(self._line(metrics, seconds), flush=True)
        elif self._bar is not None:
            if cost is not None:
                self._bar.set_postfix_str(f"cost {cost:.2f}")
            self._bar.update()
        else:
            of_epochs = f"/{self._epochs}" if self._epochs else ""
            layer = f"layer {metrics['layer']}, " if metrics.get("layer") else ""
            shown = f", cost {cost:.2f} nats per sample" if cost is not None else ""
            epoch = f"{layer}epoch {metrics['epoch']}{of_epochs}"
            print(f"[{self._title}] {epoch}{shown}, {seconds:.2f} s", flush=True)


def _bar(title: str, epochs: int | None) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=epochs, desc=title, unit="epoch")
