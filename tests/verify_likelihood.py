"""Estimates ln Z of an RBM, or of the top of a deep belief net without labels, by annealed importance sampling in both
directions, independently of ours: with NumPy's generator, in double precision, along a path of its own choice.

    python3 tests/verify_likelihood.py model.safetensors inputs.csv [chains temperatures burn_in]

`inputs.csv` holds one sample of visible values a line. The path starts at independent units whose means are those
of the inputs and of the hidden units given them. Prints one JSON object, in nats: `log_z` with its
`standard_error`, from below; `log_z_reverse`, from above, by chains that start at the inputs; `log_z_both`, by
Bennett's acceptance ratio; `log_z_exact`, summed over the hidden states where there are at most 16 hidden units;
`free_energy`, the mean of the inputs'; and `log_likelihood`, its mean, from the exact ln Z or from both directions. Of a
net `free_energy` is that of its top for states of the layers under it, drawn from the inputs, and `log_likelihood` is the
variational bound: 20 draws of an input, the entropy of each layer exactly.
"""

import json
import sys

import numpy as np
from safetensors import safe_open
from verify_checkpoint import load

DRAWS = 20


def sigmoid(x):
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def log_odds(mean):
    mean = np.clip(mean, 0.005, 0.995)
    return np.log(mean / (1.0 - mean))


def draw_states(p, generator):
    return (generator.random(p.shape) < p).astype(float)


def load_net(model):
    """The layers under the top, from the bottom: recognition weights [V, H] and biases, generative weights [H, V] and
    biases; and the RBM at the top, or the only one."""
    if not model.endswith(".npz"):
        with safe_open(model, framework="np") as file:
            header = json.loads(file.metadata()["deepbelief"])
            if header["kind"] == "dbn":
                assert header["format_version"] == 1 and header["classes"] == 0, header
                tensor = lambda name: file.get_tensor(name).astype(np.float64)
                layers = range(len(header["sizes"]) - 2)
                names = ("w_rec", "hb", "w_gen", "vb")
                under = [[tensor(f"layers.{layer}.{name}") for name in names] for layer in layers]
                return under, [tensor(f"top.{name}") for name in ("w_rec", "hb", "vb")]
    return [], [array.astype(np.float64) for array in load(model)]


def log_bernoulli(x, logit):
    """ln p of binary states, or its mean over states of these probabilities, summed over units."""
    return (x * logit - np.logaddexp(0.0, logit)).sum(axis=1)


def raised(data, under, generator):
    """States that the layers draw for the data, and what they add to the bound, of every sample."""
    added = np.zeros(len(data))
    for w_rec, hb, w_gen, vb in under:
        logit = data @ w_rec + hb
        states = draw_states(sigmoid(logit), generator)
        added += log_bernoulli(data, states @ w_gen + vb) - log_bernoulli(sigmoid(logit), logit)
        data = states
    return data, added


class Path:
    """The models between independent units (beta = 0) and the RBM (beta = 1)."""

    def __init__(self, w, hb, vb, data):
        self.w, self.hb, self.vb = w, hb, vb
        self.visible = log_odds(data.mean(axis=0))
        self.hidden = log_odds(sigmoid(data @ w + hb).mean(axis=0))

    def biases(self, beta):
        visible = (1.0 - beta) * self.visible + beta * self.vb
        return visible, (1.0 - beta) * self.hidden + beta * self.hb

    def log_p(self, v, beta):
        visible, hidden = self.biases(beta)
        return v @ visible + np.logaddexp(0.0, hidden + beta * (v @ self.w)).sum(axis=1)

    def gibbs(self, v, beta, generator):
        visible, hidden = self.biases(beta)
        h = draw_states(sigmoid(hidden + beta * (v @ self.w)), generator)
        return draw_states(sigmoid(visible + beta * (h @ self.w.T)), generator)

    def log_z_at_zero(self):
        return np.logaddexp(0.0, self.visible).sum() + np.logaddexp(0.0, self.hidden).sum()

    def work(self, v, betas, generator):
        """ln p*(next) - ln p*(this) summed along `betas`, of every chain."""
        total = np.zeros(len(v))
        for before, beta in zip(betas[:-1], betas[1:]):
            total += self.log_p(v, beta) - self.log_p(v, before)
            v = self.gibbs(v, beta, generator)
        return total


def log_mean(x):
    return x.max() + np.log(np.exp(x - x.max()).mean())


def bennett(up, down):
    """The difference of ln Z at which both sums of the acceptance ratio agree (as many chains each way)."""
    low, high = min(up.min(), (-down).min()) - 10.0, max(up.max(), (-down).max()) + 10.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if sigmoid(up - middle).sum() > sigmoid(down + middle).sum():
            low = middle
        else:
            high = middle
    return middle


def exact_log_z(w, hb, vb):
    """Over all hidden states; the visible units given them are a product."""
    states = (np.arange(2 ** len(hb))[:, None] >> np.arange(len(hb)) & 1).astype(float)
    terms = states @ hb + np.logaddexp(0.0, states @ w.T + vb).sum(axis=1)
    return terms.max() + np.log(np.exp(terms - terms.max()).sum())


def main(model, inputs, chains="200", temperatures="2000", burn_in="200"):
    under, (w, hb, vb) = load_net(model)
    generator, inputs = np.random.default_rng(1), np.loadtxt(inputs, delimiter=",", ndmin=2)
    data, added = raised(np.tile(inputs, (DRAWS if under else 1, 1)), under, generator)
    path = Path(w, hb, vb, data)
    betas = np.linspace(0.0, 1.0, int(temperatures) + 1)
    start = draw_states(np.tile(sigmoid(path.visible), (int(chains), 1)), generator)
    up = path.work(start, betas, generator)
    weights = np.exp(up - up.max())
    v = data[np.arange(int(chains)) % len(data)]
    for _ in range(int(burn_in)):
        v = path.gibbs(v, 1.0, generator)
    down = path.work(v, betas[::-1], generator)
    zero = path.log_z_at_zero()
    both, exact = zero + bennett(up, down), exact_log_z(w, hb, vb) if len(hb) <= 16 else None
    free_energy = -(data @ vb) - np.logaddexp(0.0, data @ w + hb).sum(axis=1)
    print(
        json.dumps(
            {
                "log_z": zero + log_mean(up),
                "standard_error": weights.std(ddof=1) / weights.mean() / np.sqrt(len(weights)),
                "log_z_reverse": zero - log_mean(down),
                "log_z_both": both,
                "log_z_exact": exact,
                "free_energy": free_energy.mean(),
                "log_likelihood": (added - free_energy).mean() - (both if exact is None else exact),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
