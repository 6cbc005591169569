#!/usr/bin/env python3
"""How many hidden units few grey pictures bear: the measurement behind what `dbn check` recommends for them.

    python3 bench/hidden_units.py [--dbn target/release/dbn] [--pictures 210] [--units 16,40,80,160,300] [--seeds 1,2,3]

Drawings of a circle, a square or a cross, 12 x 12 grey pixels, of any place and size, with soft edges and noise, are made from a
fixed seed: as many to learn from, and 600 others. By the recipe of `dbn check`, with so many hidden units, an RBM is trained,
whose log-likelihood of the others is estimated (`dbn eval`; both directions are printed), and a stack of one layer with labels,
whose per cent of wrong labels of the others is printed for each seed. "check" is the row of what `dbn check` recommends.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy

SIDE, OTHERS = 12, 600


def drawings(count, generator):
    """Bytes [count, 144], and what each is of."""
    y, x = numpy.mgrid[:SIDE, :SIDE]
    pictures, kinds = [], generator.integers(0, 3, count)
    for kind in kinds:
        centre, size = generator.uniform(4, 8, 2), generator.uniform(2.5, 4)
        dx, dy = abs(x - centre[0]), abs(y - centre[1])
        # Distance from the line that is drawn.
        away = [
            lambda: abs(numpy.hypot(dx, dy) - size),
            lambda: abs(numpy.maximum(dx, dy) - size),
            lambda: numpy.where(numpy.maximum(dx, dy) > size, 9.0, abs(dx - dy) / 2**0.5),
        ][kind]()
        ink = numpy.clip(1.6 - away, 0, 1) + generator.normal(0, 0.04, (SIDE, SIDE))
        pictures.append(numpy.rint(255 * numpy.clip(ink, 0, 1)).astype(numpy.uint8).ravel())
    return numpy.array(pictures), kinds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dbn", default="target/release/dbn")
    parser.add_argument("--pictures", type=int, default=210)
    parser.add_argument("--units", default="16,40,80,160,300")
    parser.add_argument("--seeds", default="1,2,3")
    args = parser.parse_args()
    dbn = str(pathlib.Path(args.dbn).resolve())
    generator = numpy.random.default_rng(1)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        run = lambda *words: subprocess.run([dbn, *map(str, words)], check=True, cwd=folder, capture_output=True, text=True).stdout
        for name, count in [("learned", args.pictures), ("others", OTHERS)]:
            pictures, kinds = drawings(count, generator)
            numpy.savez(folder / f"{name}.npz", x=pictures, y=kinds)
        shape = ["--image-size", f"{SIDE}x{SIDE}"]
        run("check", "npz:learned.npz", *shape, "--for", "pretrain", "--recipe", "rbm.toml")
        run("check", "npz:learned.npz", *shape, "--for", "stack", "--recipe", "net.toml")
        print("hidden units  log-likelihood of others (from below, from above)  wrong labels of others, %, by seed")
        for units in [None, *args.units.split(",")]:
            hidden, layers = ([], []) if units is None else (["--hidden", units], ["--layers", units])
            run("pretrain", "-q", "--config", "rbm.toml", "--valid", 0, "--binarize", "fresh", *hidden, "--out", "rbm", "--force")
            found = json.loads(run("eval", "rbm", "--data", "npz:others.npz", "--split", "train", "--binarize", "fixed", "--estimate",
                                   "--json"))["log_likelihood"]
            wrong = []
            for seed in args.seeds.split(","):
                run("stack", "-q", "--config", "net.toml", "--valid", 0, *layers, "--seed", seed, "--out", "net", "--force")
                classified = json.loads(run("classify", "net", "--data", "npz:others.npz", "--split", "train", "--json"))
                wrong.append(f"{100 * classified['error']:.1f}")
            values = [found[name]["value"] for name in ("both_ways", "ais", "reverse_ais")]
            print(f"{units or 'check':>12}  {values[0]:.1f} ({values[1]:.1f}, {values[2]:.1f})  {', '.join(wrong)}", flush=True)


if __name__ == "__main__":
    main()
