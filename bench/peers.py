#!/usr/bin/env python3
"""Time deepbelief and its peers on the same work, in alternating rounds.

Every contestant is one process per workload and round: it trains the same RBM on binary MNIST
and prints one JSON line.  Rounds alternate the contestants (A B C, A B C, ...), and every ratio
is taken within a round, so that a machine that drifts does not decide.  The bound is the
products of an update alone, the better of candle's gemm and OpenBLAS in the same round.

    bench/peers.py --ours target/release/examples/bench_cd --data DIR [--rounds 5]
                   [--workloads W1 W1b ...] [--only REGEX]

Standard library only; bench/setup.sh makes the environments of the peers under $BENCH_HOME.
"""

import argparse
import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOME = Path(os.environ.get("BENCH_HOME", HERE.parent / ".bench"))
WORKLOADS = {
    "W1": "784x500, CD-1, batch 100",
    "W1b": "784x500, CD-1, batch 32",
    "W1c": "784x500, CD-1, batch 2000",
    "W2": "784x2000, CD-1, batch 100",
    "W3": "784x500, PCD-1, 100 chains",
    "W3b": "784x500, CD-10, batch 100",
}
# Name, environment, script, variant, workloads, whether every round times it again.
PEERS = [
    ("PyTorch eager", "torch", "peer_torch.py", "eager", "W1 W1b W1c W2 W3 W3b", False),
    ("PyTorch compile", "torch", "peer_torch.py", "compile", "W1 W1b W1c W2 W3 W3b", False),
    ("JAX", "jax", "peer_jax.py", "step", "W1 W1b W1c W2 W3 W3b", True),
    ("TensorFlow", "tf", "peer_tensorflow.py", "function", "W1 W1b W1c W2 W3 W3b", False),
    ("NumPy", "np", "peer_numpy.py", "default", "W1 W1b W1c W2 W3 W3b", True),
    ("rbms", "torch", "peer_rbms.py", "plain", "W1 W1b W1c W2 W3 W3b", False),
    ("scikit-learn", "sklearn", "peer_sklearn.py", "default", "W1 W1b W1c W2 W3", False),
    ("learnergy", "torch", "peer_learnergy.py", "default", "W1 W1b W1c W2 W3b", False),
]
BOUNDS = ("candle gemm", "OpenBLAS")
LIMIT = 300  # seconds a process may take
QUIET = 0.05  # cores other processes may take while a figure counts as undisturbed


def run(command, threads):
    """The JSON line a contestant prints, or None with the reason on stderr."""
    environment = dict(os.environ)
    for variable in ("OMP", "OPENBLAS", "MKL", "RAYON"):
        environment[f"{variable}_NUM_THREADS"] = str(threads)
    environment["TORCHINDUCTOR_COMPILE_THREADS"] = str(threads)
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    environment.pop("OPENBLAS_CORETYPE", None)  # would overrule the kernel it picks for this processor
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT)
        if done.returncode == 0:
            return json.loads(next(l for l in done.stdout.splitlines() if l.startswith("{")))
        last = done.stderr.strip().splitlines()[-1:]
        reason = f"exit status {done.returncode}: {''.join(last)}"
    except subprocess.TimeoutExpired:
        reason = f"still running after {LIMIT} s"
    except (StopIteration, ValueError):
        reason = "it printed no JSON line"
    except OSError as error:
        reason = f"{error} (bench/setup.sh makes the environments, cargo the program of --ours)"
    print(f"no result from {' '.join(map(str, command))}: {reason}", file=sys.stderr)
    return None


def contestants(args, workload):
    """(name, command, whether to time it in every round) of one workload."""
    common = ["--workload", workload, "--data", args.data, "--threads", str(args.threads)]
    ours = shlex.split(args.ours)
    # An odd number of epochs has one in the middle: ours must not report the better of two.
    yield "deepbelief", [*ours, *common, "--epochs", str(args.epochs | 1)], True
    yield "candle gemm", [*ours, *common, "--bound"], True
    python = lambda environment: HOME / f"venv-{environment}" / "bin" / "python"
    timed = ["--epochs", str(args.epochs), "--max-seconds", str(args.max_seconds)]
    yield "OpenBLAS", [python("np"), HERE / "bound_openblas.py", *common, *timed], True
    for name, environment, script, variant, workloads, every_round in PEERS:
        if workload in workloads.split() and re.search(args.only, name):
            yield name, [python(environment), HERE / script, "--variant", variant, *common, *timed], every_round


def measure(args):
    """Rates {workload: {name: [rate of each round or None]}} and all records, saved after every round."""
    rates, records = {w: {} for w in args.workloads}, []
    for round_ in range(args.rounds):
        for workload in args.workloads:
            for name, command, every_round in contestants(args, workload):
                if round_ > 0 and not every_round:
                    continue
                record = run(command, args.threads)
                rate = record and record["samples_per_s_median"]
                rates[workload].setdefault(name, []).append(rate)
                if record:
                    records.append({"name": name, "round": round_ + 1, **record})
                    print(f"round {round_ + 1}, {workload}, {name}: {rate:,.0f} samples/s", file=sys.stderr)
        with open(args.output, "w") as file:
            json.dump({"cpu": cpu(), "threads": args.threads, "rates": rates, "records": records}, file, indent=1)
            file.write("\n")
    return rates, records


def summary(rates):
    """Per contestant the median rate; our ratio to the bound and to the fastest peer, the median
    over rounds of the ratio within a round."""
    middle = {n: statistics.median(x for x in r if x) for n, r in rates.items() if any(r)}
    peers = [n for n in middle if n != "deepbelief" and n not in BOUNDS]
    ours = rates.get("deepbelief", [])

    def ratio(rivals):
        per_round = []
        for i, mine in enumerate(ours):
            # A slow peer is timed once; its single figure stands for every round.
            theirs = [r[min(i, len(r) - 1)] for r in (rates[n] for n in rivals) if r]
            theirs = [t for t in theirs if t]
            if mine and theirs:
                per_round.append(mine / max(theirs))
        return statistics.median(per_round) if per_round else None

    return middle, ratio([b for b in BOUNDS if b in rates]), ratio(peers)


def cpu():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def versions(records):
    """Versions the contestants report, and candle's from the lock file of the build."""
    found = {}
    for record in records:
        found.update(record.get("versions", {}))
        if "python" in record:
            found["Python"] = record["python"]
    try:
        lock = (HERE.parent / "Cargo.lock").read_text()
        found["candle"] = re.search(r'name = "candle-core"\nversion = "(.+)"', lock).group(1)
    except (OSError, AttributeError):
        found["candle"] = "unknown"
    return found


def remarks(records):
    """What a reader must know beside the table: disturbed figures, and work a peer does differently."""
    shaken = sorted({f"{r['name']} {r['workload']}" for r in records if r.get("foreign_cores_max", 0) > QUIET})
    if shaken:
        yield f"Disturbed by other processes in at least one round, so too low: {', '.join(shaken)}."
    notes = {r["name"]: r["note"] for r in records if r.get("note")}
    yield from (f"{name}: {note}." for name, note in notes.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="the program bench_cd, freshly built, with any arguments of its own")
    parser.add_argument("--data", required=True, help="folder of the MNIST IDX files, .gz is fine")
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=list(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2, help="timed epochs of each process")
    parser.add_argument("--max-seconds", type=float, default=15.0, help="start no further epoch after this")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default=".", help="regular expression on the peers' names")
    parser.add_argument("--output", default=str(HERE / "results.json"))
    args = parser.parse_args()

    rates, records = measure(args)
    results = {w: summary(r) for w, r in rates.items()}
    names = ["deepbelief", *BOUNDS, *(p[0] for p in PEERS)]

    print(f"Samples/s, {cpu()}, {args.threads} threads, medians of {args.rounds} alternating round{'s' * (args.rounds > 1)}.\n")
    print("| | " + " | ".join(WORKLOADS[w] for w in args.workloads) + " |")
    print("|---|" + "---|" * len(args.workloads))
    for name in names:
        cells = [results[w][0].get(name) for w in args.workloads]
        if any(cells):
            label = f"*{name}, products alone*" if name in BOUNDS else name
            print(f"| {label} | " + " | ".join(f"{c:,.0f}" if c else "-" for c in cells) + " |")
    for label, at in (("**ours / bound**", 1), ("**ours / fastest peer**", 2)):
        cells = [results[w][at] for w in args.workloads]
        print(f"| {label} | " + " | ".join(f"**{c:.2f}x**" if c else "-" for c in cells) + " |")
    once = ", ".join(p[0] for p in PEERS if not p[5] and re.search(args.only, p[0]))
    found = ", ".join(f"{n} {v}" for n, v in sorted(versions(records).items(), key=lambda i: i[0].lower()))
    print("\n" + " ".join([*([f"Timed in the first round only: {once}."] if once else []), *remarks(records)]))
    print(f"\nVersions: {found}.")


if __name__ == "__main__":
    main()
