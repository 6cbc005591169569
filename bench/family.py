#!/usr/bin/env python3
"""Time from an alignment to a trained model, beside rbms and PGM on the same schedule.

    python3 bench/family.py --proteins DIR --pgm DIR [--python PATH] [--dbn target/release/dbn]

DIR has PF00014.fasta.gz (of pagnani/ArDCAData; `--family` names another), that of `--pgm` is a copy of jertubiana/PGM. This
script needs NumPy, the interpreter that `--python` names rbms 0.6, NumPy, pandas, SciPy and numba.

Each contestant is a process that reads the file of different sequences, weighs them at 80 % equal letters, trains 100 hidden
units, and writes the model. All make the same passes over the data in batches of 100, each update with as many Gibbs steps of 100
persistent chains. PGM and the first row of ours train dReLU units by Adam with the L1b cost 0.25, rbms and the second row of ours
Bernoulli units by gradient descent at 0.01, centred. The third row of ours is models/protein.toml as it is. Contestants take
turns; seconds are from the start of the process to its end, medians over the rounds. What of it is no training is shown too: of
theirs what passed before the file was read (Python, imports, compilation), of ours what passed after the model was saved (the
report, with a map of couplings). After the first round `dbn eval` measures each model on the training
sequences with their weights: both annealing estimates, in nats a site; "none" is the interval of an estimate on which too few chains agree.
"""

import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from units import MODELS, schema_of, sequences

SCHEDULE = "--reweight 0.8 --valid 0 --hidden 100 --batch-size 100 --persistent-chains 100 --centred"
OURS = {
    "deepbelief, dReLU": f"{SCHEDULE} --hidden-units drelu --optimizer adam --learning-rate 0.002 --final-learning-rate 0.0001 "
                         "--weight-cost 0 --l1b-cost 0.25",
    "deepbelief, Bernoulli": f"{SCHEDULE} --learning-rate 0.01 --schedule constant --momentum 0 --final-momentum 0 --weight-cost 0",
    "deepbelief, models/protein.toml": f"--config {MODELS / 'protein.toml'}",
}
# The order of letters of each.
LETTERS = {"PGM": "ACDEFGHIKLMNPQRSTVWY-", "rbms": "-ACDEFGHIKLMNPQRSTVWY"}


def rbms(args):
    import numpy
    import torch
    from rbms import PBRBM
    from rbms.dataset import load_dataset
    from rbms.optim import setup_optim
    from rbms.pre_grad import build_pre_grad_update
    from rbms.sampler import PCD
    from rbms.training.pcd import train

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    began = time.time()
    data, _ = load_dataset(str(args.folder / "family.fasta"), use_weights=True, alphabet="protein", device="cpu")
    rbm = PBRBM.init_parameters(num_hiddens=100, dataset=data, device="cpu", dtype=torch.float32)
    rbm.init_grad()
    sampler = PCD(params=rbm, chains=rbm.init_chains(num_samples=100), num_steps=args.steps)
    optim = setup_optim("sgd", dict(learning_rate=0.01, max_lr=0.01, scale_lr=False, mult_optim=False, optim="sgd"), rbm)
    gradient = build_pre_grad_update(optimizer=optim, lambda_l1=0.0, lambda_l2=0.0, normalize_grad=False, max_grad_norm=-1)
    updates = args.epochs * -(-len(data) // 100)
    with tempfile.TemporaryDirectory() as folder:
        train(train_dataset=data, test_dataset=None, params=rbm, sampler=sampler, optimizer=optim, batch_size=100, centered=True,
              curr_update=0, pre_grad_update=gradient, elapsed_time=0.0, checkpoints=numpy.array([], dtype=numpy.int64),
              num_updates=updates, filename=os.path.join(folder, "rbm.h5"))
    # The arrays as PGM has them: dbn reads them without a reader of HDF5.
    numpy.savez(args.folder / "rbms.npz", **{"visible": "Potts", "hidden": "Bernoulli", "weights": rbm.weight_matrix.permute(2, 0, 1).numpy(),
                                             "vlayer.fields": rbm.vbias.numpy(), "hlayer.fields": rbm.hbias.numpy()})
    return began


def pgm(args):
    import numpy

    for name, kind in (("int", int), ("float", float), ("bool", bool)):
        # Names that NumPy has no more.
        if not hasattr(numpy, name):
            setattr(numpy, name, kind)
    sys.path[:0] = [str(args.pgm / "source"), str(args.pgm / "utilities")]
    import numba

    numba.set_num_threads(args.threads)
    import Proteins_utils
    import rbm

    began = time.time()
    x = Proteins_utils.load_FASTA(str(args.folder / "family.fasta"))
    weights = 1.0 / Proteins_utils.count_neighbours(x, threshold=0.2 + 1e-6)
    machine = rbm.RBM(visible="Potts", hidden="dReLU", n_v=x.shape[1], n_h=100, n_cv=21, random_state=1)
    machine.fit(x, weights=weights, batch_size=100, n_iter=args.epochs, N_MC=args.steps, l1b=0.25, verbose=0, vverbose=0)
    fields = {f"{side}.{name}": getattr(getattr(machine, side), name) for side in ("vlayer", "hlayer")
              for name in getattr(machine, side).list_params}
    numpy.savez(args.folder / "PGM.npz", visible="Potts", hidden="dReLU", weights=machine.weights, **fields)
    return began


PEERS = {"PGM": pgm, "rbms": rbms}


def run_of(args, name):
    return args.folder / name.replace("/", "-")


def log_likelihood(args, name):
    """Of the training sequences, as dbn eval has it."""
    run = lambda *words: subprocess.run([str(word) for word in (args.dbn, *words)], check=True, capture_output=True, text=True).stdout
    if name in PEERS:
        model = args.folder / f"{name}.safetensors"
        run("import", "-q", args.folder / f"{name}.npz", "--out", model)
        schema = args.folder / f"{name}.toml"
        with open(args.folder / "family.csv") as file:
            schema.write_text(schema_of(next(csv.reader(file)), LETTERS[name]))
        words = (model, "--data", f"csv:{args.folder / 'family.csv'}", "--schema", schema)
    else:
        words = (run_of(args, name), "--split", "train", "--data", f"fasta:{args.folder / 'family.fasta'}")
    found = run("eval", "-q", *words, "--json", "--temperatures", args.temperatures, "--chains", 60)
    return json.loads(found)["log_likelihood"]


def once(args, name):
    """Seconds of one process, and those of them before it read the file or after it saved the model."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads), "OPENBLAS_NUM_THREADS": str(args.threads),
                   "NUMBA_NUM_THREADS": str(args.threads)}
    environment.pop("OPENBLAS_CORETYPE", None)  # would overrule the kernel it picks for this processor
    if name in PEERS:
        words = [args.python, __file__, "--only", name, "--folder", args.folder, "--threads", args.threads, "--epochs", args.epochs,
                 "--steps", args.steps, "--pgm", args.pgm]
    else:
        schedule = [] if "--config" in OURS[name] else ["--epochs", args.epochs, "--cd-steps", args.steps]
        words = [args.dbn, "pretrain", "-q", "--data", f"fasta:{args.folder / 'family.fasta'}", *OURS[name].split(), *schedule,
                 "--threads", args.threads, "--force", "--out", run_of(args, name)]
    began = time.time()
    out = subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    ended = time.time()
    other = float(out.split()[-1]) - began if name in PEERS else ended - (words[-1] / "model.safetensors").stat().st_mtime
    return ended - began, other


def alignment(args):
    """The different sequences as FASTA, and as CSV with the weights of their neighbours."""
    import numpy

    texts = sequences(args.proteins / f"{args.family}.fasta.gz")[:args.sequences]
    (args.folder / "family.fasta").write_text("".join(f">s{k}\n{text}\n" for k, text in enumerate(texts)))
    x = numpy.array([list(text.encode()) for text in texts], dtype=numpy.uint8)
    weights = [1 / int(((x == row).sum(1) >= 0.8 * x.shape[1] - 1e-9).sum()) for row in x]
    with open(args.folder / "family.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*(f"s{site + 1}" for site in range(x.shape[1])), "weight"])
        rows.writerows([*text, f"{weight:.6f}"] for text, weight in zip(texts, weights))
    return len(texts), x.shape[1], sum(weights)


def shown(found, sites):
    """A log-likelihood and its interval, AIS and reverse AIS, in nats a site."""
    def of(way, which="value"):
        value = found[way][which]
        return "none" if value is None else f"{value / sites:.4f}"

    return (f"{of('both_ways')} ({of('both_ways', 'low')} to {of('both_ways', 'high')}; AIS {of('ais')}, "
            f"reverse AIS {of('reverse_ais')})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proteins", type=pathlib.Path)
    parser.add_argument("--pgm", type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has rbms and numba")
    parser.add_argument("--dbn", default="target/release/dbn")
    parser.add_argument("--family", default="PF00014")
    parser.add_argument("--sequences", type=int, help="only the first of them")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=5, help="Gibbs steps of an update")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--temperatures", type=int, default=1500, help="of the measurement afterwards; 0: none")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        print(PEERS[args.only](args))
        return
    args.dbn = pathlib.Path(args.dbn).resolve()
    names = ["deepbelief, dReLU", "PGM", "deepbelief, Bernoulli", "rbms", "deepbelief, models/protein.toml"]
    with tempfile.TemporaryDirectory() as folder:
        args.folder = pathlib.Path(folder)
        count, sites, effective = alignment(args)
        found = {name: [] for name in names}
        measured = {}
        for round_ in range(args.rounds):
            for name in names:
                found[name].append(once(args, name))
                print(f"round {round_ + 1}: {name}: {found[name][-1][0]:.1f} s", file=sys.stderr, flush=True)
            if round_ == 0 and args.temperatures:
                measured = {name: log_likelihood(args, name) for name in names}
    print(f"`python3 {' '.join(sys.argv)}`: {args.family}, {count:,} sequences of {sites} sites, which count as {effective:,.0f}; "
          f"{args.epochs} passes, {args.steps} Gibbs steps, {args.threads} threads, medians of {args.rounds} alternating rounds "
          "(least to most)\n")
    print("| | seconds | not of training | log-likelihood of the sequences, nats a site |\n|---|---|---|---|")
    for name in names:
        whole, other = zip(*found[name])
        middle = statistics.median
        value = measured.get(name)
        print(f"| {name} | {middle(whole):.1f} ({min(whole):.1f} to {max(whole):.1f}) | {middle(other):.1f} | "
              f"{shown(value, sites) if value else '-'} |")
    for ours, theirs in (names[:2], names[2:4]):
        ratios = [b[0] / a[0] for a, b in zip(found[ours], found[theirs])]
        print(f"\n{theirs} takes {statistics.median(ratios):.1f} times as long as {ours} ({min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
