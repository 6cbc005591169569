"""Recomputes what a checkpoint says of given inputs, with nothing but NumPy and safetensors.

    python3 tests/verify_checkpoint.py model.safetensors inputs.csv

`model.safetensors` may also be the npz that `dbn export --as npz` writes of an RBM. `inputs.csv` holds one sample of visible values a line, without a header. Prints one JSON
object: `hidden`, the probabilities p(h=1|v) of each sample, and `free_energy`, each sample's
-log sum over h of exp(-E(v, h)) in nats. All in double precision.
"""

import json
import sys

import numpy as np
from safetensors import safe_open


def load(model):
    """Weights [V, H], hidden and visible biases."""
    if model.endswith(".npz"):
        with np.load(model) as arrays:
            return arrays["components_"].T, arrays["intercept_hidden_"], arrays["intercept_visible_"]
    with safe_open(model, framework="np") as file:
        header = json.loads(file.metadata()["deepbelief"])
        w_rec, w_gen, hb, vb = (file.get_tensor(name) for name in ("w_rec", "w_gen", "hb", "vb"))
    assert header["format_version"] == 1 and header["kind"] == "rbm", header
    assert header["hidden_units"] == "bernoulli", header
    assert w_rec.shape == (header["visible"], header["hidden"]), w_rec.shape
    assert np.array_equal(w_gen, w_rec.T), "w_gen is not the transpose of w_rec"
    return w_rec, hb, vb


def main(model, inputs):
    w_rec, hb, vb = (array.astype(np.float64) for array in load(model))
    v = np.loadtxt(inputs, delimiter=",", ndmin=2)
    x = v @ w_rec + hb
    free_energy = -(v @ vb) - np.logaddexp(0.0, x).sum(axis=1)
    print(json.dumps({"hidden": (1.0 / (1.0 + np.exp(-x))).tolist(), "free_energy": free_energy.tolist()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
