#!/usr/bin/env python3
"""What the defaults make of tables nobody tuned them for.

    python3 bench/tables.py [--dbn target/release/dbn]     (needs scikit-learn)

Each of scikit-learn's small data sets is written as a CSV file as it is. `dbn check --recipe` and `dbn pretrain --config`
learn from it without the labels, `dbn encode` gives codes, and a logistic regression tells the classes by them: mean and
standard error over five random splits, 70 % of the rows to fit. Beside it the same regression on the standardised columns,
and on the codes of scikit-learn's BernoulliRBM with its defaults on columns scaled to [0, 1]. The RBMs see all rows.
"""

import argparse
import csv
import pathlib
import subprocess
import tempfile

import numpy
from sklearn import datasets, linear_model, model_selection, neural_network, pipeline, preprocessing

SETS = ["iris", "wine", "breast_cancer", "digits"]


def written(name, path):
    """Writes a data set with a header; its columns and classes."""
    data = getattr(datasets, f"load_{name}")()
    names = [str(column) for column in data.feature_names]
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*names, "class"])
        table.writerows([*row, data.target_names[label]] for row, label in zip(data.data.tolist(), data.target))
    return data.data, data.target


def codes(dbn, folder, name):
    """The codes of all rows, by what `check` recommends."""
    def run(*words):
        subprocess.run([dbn, *words], check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    run("check", f"csv:{name}.csv", "--label-column", "class", "--recipe", f"{name}.toml")
    run("pretrain", "-q", "--config", f"{name}.toml", "--out", name)
    run("encode", name, "--data", f"csv:{name}.csv", "--split", "train", "--out", f"{name}.npy")
    return numpy.load(folder / f"{name}.npy")


def accuracy(x, y):
    """Per cent right, mean and standard error over five splits."""
    classifier = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression(max_iter=5000))
    splits = model_selection.StratifiedShuffleSplit(5, train_size=0.7, random_state=1)
    right = 100 * model_selection.cross_val_score(classifier, x, y, cv=splits)
    return f"{right.mean():6.1f} ({right.std(ddof=1) / 5 ** 0.5:.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dbn", default="target/release/dbn")
    dbn = pathlib.Path(parser.parse_args().dbn).resolve()
    print(f"{'':14} {'codes':>12} {'columns':>12} {'scikit-learn':>14}")
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        for name in SETS:
            x, y = written(name, folder / f"{name}.csv")
            ours = accuracy(codes(dbn, folder, name), y)
            theirs = neural_network.BernoulliRBM(random_state=1).fit_transform(preprocessing.minmax_scale(x))
            print(f"{name:14} {ours:>12} {accuracy(x, y):>12} {accuracy(theirs, y):>14}", flush=True)


main()
