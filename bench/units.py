#!/usr/bin/env python3
"""How probable RBMs with units that suit the data find rows they have not seen.

    python3 bench/units.py dna letter satellite ww ww-whole lattice laplace --tables DIR --proteins DIR [--dbn target/release/dbn]

| name | data | rows that train, choose, test | columns |
|---|---|---|---|
| dna | splice junctions of UCI, without their class | 1,400, 600, 1,186 | 60 of 4 letters |
| letter | letters of UCI, without their class | 15,000, 1,000, 4,000 | 16 whole numbers below 16 |
| satellite | Landsat pixels of UCI, without their class | 3,935, 500, 2,000 | 36 real |
| satellite-white | the same, whitened by the rows that train: a linear map, whose log-determinant is printed | 4,435, none, 2,000 | 36 real |
| ww | WW domain (Pfam PF00397), each sequence weighing 1 / its neighbours at 90 % identity | 5,503, 1,000, 1,000 | 31 of 21 letters |
| ww-whole | the same | all 7,503, none, none | 31 of 21 letters |
| lattice | lattice proteins of the fold S_A | 35,265, 1,000, 10,000 | 27 of 20 letters |
| ising | an Ising model on a 4x4 torus at temperature 2.3, drawn exactly (seed 1) | 5,000, 1,000, 5,000 | 16 spins |
| factors | 12 numbers made by four factors and noise (seed 3) | 2,000, none, 2,000 | 12 real |
| laplace | two mixed Laplace sources (seed 1), whitened | 10,000, 1,000, 10,000, those that choose among them | 2 real |

Each is written as CSV files, trained on by `dbn pretrain` with the options below, and
measured by `dbn eval`: log-likelihoods with both annealing estimates, in nats a row. Those of dna, ww, lattice,
satellite, satellite-white (by its first rows) and laplace were chosen on the middle rows, the others are starts. Options after `--` go to `dbn pretrain` instead of those below, and `--on choose`
measures the middle rows instead of the test's. Of proteins, the middle rows train too where the test's are measured.
"""

import argparse
import csv
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"
PROTEINS = ("--hidden 100 --hidden-units drelu --batch-size 100 --persistent-chains 200 --centred --optimizer adam "
            "--learning-rate 0.002 --final-learning-rate 0.0001")

OPTIONS = {
    "dna": f"--config {MODELS / 'table-categorical.toml'}",
    "letter": "--hidden 200 --epochs 100 --batch-size 100 --persistent-chains 200 --cd-steps 5 --centred --learning-rate 0.02",
    "satellite": "--hidden 200 --epochs 800 --batch-size 50 --persistent-chains 400 --learning-rate 0.01 --final-learning-rate 0.0002 "
                 "--averaging 0.999 --weight-std 0.01",
    # Test rows -48.45, which is 0.74 of standardised columns; the full Gaussian has -1.52 there.
    "satellite-white": "--hidden 200 --epochs 60 --batch-size 50 --persistent-chains 400 --learning-rate 0.02 "
                       "--final-learning-rate 0.0005 --averaging 0.999 --weight-std 0.3",
    "ww": f"{PROTEINS} --epochs 60 --cd-steps 5 --l1b-cost 0.06",
    "ww-whole": f"{PROTEINS} --epochs 60 --cd-steps 5 --l1b-cost 0.06",
    "lattice": f"{PROTEINS} --epochs 40 --cd-steps 2 --l1b-cost 0.025 --averaging 0.9995",
    "factors": f"--config {MODELS / 'table-real.toml'}",
    "ising": f"--config {MODELS / 'ising.toml'}",
    "laplace": "--hidden 4 --epochs 500 --batch-size 100 --persistent-chains 2000 --learning-rate 0.05 "
               "--final-learning-rate 0.0005 --weight-std 1 --sparsity-target 0.05 --sparsity-cost 0.1 --weight-cost 0 --averaging 0.999",
}

# Every column has all of these levels, be they in the training rows or not.
LETTERS = {"letter": [str(level) for level in range(16)], "ww": "-ACDEFGHIKLMNPQRSTVWY", "ww-whole": "-ACDEFGHIKLMNPQRSTVWY",
           "lattice": "ACDEFGHIKLMNPQRSTVWY"}


def schema_of(header, letters):
    """What columns of these levels are."""
    levels = ", ".join(f'"{letter}"' for letter in letters)
    kinds = [(name, 'kind = "weight"' if name == "weight" else f'kind = "categorical"\nlevels = [{levels}]') for name in header]
    columns = [f'[[column]]\nname = "{name}"\n{kind}\n' for name, kind in kinds]
    return "\n".join(['missing = []\nunits = "by-kind"\n', *columns])


def rows_of(path, label):
    with gzip.open(path, "rt") as file:
        header, *rows = csv.reader(file)
    keep = [k for k, name in enumerate(header) if name != label]
    return [header[k] for k in keep], [[row[k] for k in keep] for row in rows]


def sequences(path):
    """Different sequences in the order of the file; X, B, Z and their like are gaps."""
    with gzip.open(path, "rt") as file:
        texts = ["".join(entry.split("\n")[1:]).strip() for entry in file.read().split("\n>")]
    letters = "-ACDEFGHIKLMNPQRSTVWY"
    texts = ["".join(letter if letter in letters else "-" for letter in text) for text in texts if text]
    length = max(map(len, texts))
    return [text for text in dict.fromkeys(texts) if len(text) == length]


def weights_of(texts, identity=0.9):
    """One over the number of sequences at this identity, itself among them."""
    import numpy

    x = numpy.array([[ord(letter) for letter in text] for text in texts], dtype=numpy.uint8)
    return [1 / int(((x == row).mean(1) >= identity).sum()) for row in x]


def data(name, args):
    """Header, and the rows that train, choose and test."""
    if name == "dna":
        header, rows = rows_of(args.tables / "dna.csv.gz", "class")
        return header, rows[:1400], rows[1400:2000], rows[2000:]
    if name == "letter":
        header, rows = rows_of(args.tables / "letter.csv.gz", "lettr")
        return header, rows[:15000], rows[15000:16000], rows[16000:]
    if name == "satellite":
        header, rows = rows_of(args.tables / "satellite.csv.gz", "classes")
        return header, rows[:3935], rows[3935:4435], rows[4435:]
    if name == "satellite-white":
        import numpy

        header, rows = rows_of(args.tables / "satellite.csv.gz", "classes")
        x = numpy.array(rows, float)
        x = (x - x[:4435].mean(0)) / x[:4435].std(0)
        values, vectors = numpy.linalg.eigh(numpy.cov(x[:4435].T, bias=True))
        print(name, "log-determinant, to be added for standardised columns:", -numpy.log(values).sum() / 2)
        rows = [[f"{x:.6f}" for x in row] for row in x @ (vectors / values**0.5) @ vectors.T]
        return header, rows[:4435], [], rows[4435:]
    if name == "factors":
        import numpy

        random = numpy.random.default_rng(3)
        loads = random.normal(size=(12, 4))
        draw = lambda: random.normal(size=(2000, 4)) @ loads.T + 0.5 * random.normal(size=(2000, 12))
        train, test = draw(), draw()
        mean, scale = train.mean(0), train.std(0)
        train, test = ([[f"{x:.6f}" for x in row] for row in (part - mean) / scale] for part in (train, test))
        return [f"c{k}" for k in range(12)], train, [], test
    if name == "laplace":
        import numpy

        random = numpy.random.default_rng(1)
        mixed = random.laplace(size=(20000, 2)) / 2**0.5 @ numpy.array([[1.0, 0.6], [-0.3, 1.0]])
        # Whitened by the rows that train, as in PyDeep's example.
        mean, covariance = mixed[:10000].mean(0), numpy.cov(mixed[:10000].T, bias=True)
        values, vectors = numpy.linalg.eigh(covariance)
        white = (mixed - mean) @ vectors / values**0.5 @ vectors.T
        rows = [[f"{x:.6f}" for x in row] for row in white]
        return ["x", "y"], rows[:10000], rows[10000:11000], rows[10000:]
    if name == "ising":
        import numpy

        spins = (numpy.arange(2**16)[:, None] >> numpy.arange(16) & 1) * 2 - 1
        torus = spins.reshape(-1, 4, 4)
        energy = -(torus * (numpy.roll(torus, 1, 1) + numpy.roll(torus, 1, 2))).sum((1, 2))
        p = numpy.exp(-(energy - energy.min()) / 2.3)
        drawn = numpy.random.default_rng(1).choice(2**16, 11000, p=p / p.sum())
        print("ising", "log-likelihood of the test rows by the model itself:", numpy.log((p / p.sum())[drawn[6000:]]).mean())
        rows = spins[drawn].tolist()
        return [f"s{site}" for site in range(16)], rows[:5000], rows[5000:6000], rows[6000:]
    texts = sequences(args.proteins / ("lattice_SA.fasta.gz" if name == "lattice" else "WW_PF00397.fasta.gz"))
    header, rows = [f"s{site + 1}" for site in range(len(texts[0]))], [list(text) for text in texts]
    choosing = args.on == "choose"
    if name == "lattice":
        return header, rows[: -11000 if choosing else -10000], rows[-11000:-10000], rows[-10000:]
    import numpy

    rows = [[*row, f"{weight:.6f}"] for row, weight in zip(rows, weights_of(texts))]
    order = numpy.random.default_rng(1).permutation(len(rows))
    rows = [rows[k] for k in order]
    if name == "ww-whole":
        return [*header, "weight"], rows, [], []
    return [*header, "weight"], rows[: -2000 if choosing else -1000], rows[-2000:-1000], rows[-1000:]


def measure(name, args, extra):
    header, *parts = data(name, args)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(args.keep or place)
        for part, rows in zip(("train", "choose", "test"), parts):
            with open(folder / f"{name}-{part}.csv", "w", newline="") as file:
                csv.writer(file).writerows([header, *rows])
        options = extra or OPTIONS[name].split()
        if name in LETTERS:
            schema = folder / f"{name}-schema.toml"
            schema.write_text(schema_of(header, LETTERS[name]))
            options = [*options, "--schema", schema]
        run = folder / f"{name}-run"
        words = [args.dbn, "pretrain", "-q", "--data", f"csv:{folder}/{name}-train.csv", "--valid", "0", *options,
                 "--out", run, "--force"]
        subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)
        for part in ("train", *([] if name == "ww-whole" else [args.on])):
            words = [args.dbn, "eval", run, "--data", f"csv:{folder}/{name}-{part}.csv", "--json",
                     "--temperatures", str(args.temperatures), "--chains", str(args.chains)]
            found = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout
            print(name, part, json.dumps(json.loads(found)))


def main():
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=OPTIONS)
    parser.add_argument("--dbn", default="target/release/dbn")
    parser.add_argument("--tables", type=pathlib.Path)
    parser.add_argument("--proteins", type=pathlib.Path)
    parser.add_argument("--on", choices=["choose", "test"], default="test")
    parser.add_argument("--temperatures", type=int, default=14500)
    parser.add_argument("--chains", type=int, default=100)
    parser.add_argument("--keep", help="folder where CSV files and runs stay")
    args = parser.parse_args(words[:at])
    args.dbn = pathlib.Path(args.dbn).resolve()
    for name in args.names:
        measure(name, args, words[at + 1:])


if __name__ == "__main__":
    main()
