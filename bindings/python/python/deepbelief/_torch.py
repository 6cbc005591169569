"""Models as modules of PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def module(layers: list[tuple[NDArray[np.float32], NDArray[np.float32], str]]) -> Any:
    """A ``torch.nn.Sequential`` of weights (in, out), biases, and what follows them."""
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "to_torch() needs PyTorch: pip install torch; weights() returns arrays without it"
        ) from error
    parts: list[Any] = []
    for weights, biases, activation in layers:
        linear = torch.nn.Linear(*weights.shape)
        linear.weight.data = torch.from_numpy(np.ascontiguousarray(weights.T))
        linear.bias.data = torch.from_numpy(biases)
        parts.append(linear)
        if activation == "sigmoid":
            parts.append(torch.nn.Sigmoid())
        elif activation == "softmax":
            parts.append(torch.nn.Softmax(dim=1))
    return torch.nn.Sequential(*parts)
