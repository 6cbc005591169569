#!/usr/bin/env python3
"""Does pretraining help? Test errors of MNIST by start, training and number of labels.

    cargo build --release && python3 bench/ablation.py

trains 784-500-500-2000 nets on 50,000 digits (10,000 are held out and choose nothing here) with the
labels of all, of 5,000 and of 500 of them, each from three seeds, and prints the table of
models/REPRODUCTION.md. Runs that are there already are not repeated: it may be stopped and started
again. The recipes are those of models/; where labels are few, epochs are more, so that the weights
take steps enough (EPOCHS below).
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

LABELLED = {"100 %": None, "10 %": 5000, "1 %": 500}
EPOCHS = {
    # Of the top RBM, of each third of the up-down schedule, of backpropagation.
    "100 %": {"top": 30, "third": 10, "backprop": 20},
    "10 %": {"top": 100, "third": 15, "backprop": 60},
    "1 %": {"top": 100, "third": 20, "backprop": 100},
}
ROWS = [
    ("random start, backpropagation", "random"),
    ("greedy, label free energies", "greedy"),
    ("greedy, up-down, label free energies", "updown"),
    ("greedy without labels, backpropagation", "backprop"),
]


class Runs:
    """Trainings in folders under one, each made once; `done` in each holds its command."""

    def __init__(self, dbn, folder):
        self.dbn, self.folder = dbn, folder

    def train(self, name, *words):
        """The folder of a run, trained if it is not there."""
        folder = self.folder / name
        done, words = folder / "done", [str(word) for word in words]
        if not done.exists() or done.read_text().split() != words:
            print("+ dbn", *words, file=sys.stderr, flush=True)
            command = [self.dbn, "-q", *words, "--out", folder, "--force"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            done.write_text(" ".join(words))
        return folder

    def error(self, name, *words):
        """The test error of a run, in per cent."""
        shown = subprocess.run([self.dbn, "show", self.train(name, *words), "--json"], check=True, capture_output=True)
        return 100 * json.loads(shown.stdout)["header"]["provenance"]["figures"]["label_error_test"]

    def measure(self, kind, labels, seed):
        """The test error of one cell from one seed."""
        few = [] if LABELLED[labels] is None else ["--labelled", LABELLED[labels]]
        epochs, name = EPOCHS[labels], f"{kind}-{labels.split()[0]}-{seed}"
        greedy = f"greedy-{labels.split()[0]}-{seed}"
        stack = ["stack", "--seed", seed, "--epochs", f"30,30,{epochs['top']}", *few]
        backprop = ["--seed", seed, "--epochs", epochs["backprop"], *few]
        if kind == "random":
            return self.error(name, "finetune", "--from-scratch", "--layers", "500,500,2000", *backprop)
        if kind == "greedy":
            return self.error(greedy, *stack)
        if kind == "updown":
            steps = ",".join(f"{k}x{epochs['third']}" for k in (3, 6, 10))
            return self.error(name, "tune", self.train(greedy, *stack), "--top-steps", steps)
        blind = self.train(f"blind-{seed}", "stack", "--seed", seed, "--labels", "none", "--cd-steps", 1)
        return self.error(name, "finetune", blind, *backprop)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dbn", default="target/release/dbn", help="the binary")
    parser.add_argument("--out", default="runs/ablation", type=pathlib.Path, help="where the runs go")
    parser.add_argument("--seeds", default="1,2,3", help="with commas")
    args = parser.parse_args()
    seeds = [int(seed) for seed in args.seeds.split(",")]
    runs = Runs(args.dbn, args.out)
    args.out.mkdir(parents=True, exist_ok=True)
    with open(args.out / "errors.jsonl", "w") as log:
        print("| | " + " | ".join(f"{labels} of the labels" for labels in LABELLED) + " |")
        print("|---" * (1 + len(LABELLED)) + "|")
        for title, kind in ROWS:
            cells = []
            for labels in LABELLED:
                errors = [round(runs.measure(kind, labels, seed), 2) for seed in seeds]
                log.write(json.dumps({"kind": kind, "labels": labels, "seeds": seeds, "test_error": errors}) + "\n")
                log.flush()
                cells.append(f"{statistics.mean(errors):.2f} ({min(errors):.2f} to {max(errors):.2f})")
            print(f"| {title} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
