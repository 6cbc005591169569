#!/usr/bin/env python3
"""How well missing values of a table are filled, beside scikit-learn.

    python3 bench/imputation.py --data DIR [--dbn target/release/dbn]     (needs scikit-learn)

DIR holds pima.csv.gz, house-votes.csv.gz and letter.csv.gz; wine is scikit-learn's. Of each table, without its classes, 10
or 30 per cent of the values that are there are removed at random. `dbn check --recipe`, `dbn pretrain --config` and `dbn
impute` fill them, by their defaults; beside it IterativeImputer, KNNImputer and the mean or most frequent value of each
column, with the defaults of scikit-learn on standardised columns. Errors are of the removed values alone: of numbers the
root of the mean square, each column in units of its standard deviation; of yes and no the per cent that is wrong. Means and
standard errors over five random removals. Of letter the same 4,000 rows are used throughout.
"""

import argparse
import csv
import gzip
import pathlib
import subprocess
import tempfile
import warnings

import numpy
from sklearn import datasets
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

SPLITS = 5
LETTERS = 4000


def table(folder, name, label):
    """Columns of a gzipped CSV file without that of the classes, as numbers; y is 1, n is 0."""
    with gzip.open(folder / f"{name}.csv.gz", "rt") as file:
        header, *rows = csv.reader(file)
    keep = [k for k, column in enumerate(header) if column != label]
    number = {"": numpy.nan, "y": 1.0, "n": 0.0}
    values = [[number[row[k]] if row[k] in number else float(row[k]) for k in keep] for row in rows]
    values = numpy.array(values)
    return [header[k] for k in keep], values[~numpy.isnan(values).all(1)]


def tables(folder):
    """Each table: name, names of columns, values, whether they are yes and no."""
    yield "pima", *table(folder, "pima", "diabetes"), False
    yield "house-votes", *table(folder, "house-votes", "Class"), True
    wine = datasets.load_wine()
    yield "wine", wine.feature_names, wine.data, False
    names, letters = table(folder, "letter", "lettr")
    yield "letter", names, letters[numpy.random.default_rng(0).permutation(len(letters))[:LETTERS]], False


def text(x, binary):
    """A value as it is written."""
    if numpy.isnan(x):
        return ""
    return ("n", "y")[int(x)] if binary else repr(float(x))


def ours(dbn, names, values, binary):
    """The table filled by the program's defaults."""
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        with open(folder / "gaps.csv", "w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(names)
            rows.writerows([text(x, binary) for x in row] for row in values)

        def run(*words):
            subprocess.run([dbn, *words], check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        run("check", "csv:gaps.csv", "--recipe", "r.toml")
        run("pretrain", "-q", "--config", "r.toml", "--out", "run")
        run("impute", "run", "--data", "csv:gaps.csv", "--out", "filled.csv")
        with open(folder / "filled.csv") as file:
            header, *filled = csv.reader(file)
    assert header == list(names)
    number = (lambda x: float(x == "y")) if binary else float
    return numpy.array([[number(x) for x in row] for row in filled])


def theirs(imputer):
    """A filler by one of scikit-learn's imputers, on standardised columns."""
    def fill(_, __, values, ___):
        mean, deviation = numpy.nanmean(values, 0), numpy.nanstd(values, 0)
        with warnings.catch_warnings():
            # That an imputation has not converged in its default of ten rounds.
            warnings.simplefilter("ignore")
            return imputer().fit_transform((values - mean) / deviation) * deviation + mean
    return fill


def column_means(_, __, values, binary):
    """The mean of each column, or its most frequent value."""
    return SimpleImputer(strategy="most_frequent" if binary else "mean").fit_transform(values)


METHODS = {
    "deepbelief": ours,
    "IterativeImputer": theirs(lambda: IterativeImputer(random_state=0)),
    "KNNImputer": theirs(KNNImputer),
    "columns alone": column_means,
}


def error(filled, truth, removed, binary):
    """Of the removed values."""
    if binary:
        return 100 * numpy.mean((filled[removed] >= 0.5) != (truth[removed] >= 0.5))
    return numpy.sqrt(numpy.mean((((filled - truth) / numpy.nanstd(truth, 0))[removed]) ** 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--dbn", default="target/release/dbn")
    args = parser.parse_args()
    dbn = pathlib.Path(args.dbn).resolve()
    print(f"{'':24}" + "".join(f"{method:>20}" for method in METHODS))
    for name, names, truth, binary in tables(args.data):
        for share in (0.1, 0.3):
            errors = {method: [] for method in METHODS}
            for split in range(SPLITS):
                removed = numpy.random.default_rng(split).random(truth.shape) < share
                removed &= ~numpy.isnan(truth)
                removed[(removed | numpy.isnan(truth)).all(1)] = False
                gaps = numpy.where(removed, numpy.nan, truth)
                for method, fill in METHODS.items():
                    errors[method].append(error(fill(dbn, names, gaps, binary), truth, removed, binary))
            shown = (f"{numpy.mean(x):.3f} ({numpy.std(x, ddof=1) / SPLITS ** 0.5:.3f})" for x in errors.values())
            unit = "% wrong" if binary else "RMSE"
            print(f"{name}, {share:.0%}, {unit}".ljust(24) + "".join(f"{x:>20}" for x in shown), flush=True)


main()
