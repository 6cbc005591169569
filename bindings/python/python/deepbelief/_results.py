"""What estimators hand back beside arrays, and what they warn of."""

from __future__ import annotations

import json
from dataclasses import dataclass

__all__ = ["LogLikelihood", "RangeWarning"]


class RangeWarning(UserWarning):
    """Values lay beyond the range that the model learned, and were taken for its ends."""


@dataclass(frozen=True)
class LogLikelihood:
    """Mean log-likelihood of samples, in nats per sample; ``float()`` gives the value.

    Attributes
    ----------
    value : float
        The mean of ln p(v).
    low, high : float or None
        Three standard errors of ln Z on each side: the value itself where ln Z is
        exact, None where the estimate tells of no interval.
    method : {"exact", "importance", "annealed"}
        Whether ln Z was summed over all states, the layers under an exact top were
        drawn, or ln Z was estimated by annealing in both directions.
    bound : float or None
        The variational bound of a net with layers.
    log_z : float
        ln Z of the model, of a net of its top.
    standard_error_of_samples : float or None
        Standard error of the mean over the samples.
    """

    value: float
    low: float | None
    high: float | None
    method: str
    bound: float | None
    log_z: float
    standard_error_of_samples: float | None

    def __float__(self) -> float:
        return self.value

    @classmethod
    def _of(cls, text: str) -> LogLikelihood:
        return cls(**json.loads(text))
