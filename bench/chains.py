#!/usr/bin/env python3
"""Where chains start in a model of few pictures: at samples of their label, or at noise.

    python3 bench/chains.py [--dbn target/release/dbn] [--pictures 300] [--count 100]

A stack of one layer with labels learns drawings of circles, squares and crosses (`hidden_units.py`) by the recipe of `dbn check`.
`dbn sample` draws so many samples of each label after its 1,000 Gibbs steps. A sample shows what most of the five nearest of 3,000
other drawings show. Printed is the per cent that shows the label, of all samples and of each label.
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy
from hidden_units import SIDE, drawings

KINDS = ("circle", "square", "cross")


def shown(samples, others, kinds):
    """What the five nearest other drawings show."""
    squares = (samples**2).sum(1)[:, None] - 2 * samples @ others.T + (others**2).sum(1)
    near = kinds[numpy.argsort(squares, axis=1)[:, :5]]
    return numpy.array([numpy.bincount(five, minlength=len(KINDS)).argmax() for five in near])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dbn", default="target/release/dbn")
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--count", type=int, default=100)
    args = parser.parse_args()
    dbn = str(pathlib.Path(args.dbn).resolve())
    generator = numpy.random.default_rng(1)
    learned, labels = drawings(args.pictures, generator)
    others, kinds = drawings(3000, generator)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        run = lambda *words: subprocess.run([dbn, *map(str, words)], check=True, cwd=folder, capture_output=True, text=True).stdout
        numpy.savez(folder / "learned.npz", x=learned, y=labels)
        run("check", "npz:learned.npz", "--image-size", f"{SIDE}x{SIDE}", "--for", "stack", "--recipe", "net.toml")
        run("stack", "-q", "--config", "net.toml", "--out", "net")
        print("start  samples of their label, %  " + "  ".join(KINDS))
        for start in ("data", "noise"):
            run("sample", "net", "--label", "0,1,2", "--count", args.count, "--start", start, "--out", "samples.npy")
            samples = numpy.load(folder / "samples.npy").reshape(3 * args.count, -1)
            values = samples.astype(float) / samples.max() * 255
            right = shown(values, others.astype(float), kinds) == numpy.repeat(numpy.arange(3), args.count)
            each = [100 * part.mean() for part in right.reshape(3, -1)]
            print(f"{start:>5}  {100 * right.mean():>26.0f}  " + "  ".join(f"{x:.0f}" for x in each), flush=True)


if __name__ == "__main__":
    main()
