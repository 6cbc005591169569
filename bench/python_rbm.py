"""Times the Python package's `BernoulliRBM` and scikit-learn's on the same work, one after the other in one process.

    pip install deepbelief scikit-learn
    python bench/python_rbm.py [--quick] > figures.json

Each figure is the least of three runs: seconds on the clock, and seconds of all cores together, which other programs on
the machine change less. OPENBLAS_NUM_THREADS=1 keeps threads of NumPy's from spending time on waiting for each other.
Training: binary MNIST, 10,000 of its digits and one iteration, which is what an iteration over them takes at any time.
Use: 6,000 and 60,000 digits, as states and as grey levels.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import BernoulliRBM as Theirs
from sklearn.pipeline import make_pipeline

from deepbelief import datasets
from deepbelief.sklearn import BernoulliRBM as Ours


def least(run, times):
    """Seconds of the fastest run, and CPU seconds of the one that took least of them."""
    clock, cores = [], []
    for _ in range(times):
        began = time.perf_counter(), time.process_time()
        run()
        clock.append(time.perf_counter() - began[0])
        cores.append(time.process_time() - began[1])
    return min(clock), min(cores)


def beside(what, run, times, **more):
    """One row of figures: what both take."""
    (ours, ours_cpu), (theirs, theirs_cpu) = (least(lambda: run(cls), times) for cls in (Ours, Theirs))
    row = {
        "what": what,
        "ours_s": round(ours, 4),
        "theirs_s": round(theirs, 4),
        "times": round(theirs / ours, 2),
        "ours_cpu_s": round(ours_cpu, 4),
        "theirs_cpu_s": round(theirs_cpu, 4),
        "cpu_times": round(theirs_cpu / ours_cpu, 2),
    }
    print(row, file=sys.stderr)
    return {**row, **more}


def main():
    """Run all and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run of each, on fewer samples")
    quick = parser.parse_args().quick
    times, samples, uses = (1, 2000, [5000]) if quick else (3, 10_000, [6_000, 60_000])
    rows = []

    # scikit-learn's example of the class: digits, their codes, a logistic regression.
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X / 16, y, test_size=0.2, random_state=0)
    settings = {"n_components": 100, "learning_rate": 0.06, "n_iter": 10, "random_state": 0}

    def accuracy(cls):
        model = make_pipeline(cls(**settings), LogisticRegression(C=6000, max_iter=2000))
        return model.fit(parts[0], parts[2]).score(parts[1], parts[3])

    rows.append(
        beside(
            "digits, 100 components, batch 10, 10 iterations: fit",
            lambda cls: cls(**settings).fit(parts[0]),
            times,
            ours_accuracy=accuracy(Ours),
            theirs_accuracy=accuracy(Theirs),
        )
    )

    grey = datasets.mnist("train")[0] / 255
    X = (grey > 0.5).astype(np.float64)
    for components in (256, 1024):
        for batch in (10, 100):
            train = X[:samples]
            make = {"n_components": components, "batch_size": batch, "n_iter": 1, "random_state": 0}
            what = f"MNIST, {components} components, batch {batch}: an iteration over {samples} samples"
            rows.append(beside(what, lambda cls: cls(**make).fit(train), times))
    for components in (256, 1024):
        fitted = {cls: cls(n_components=components, batch_size=100, n_iter=1, random_state=0) for cls in (Ours, Theirs)}
        for model in fitted.values():
            model.fit(X[:2000])
        for used in uses:
            of = f"of {used} samples"
            for name, values, dtype in [("states", X, np.float64), ("states", X, np.float32), ("grey", grey, np.float64)]:
                data = values[:used].astype(dtype)
                what = f"MNIST, {components} components: transform {of}, {name}, {np.dtype(dtype).name}"
                rows.append(beside(what, lambda cls: fitted[cls].transform(data), times))
            data = X[:used]
            what = f"MNIST, {components} components: score_samples {of}"
            rows.append(beside(what, lambda cls: fitted[cls].score_samples(data), times))
            clock, cores = least(lambda: fitted[Ours].pseudo_likelihood(data), times)
            what = f"MNIST, {components} components: pseudo_likelihood {of}"
            rows.append({"what": what, "ours_s": round(clock, 4), "ours_cpu_s": round(cores, 4)})
    json.dump(
        {
            "cores": os.cpu_count(),
            "load_average": os.getloadavg(),
            "machine": platform.processor() or platform.machine(),
            "versions": {name: importlib.metadata.version(name) for name in ("deepbelief", "scikit-learn", "numpy")},
            "rows": rows,
        },
        sys.stdout,
        indent=1,
    )


if __name__ == "__main__":
    main()
