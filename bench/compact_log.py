#!/usr/bin/env python3
"""Shortens the metrics of a run for the record: `python3 bench/compact_log.py RUN > models/logs/NAME.jsonl`.

Of every epoch's line it keeps what learning curves are drawn from, with five significant digits,
and leaves out what is null.
"""

import json
import pathlib
import sys

KEYS = [
    "layer",
    "epoch",
    "top_steps",
    "learning_rate",
    "top_rate",
    "cost",
    "cost_valid",
    "squared_error_train",
    "squared_error_valid",
    "reconstruction_cost",
    "reconstruction_cost_valid",
    "variational_cost",
    "variational_cost_valid",
    "free_energy_gap",
    "divergence",
    "label_error_train",
    "label_error_valid",
    "seconds",
]


def short(value):
    if isinstance(value, list):
        return [short(value) for value in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for line in (pathlib.Path(sys.argv[1]) / "metrics.jsonl").read_text().splitlines():
        metrics = json.loads(line)
        layers = metrics.get("layers")
        if layers:
            metrics["divergence"] = [layer["divergence"] for layer in layers]
        kept = {key: short(metrics[key]) for key in KEYS if metrics.get(key) is not None}
        print(json.dumps(kept, separators=(",", ":")))


if __name__ == "__main__":
    main()
