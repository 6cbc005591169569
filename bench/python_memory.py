"""Measures what memory the Python package takes: by many fits in one process, and by a fit of a large array of bytes.

    pip install deepbelief
    python bench/python_memory.py [--fits 1000] [--gigabytes 2] > memory.md

Each row is a process of its own, whose memory is read from /proc (Linux). The first tenth of the fits is to settle. The
array is of grey levels; where the system has no memory for a second one, a copy would end the process.
"""

import argparse
import json
import subprocess
import sys

MB = 1e6
FEATURES = 1000
BLOCK = 10_000


def memory(name):
    """Megabytes of this process that the system calls by this name: VmRSS now, VmHWM at most so far."""
    with open("/proc/self/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith(name + ":"))
    return int(line.split()[1]) * 1024 / MB


def many_fits(fits):
    """Fits, and uses of what was fitted: megabytes after the first tenth and at the end."""
    import deepbelief as db

    X = db.datasets.mnist("train")[0][:1000]

    def work(seeds):
        for seed in seeds:
            rbm = db.RBM(64, epochs=1, random_state=seed).fit(X)
            rbm.transform(X)
            rbm.score_samples(X[:100])
        return memory("VmRSS")

    settled = max(fits // 10, 1)
    before = work(range(settled))
    after = work(range(settled, fits))
    what = f"{fits} fits of {X.shape[0]} digits, 64 hidden units: the last {fits - settled}"
    return {"what": what, "before": before, "after": after, "peak": memory("VmHWM")}


def large_fit(gigabytes):
    """One fit of grey levels: megabytes before it, when the array was there, and after it."""
    import numpy as np

    import deepbelief as db

    rng = np.random.default_rng(0)
    # Made a block at a time, for the peak to be that of the fit.
    X = np.empty((int(gigabytes * 1e9) // FEATURES, FEATURES), np.uint8)
    for first in range(0, len(X), BLOCK):
        part = X[first : first + BLOCK]
        part[:] = rng.integers(0, 256, part.shape, dtype=np.uint8)
    # What the first fit of a process brings in is no copy.
    db.RBM(4, epochs=1, random_state=1).fit(X[:2000])
    before = memory("VmRSS")
    db.RBM(4, epochs=1, batch_size=1000, random_state=1).fit(X)
    what = f"a fit of {X.nbytes / MB:,.0f} MB of bytes, {len(X):,} x {FEATURES}"
    return {"what": what, "before": before, "after": memory("VmRSS"), "peak": memory("VmHWM")}


def in_a_process(name, amount):
    """The row that a process of its own prints."""
    done = subprocess.run([sys.executable, __file__, "--row", name, str(amount)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main():
    """Run both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--row", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        name, amount = args.row
        print(json.dumps(many_fits(int(amount)) if name == "fits" else large_fit(float(amount))))
        return
    print("| what | MB before | MB after | MB at most | more than before |")
    print("|---|---|---|---|---|")
    for row in (in_a_process("fits", args.fits), in_a_process("large", args.gigabytes)):
        more = row["peak"] - row["before"]
        print(f"| {row['what']} | {row['before']:,.0f} | {row['after']:,.0f} | {row['peak']:,.0f} | {more:,.0f} MB |")


if __name__ == "__main__":
    main()
