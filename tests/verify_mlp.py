"""Runs a network that `dbn export --as mlp` wrote, with nothing but NumPy and safetensors, and the
same with torch where it is installed.

    python3 tests/verify_mlp.py mlp.safetensors inputs.csv

`inputs.csv` holds one sample of visible values a line, without a header. Prints one JSON object:
`numpy`, the features of each sample in double precision, and `torch`, the same by layers of torch
in single precision, or null without torch.
"""

import json
import sys

import numpy as np
from safetensors import safe_open


def with_numpy(tensors, linear, v):
    for layer in range(len(tensors) // 2):
        weight, bias = (tensors[f"layers.{layer}.{part}"].astype(np.float64) for part in ("weight", "bias"))
        v = v @ weight.T + bias
        if f"layers.{layer}" not in linear:
            v = 1.0 / (1.0 + np.exp(-v))
    return v.tolist()


def with_torch(tensors, linear, v):
    try:
        import torch
    except ImportError:
        return None

    class Mlp(torch.nn.Module):
        def __init__(self, shapes):
            super().__init__()
            self.layers = torch.nn.Sequential(*(torch.nn.Linear(inputs, outputs) for outputs, inputs in shapes))

        def forward(self, v):
            for index, layer in enumerate(self.layers):
                v = layer(v)
                if f"layers.{index}" not in linear:
                    v = torch.sigmoid(v)
            return v

    shapes = [tensors[f"layers.{layer}.weight"].shape for layer in range(len(tensors) // 2)]
    net = Mlp(shapes)
    # Strict: every name must be there and none may be left over.
    net.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()})
    with torch.no_grad():
        return net(torch.from_numpy(v.astype(np.float32))).tolist()


def main(network, inputs):
    with safe_open(network, framework="np") as file:
        # Layers that no sigmoid follows.
        linear = json.loads(file.metadata()["deepbelief"]).get("linear", [])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    v = np.loadtxt(inputs, delimiter=",", ndmin=2)
    print(json.dumps({"numpy": with_numpy(tensors, linear, v), "torch": with_torch(tensors, linear, v)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
