#!/usr/bin/env python3
"""What start learns parity: an RBM on eight units of which an even number is on, by the exact gradient of the likelihood.

    python3 bench/parity.py          (needs numpy; some minutes of one core)

Any seven of the eight units are independent and fair, so that the gradient vanishes at small weights. All 256 states are
summed, so that no chain and no estimate is in the figures: what is not learned here is not learned by any sampler.
"""

import itertools

import numpy

UNITS = 8
STEPS = 1500
RATE = 0.03
STATES = numpy.array(list(itertools.product([0.0, 1.0], repeat=UNITS)))
EVEN = STATES.sum(1) % 2 == 0


def learned(hidden, deviation, seed):
    """Nats a sample after training, from weights with this standard deviation; hidden units are on half of the time."""
    weights = numpy.random.default_rng(seed).normal(0, deviation, (UNITS, hidden))
    parameters = [weights, numpy.zeros(UNITS), -weights.sum(0) / 2]
    means = [numpy.zeros_like(p) for p in parameters]
    squares = [numpy.zeros_like(p) for p in parameters]
    for step in range(1, STEPS + 1):
        weights, visible, biases = parameters
        inputs = STATES @ weights + biases
        negative_energy = STATES @ visible + numpy.logaddexp(0, inputs).sum(1)
        log_p = negative_energy - numpy.logaddexp.reduce(negative_energy)
        # Frequencies of the data less those of the model, a state each.
        difference = EVEN / EVEN.sum() - numpy.exp(log_p)
        on = 1 / (1 + numpy.exp(-inputs))
        gradients = [(STATES * difference[:, None]).T @ on, STATES.T @ difference, on.T @ difference]
        rate = RATE * (1 - step / STEPS) + 1e-4
        for p, gradient, mean, square in zip(parameters, gradients, means, squares, strict=True):
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            p += rate * (mean / (1 - 0.9**step)) / (numpy.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return log_p[EVEN].mean()


print(f"best possible {-numpy.log(EVEN.sum()):.3f}, independent units {-UNITS * numpy.log(2):.3f}")
print("hidden  deviation of the weights  nats a sample, seeds 1 and 2")
for hidden in 24, 64, 128:
    for deviation in 0.01, 1, 2, 4:
        print(f"{hidden:6}  {deviation:24}  " + "  ".join(f"{learned(hidden, deviation, seed):.3f}" for seed in (1, 2)))
