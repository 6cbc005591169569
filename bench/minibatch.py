#!/usr/bin/env python3
"""What a larger minibatch costs in likelihood: the table of docs/src/many-machines.md.

`bench/minibatch.py DBN`, with MNIST where `dbn` finds it. Each RBM has 20 hidden units, so that ln Z is a sum over all
states and the log-likelihoods have no sampling error. All see the training images as often (`--epochs`), with 100
persistent chains. The minibatch B learns at the rate of 100 (0.01), and at that rate times sqrt(B / 100); rates fall to a
tenth. It is one process, with exact sums: any number of ranks makes the same models. Seeds 1 to `--seeds`: mean and range.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

BATCHES = (100, 400, 1_600, 6_400)
RATE = 0.01


def log_likelihood(dbn, batch, rate, seed, epochs, folder):
    """Nats a test image of the RBM after its last epoch."""
    out = f"{folder}/{batch}-{rate}-{seed}"
    train = [dbn, "pretrain", "--data", "mnist", "--hidden", 20, "--persistent-chains", 100, "--batch-size", batch]
    train += ["--learning-rate", rate, "--final-learning-rate", rate / 10, "--epochs", epochs, "--seed", seed]
    train += ["--sums", "exact", "--threads", 1, "--valid", 0, "--out", out, "-q"]
    subprocess.run([str(word) for word in train], check=True, stdout=subprocess.DEVNULL)
    words = [dbn, "eval", out, "--split", "test", "--json", "-q"]
    found = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return found["log_likelihood"]["exact"]["value"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dbn")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    args = parser.parse_args()
    print(f"| minibatch | updates | {RATE} | {RATE} sqrt(B / 100) |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for batch in args.batches:
            row = [f"{batch:,}", f"{args.epochs * -(-60_000 // batch):,}"]
            for rate in dict.fromkeys((RATE, RATE * (batch / 100) ** 0.5)):
                seeds = range(1, args.seeds + 1)
                found = [log_likelihood(args.dbn, batch, rate, seed, args.epochs, folder) for seed in seeds]
                row.append(f"{sum(found) / len(found):.2f} ({min(found):.2f} to {max(found):.2f})")
            row += row[-1:] * (4 - len(row))
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
