#!/usr/bin/env python3
"""What the defaults make of tables nobody tuned them for.

    python3 bench/tables.py [--dbn target/release/dbn] [--data DIR]     (needs scikit-learn)

scikit-learn's small data sets are written as CSV files as they are; DIR adds pima.csv.gz and house-votes.csv.gz, which have
missing values. The inverse of MNIST is the program's own 10,000 test digits in white and black turned round. `dbn check
--recipe` and `dbn pretrain --config` learn from each without the labels, `dbn encode` gives codes, and a logistic regression
tells the classes by them: mean and standard error over five random splits, 70 % of the rows to fit. Beside it the same
regression on the standardised columns, and on the codes of scikit-learn's BernoulliRBM with its defaults on columns scaled
to [0, 1]; both get the column's mean where a value is missing. The RBMs see all rows.
"""

import argparse
import csv
import gzip
import pathlib
import subprocess
import tempfile

import numpy
from sklearn import datasets, impute, linear_model, model_selection, neural_network, pipeline, preprocessing

SETS = ["iris", "wine", "breast_cancer", "digits"]
WITH_GAPS = {"pima": "diabetes", "house-votes": "Class"}
DIGITS = pathlib.Path(__file__).resolve().parent.parent / "models" / "mnist-rbm.safetensors"


def run(dbn, folder, *words):
    subprocess.run([dbn, *words], check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def written(name, folder):
    """Writes one of scikit-learn's data sets with a header; its source, options, columns and classes."""
    data = getattr(datasets, f"load_{name}")()
    names = [str(column) for column in data.feature_names]
    with open(folder / f"{name}.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*names, "class"])
        table.writerows([*row, data.target_names[label]] for row, label in zip(data.data.tolist(), data.target))
    return f"csv:{name}.csv", ["--label-column", "class"], data.data, data.target


def with_gaps(name, path):
    """A table with missing values; its source, options, columns, y as 1 and n as 0, and classes."""
    with gzip.open(path, "rt") as file:
        header, *rows = csv.reader(file)
    label = header.index(WITH_GAPS[name])
    number = {"": numpy.nan, "y": 1.0, "n": 0.0}
    value = lambda x: number[x] if x in number else float(x)
    x = numpy.array([[value(cell) for k, cell in enumerate(row) if k != label] for row in rows])
    return f"csv:{path}", ["--label-column", WITH_GAPS[name]], x, numpy.array([row[label] for row in rows])


def inverse_mnist(dbn, folder):
    """White digits on black turned round; their source, options, columns and classes."""
    run(dbn, folder, "encode", DIGITS, "--data", "mnist", "--split", "test", "--depth", "0", "--out", "mnist.npy")
    x = numpy.rint(255 - 255 * numpy.load(folder / "mnist.npy")).astype(numpy.uint8)
    numpy.save(folder / "inverse.npy", x)
    return "npy:inverse.npy", [], x / 255, numpy.load(folder / "mnist.labels.npy")


def codes(dbn, folder, source, options):
    """The codes of all rows, by what `check` recommends."""
    run(dbn, folder, "check", source, *options, "--recipe", "recipe.toml")
    run(dbn, folder, "pretrain", "-q", "--config", "recipe.toml", "--out", "run", "--force")
    run(dbn, folder, "encode", "run", "--data", source, "--split", "train", "--out", "codes.npy")
    return numpy.load(folder / "codes.npy")


def accuracy(x, y):
    """Per cent right, mean and standard error over five splits."""
    classifier = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression(max_iter=5000))
    splits = model_selection.StratifiedShuffleSplit(5, train_size=0.7, random_state=1)
    right = 100 * model_selection.cross_val_score(classifier, x, y, cv=splits)
    return f"{right.mean():6.1f} ({right.std(ddof=1) / 5 ** 0.5:.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dbn", default="target/release/dbn")
    parser.add_argument("--data", type=pathlib.Path)
    args = parser.parse_args()
    dbn = pathlib.Path(args.dbn).resolve()
    print(f"{'':14} {'codes':>12} {'columns':>12} {'scikit-learn':>14}")
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        tables = {name: lambda name=name: written(name, folder) for name in SETS}
        for name in WITH_GAPS if args.data else ():
            path = (args.data / f"{name}.csv.gz").resolve()
            tables[name] = lambda name=name, path=path: with_gaps(name, path)
        tables["inverse MNIST"] = lambda: inverse_mnist(dbn, folder)
        for name, table in tables.items():
            source, options, x, y = table()
            ours = accuracy(codes(dbn, folder, source, options), y)
            x = impute.SimpleImputer().fit_transform(x)
            theirs = neural_network.BernoulliRBM(random_state=1).fit_transform(preprocessing.minmax_scale(x))
            print(f"{name:14} {ours:>12} {accuracy(x, y):>12} {accuracy(theirs, y):>14}", flush=True)


main()
