#!/usr/bin/env python3
"""Exact log-likelihoods of test digits for RBMs of 20 hidden units that learned by different methods.

    python3 bench/methods.py [--dbn target/release/dbn] [--seeds 1,2,3] [--mnist DIR]

Trains each of METHODS for 30 epochs of MNIST at a rate that falls from 0.05 to 0.001, and prints a table of
nats per test digit, mean and range over the seeds, and of the seconds of a training. With the folder of MNIST's gzipped IDX files it also trains two RBMs of 16
hidden units on the digits and on the digits with black and white exchanged, with and without centring.
"""

import argparse
import gzip
import json
import pathlib
import subprocess
import tempfile
import time

CHAINS = ["--persistent-chains", "100"]
METHODS = {
    "CD-1": [],
    "CD-1, centred": ["--centred"],
    "CD-10": ["--cd-steps", "10"],
    "PCD-1, 100 chains": CHAINS,
    "the same, fast weights": [*CHAINS, "--sampler", "fast"],
    "the same, averaged": [*CHAINS, "--averaging", "0.999"],
    "the same, trajectory": [*CHAINS, "--sampler", "trajectory"],
    "the same, tempered": [*CHAINS, "--sampler", "tempered"],
    "the same, centred": [*CHAINS, "--centred"],
    "the same, tempered and centred": [*CHAINS, "--sampler", "tempered", "--centred"],
}
PLAIN = "--valid 0 --binarize fresh --epochs 30 --momentum 0 --final-momentum 0 --weight-cost 0 -q".split()
FALLING = "--hidden 20 --learning-rate 0.05 --schedule linear --final-learning-rate 0.001".split()
CONSTANT = ["--hidden", "16", "--learning-rate", "0.05", "--schedule", "constant", *CHAINS]


def trained(dbn, data, options, folder):
    """Nats per test digit, exactly, and seconds of training."""
    out = folder / f"run-{time.monotonic_ns()}"
    start = time.monotonic()
    subprocess.run([dbn, "pretrain", "--data", data, *PLAIN, *options, "--out", out], check=True,
                   stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    printed = subprocess.run([dbn, "eval", out, "--data", data, "--json"], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return json.loads(printed.stdout)["log_likelihood"]["exact"]["value"], seconds


def exchange(mnist, folder):
    """The IDX files of a folder with black and white exchanged."""
    for file in pathlib.Path(mnist).glob("*.gz"):
        content = gzip.open(file).read()
        if "images" in file.name:
            content = content[:16] + bytes(255 - pixel for pixel in content[16:])
        with gzip.open(folder / file.name, "wb", compresslevel=1) as out:
            out.write(content)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--dbn", default="target/release/dbn")
    arguments.add_argument("--seeds", default="1,2,3", help="with commas")
    arguments.add_argument("--mnist", help="folder of the four gzipped IDX files")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for method, options in METHODS.items():
            runs = [trained(given.dbn, "mnist", [*FALLING, *options, "--seed", seed], folder)
                    for seed in given.seeds.split(",")]
            nats, seconds = zip(*runs)
            mean = sum(nats) / len(nats)
            print(f"{method:32} {mean:8.2f} nats ({min(nats):.2f} to {max(nats):.2f}) {min(seconds):6.1f} s", flush=True)
        if given.mnist:
            other = folder / "exchanged"
            other.mkdir()
            exchange(given.mnist, other)
            for centred in ["false", "true"]:
                for what, data in [("digits", "mnist"), ("exchanged", f"idx:{other}")]:
                    nats, _ = trained(given.dbn, data, [*CONSTANT, "--centred", centred], folder)
                    print(f"centred {centred:5} {what:18} {nats:8.2f} nats", flush=True)


if __name__ == "__main__":
    main()
