#!/usr/bin/env python3
"""Samples a second of exact sums on two ranks, beside one process: the table of docs/src/many-machines.md.

`bench/ranks.py DBN`, on a machine with two idle processors, Open MPI's and MPICH's mpirun, and MNIST where `dbn` finds it.
It takes some ten minutes. Each figure is the best epoch of three to seven. Columns are shares of the speed of one process
with two threads and `--sums float`; the last compares two processes of one thread with one that has the machine alone.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

BATCHES = (100, 1_000, 10_000, 50_000)
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
LAUNCHERS = {"Open MPI": ["mpirun.openmpi", "--bind-to", "core"], "MPICH": ["mpirun.mpich"]}


def words(dbn, data, hidden, batch, threads, out, *more):
    epochs = 3 if batch < 1_000 else 7
    train = [dbn, "pretrain", "--data", data, "--hidden", hidden, "--batch-size", batch, "--epochs", epochs]
    return [str(word) for word in [*train, "--threads", threads, "--valid", 0, "--seed", 1, "--out", out, "-q", *more]]


def best(out):
    """Samples a second of the fastest epoch."""
    epochs = [json.loads(line) for line in (Path(out) / "metrics.jsonl").read_text().splitlines()]
    return max(epoch["samples_per_second"] for epoch in epochs if epoch.get("samples_per_second"))


def run(command):
    subprocess.run(command, check=True, env={**os.environ, **ROOT}, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dbn")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--hidden", type=int, default=500)
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    args = parser.parse_args()
    found = {name: start for name, start in LAUNCHERS.items() if shutil.which(start[0])}
    names = ["float, samples/s", "exact, 2 threads", *(f"2 ranks, {name}" for name in found), "2 processes by 1"]
    print("| minibatch | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for batch in args.batches:
            of = lambda name, threads, *more: words(  # noqa: E731
                args.dbn, args.data, args.hidden, batch, threads, f"{folder}/{batch}-{name}", *more
            )
            run(of("float", 2))
            whole = best(f"{folder}/{batch}-float")
            run(of("exact", 2, "--sums", "exact"))
            row = [f"{whole:,.0f}", f"{best(f'{folder}/{batch}-exact') / whole:.2f}"]
            for at, start in enumerate(found.values()):
                run([*start, "-n", "2", *of(f"ranks-{at}", 1)])
                row.append(f"{best(f'{folder}/{batch}-ranks-{at}') / whole:.2f}")
            # Two trainings at once, each with a processor of its own, against one alone.
            run(of("alone", 1))
            both = [subprocess.Popen(of(f"both-{k}", 1), stdout=subprocess.DEVNULL) for k in range(2)]
            if any(process.wait() for process in both):
                raise SystemExit("a process failed")
            rates = sum(best(f"{folder}/{batch}-both-{k}") for k in range(2))
            row.append(f"{rates / best(f'{folder}/{batch}-alone'):.2f}")
            print(f"| {batch:,} | " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
