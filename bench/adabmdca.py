#!/usr/bin/env python3
"""Mutations and contacts of a protein family by an RBM, by a Potts model of adabmDCA, and by independent sites, in one run.

    python3 bench/adabmdca.py --proteins DIR [--python PATH] [--dbn target/release/dbn]

DIR has PF13354.fasta.gz, PF13354_distances.dat.gz (of pagnani/ArDCAData) and BLAT_dms.csv.gz (of debbiemarkslab/DeepSequence), as
for bench/laboratory.py. This script needs NumPy, the interpreter that `--python` names adabmDCA 1.0.

Both read the same file of different sequences, and weigh them at 80 % equal letters. The RBM is that of bench/laboratory.py. The
Potts model is adabmDCA's bmDCA with its defaults, but for `--chains` Markov chains, `--sweeps` sweeps and `--rate`: its defaults
of 10,000, 10 and 0.01 take far longer on two cores. It stops when the connected pair frequencies of its chains have a Pearson's
correlation of 0.95 with those of the data, or after `--updates` updates; the correlation that it reached is printed.

Mutants are those that `dbn score` finds on the alignment's sites; the Potts model scores the same by its own energies. Printed are
Spearman's correlations with the fitness and their intervals of 95 % of 2,000 bootstrap samples, the share of contacts (8 Angstrom,
5 or more apart) among the first pairs, and seconds of training.
"""

import argparse
import csv
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy

from laboratory import OPTIONS, scan
from units import sequences

FAMILY = "PF13354"
SHARES = (0.5, 1, 1.5, 2, 3)


def potts(args):
    """Run by an interpreter that has adabmDCA: energies of the mutants, contact scores, and how far it came."""
    import torch
    from adabmDCA.api import compute_contact_map, compute_energies, train_model

    torch.set_num_threads(args.threads)
    began, last = time.time(), {}
    result = train_model(args.folder / "family.fasta", n_chains=args.chains, n_sweeps=args.sweeps, learning_rate=args.rate,
                         max_gradient_steps=args.updates, seed=1, device="cpu", progress=lambda at: last.update(at.metrics))
    seconds = time.time() - began
    mutants = json.loads((args.folder / "mutants.json").read_text())
    numpy.save(args.folder / "energies.npy", compute_energies(mutants, model=result.model, device="cpu"))
    numpy.save(args.folder / "contacts.npy", compute_contact_map(model=result.model, device="cpu"))
    print(json.dumps({"seconds": seconds, "updates": result.gradient_steps, "stopped": result.stop_reason,
                      "effective": result.effective_sequences, "pearson": last["Pearson"], "slope": last["Slope"]}))


def ranks(x):
    """Ranks, the mean of them for equal values."""
    _, inverse, counts = numpy.unique(x, return_inverse=True, return_counts=True)
    return (numpy.cumsum(counts) - (counts - 1) / 2)[inverse]


def spearman(x, y):
    """Spearman's correlation, and its interval by bootstrap."""
    of = lambda at: numpy.corrcoef(ranks(x[at]), ranks(y[at]))[0, 1]
    random = numpy.random.default_rng(1)
    draws = [of(random.integers(0, len(x), len(x))) for _ in range(2000)]
    low, high = numpy.quantile(draws, [0.025, 0.975])
    return f"{of(slice(None)):.3f} ({low:.3f} to {high:.3f})"


def predictive(scores, distances):
    """Shares of contacts among the first pairs of a matrix of scores."""
    sites = len(scores)
    pairs = sorted(((scores[i, j], i, j) for i in range(sites) for j in range(i + 5, sites) if (i, j) in distances), reverse=True)
    near = [distances[i, j] < 8 for _, i, j in pairs]
    return [sum(near[:round(share * sites)]) / round(share * sites) for share in SHARES]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proteins", type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has adabmDCA")
    parser.add_argument("--dbn", default="target/release/dbn")
    parser.add_argument("--sequences", type=int, help="only the first of them")
    parser.add_argument("--options", help="options of the RBM's training, instead of those of bench/laboratory.py")
    parser.add_argument("--chains", type=int, default=500)
    parser.add_argument("--sweeps", type=int, default=2)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        potts(args)
        return
    dbn = pathlib.Path(args.dbn).resolve()

    def run(*words, **more):
        return subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True, **more).stdout

    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        texts = sequences(args.proteins / f"{FAMILY}.fasta.gz")[:args.sequences]
        (folder / "family.fasta").write_text("".join(f">s{k}\n{text}\n" for k, text in enumerate(texts)))
        began = time.time()
        run(dbn, "pretrain", "-q", "--data", f"fasta:{folder / 'family.fasta'}", "--reweight", 0.8, "--valid", 0, "--threads",
            args.threads, *(args.options or OPTIONS["lactamase"]).split(), "--out", folder / "run")
        ours = time.time() - began
        wild, offset = scan(args, folder)
        run(dbn, "score", "-q", folder / "run", "--mutations", folder / "scan.csv", "--fitness-column", "fitness", "--wild-type", wild,
            "--offset", offset, "--out", folder / "mutants.csv")
        with open(folder / "mutants.csv") as file:
            rows = [row for row in csv.DictReader(file) if row["score"] not in ("", "NaN", "nan") and row["fitness"] != ""]
        # The residues that lie on the sites, in their order: each has mutants.
        residues = sorted({int(row["mutant"][1:-1]) for row in rows})
        if len(residues) != len(texts[0]):
            sys.exit(f"mutants of {len(residues)} residues lie on {len(texts[0])} sites: which sites these are is not known")
        laid = "".join(wild[residue - offset - 1] for residue in residues)
        site = {residue: k for k, residue in enumerate(residues)}
        mutants = []
        for row in rows:
            k = site[int(row["mutant"][1:-1])]
            mutants.append(laid[:k] + row["mutant"][-1] + laid[k + 1:])
        (folder / "mutants.json").write_text(json.dumps([laid, *mutants]))
        environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
        environment.pop("OPENBLAS_CORETYPE", None)
        words = [word for name in ("chains", "sweeps", "rate", "updates", "threads") for word in (f"--{name}", getattr(args, name))]
        theirs = json.loads(run(args.python, __file__, "--only", "--folder", folder, *words, env=environment).splitlines()[-1])
        energies = numpy.load(folder / "energies.npy")
        with gzip.open(args.proteins / f"{FAMILY}_distances.dat.gz", "rt") as file:
            lines = [line.replace(",", " ").split() for line in file]
        distances = {(int(min(i, j)) - 1, int(max(i, j)) - 1): far for i, j, far in (map(float, (a[0], a[1], a[-1])) for a in lines)}
        run(dbn, "contacts", "-q", folder / "run", "--separation", 1, "--out", folder / "pairs.csv")
        scores = numpy.zeros((len(laid), len(laid)))
        with open(folder / "pairs.csv") as file:
            for row in csv.DictReader(file):
                i, j = sorted((int(row["i"]) - 1, int(row["j"]) - 1))
                scores[i, j] = float(row["score"])
        column = lambda name: numpy.array([float(row[name]) for row in rows])
        contacts = {"RBM": predictive(scores, distances), "Potts": predictive(numpy.load(folder / "contacts.npy"), distances)}
        fitness = column("fitness")
        print(f"`python3 {' '.join(sys.argv)}`: {FAMILY}, {len(texts):,} sequences of {len(laid)} sites, {len(rows):,} mutants; "
              f"adabmDCA: {json.dumps(theirs)}\n")
        print("| | seconds of training | Spearman's correlation with the fitness | contacts of the first "
              + ", ".join(f"{share:g} L" for share in SHARES) + " |\n|---|---|---|---|")
        cells = lambda name: ", ".join(f"{share:.2f}" for share in contacts[name])
        print(f"| independent sites | | {spearman(column('independent'), fitness)} | |")
        print(f"| adabmDCA, bmDCA | {theirs['seconds']:.0f} | {spearman(energies[0] - energies[1:], fitness)} | {cells('Potts')} |")
        print(f"| RBM | {ours:.0f} | {spearman(column('score'), fitness)} | {cells('RBM')} |")


if __name__ == "__main__":
    main()
