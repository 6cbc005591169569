"""Estimates ln Z of an RBM's checkpoint by annealed importance sampling, independently of ours: with
NumPy's generator, in double precision, from independent units with the biases of the inputs' means.

    python3 tests/verify_likelihood.py model.safetensors inputs.csv [chains temperatures]

`inputs.csv` holds one sample of visible values a line. Prints one JSON object: `log_z` with its
`standard_error`, and `free_energy`, the mean of the inputs', in nats.
"""

import json
import sys

import numpy as np
from verify_checkpoint import load


def sigmoid(x):
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def anneal(w, hb, vb, base, betas, chains, draw):
    """ln of the weights of all chains, and ln Z of the model without weights that they start from."""
    v = (draw.random((chains, len(base))) < sigmoid(base)).astype(float)
    log_weights = np.zeros(chains)

    def log_p(v, beta):
        # Salakhutdinov & Murray 2008, equation 13, with the base-rate model at beta = 0.
        linear = v @ ((1.0 - beta) * base + beta * vb)
        return linear + np.logaddexp(0.0, beta * (v @ w + hb)).sum(axis=1)

    for before, beta in zip(betas[:-1], betas[1:]):
        log_weights += log_p(v, beta) - log_p(v, before)
        h = (draw.random((chains, len(hb))) < sigmoid(beta * (v @ w + hb))).astype(float)
        v = (draw.random(v.shape) < sigmoid((1.0 - beta) * base + beta * (h @ w.T + vb))).astype(float)
    return log_weights, np.logaddexp(0.0, base).sum() + len(hb) * np.log(2.0)


def main(model, inputs, chains="200", temperatures="2000"):
    w, hb, vb = (array.astype(np.float64) for array in load(model))
    data = np.loadtxt(inputs, delimiter=",", ndmin=2)
    means = np.clip(data.mean(axis=0), 0.01, 0.99)
    betas = np.linspace(0.0, 1.0, int(temperatures) + 1)
    draw = np.random.default_rng(1)
    log_weights, start = anneal(w, hb, vb, np.log(means / (1.0 - means)), betas, int(chains), draw)
    top = log_weights.max()
    weights = np.exp(log_weights - top)
    error = weights.std(ddof=1) / weights.mean() / np.sqrt(len(weights))
    free_energy = -(data @ vb) - np.logaddexp(0.0, data @ w + hb).sum(axis=1)
    print(
        json.dumps(
            {
                "log_z": start + top + np.log(weights.mean()),
                "standard_error": error,
                "free_energy": free_energy.mean(),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
