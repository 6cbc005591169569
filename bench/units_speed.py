#!/usr/bin/env python3
"""How fast RBMs of other units than Bernoulli ones train, beside other software.

    python3 bench/units_speed.py potts    --proteins DIR                 (needs numpy, torch, rbms)
    python3 bench/units_speed.py drelu    --proteins DIR --pgm DIR       (needs numpy, numba; DIR: a copy of jertubiana/PGM)
    python3 bench/units_speed.py gaussian --mnist DIR                    (needs numpy, torch, jax, learnergy)

`--python PATH` names the interpreter that has these packages, if it is not the one that runs the script.

The three kinds of work:

| name | data | RBM | one update |
|---|---|---|---|
| potts | WW domain, 31 sites of 21 levels | 100 Bernoulli hidden units | 10 Gibbs steps of 500 persistent chains, batch 500 |
| drelu | the same | 50 dReLU hidden units | 1 Gibbs step of 100 persistent chains, batch 100 |
| gaussian | MNIST, standardised columns | 784 Gaussian x 500 Bernoulli units | CD-1, batch 100 |

The contestants take turns, each in a process of its own with as many threads as `--threads` says; every process warms up
first, and has as many cores. Figures are medians over the rounds; a ratio is taken within its round. Ours go through the program, measurements of
every epoch inside the timed span; those of PyTorch, NumPy and JAX are updates alone, those of rbms, PGM and learnergy their
own training loops.
"""

import argparse
import gzip
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 5
LETTERS = "-ACDEFGHIKLMNPQRSTVWY"
BATCH = {"potts": 500, "drelu": 100, "gaussian": 100}
OPTIONS = {
    "potts": ["--hidden", "100", "--persistent-chains", "500", "--cd-steps", "10", "--learning-rate", "0.01"],
    "drelu": ["--hidden", "50", "--hidden-units", "drelu", "--persistent-chains", "100", "--learning-rate", "0.005"],
    "gaussian": ["--hidden", "500", "--visible-units", "gaussian", "--learning-rate", "0.001"],
}
EPOCHS = {"potts": 12, "drelu": 40, "gaussian": 3}


def sequences(folder):
    """The different sequences of the WW domain as numbers of letters; X, B, Z and their like are gaps."""
    import numpy

    texts = {}
    with gzip.open(folder / "WW_PF00397.fasta.gz", "rt") as file:
        for entry in file.read().split("\n>"):
            texts["".join(entry.split("\n")[1:]).strip()] = None
    length = max(map(len, texts))
    number = {letter: k for k, letter in enumerate(LETTERS)}
    return numpy.array([[number.get(letter, 0) for letter in text] for text in texts if len(text) == length])


def grey(folder):
    """MNIST, each column with mean 0 and variance 1; a constant one is 0."""
    import numpy

    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        x = numpy.frombuffer(file.read(), dtype=numpy.uint8, offset=16).reshape(-1, 784).astype(numpy.float32)
    spread = x.std(0)
    return (x - x.mean(0)) / numpy.where(spread > 0, spread, 1)


def timed(update, samples, seconds=8.0):
    """Samples a second of an update, after a warm-up."""
    for _ in range(20):
        update()
    began, updates = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        update()
        updates += 1
    return updates * samples / (time.perf_counter() - began)


def ours(args, work):
    """Samples a second, the median over the epochs after the first."""
    source = ["--data", f"npy:{args.file}"] if work == "gaussian" else ["--data", f"csv:{args.file}"]
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        words = [args.dbn, "pretrain", "-q", *source, *OPTIONS[work], "--batch-size", BATCH[work], "--epochs", EPOCHS[work],
                 "--valid", 0, "--threads", args.threads, "--out", run]
        subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)
        epochs = [json.loads(line) for line in open(run / "metrics.jsonl")]
    return statistics.median(epoch["samples_per_second"] for epoch in epochs if epoch["epoch"] > 1)


def rbms(args, _):
    import numpy
    import torch
    import rbms as package
    from rbms.dataset.dataset_class import RBMDataset
    from rbms.optim import setup_optim
    from rbms.pre_grad import build_pre_grad_update
    from rbms.sampler import PCD
    from rbms.training.pcd import train

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    x = numpy.load(args.numbers)
    data = RBMDataset(data=x.astype(numpy.int64), labels=numpy.zeros(len(x), dtype=numpy.int32),
                      weights=numpy.ones(len(x), dtype=numpy.float32), names=numpy.arange(len(x)), dataset_name="ww",
                      variable_type="categorical", device="cpu")
    rbm = package.PBRBM.init_parameters(num_hiddens=100, dataset=data, device="cpu", dtype=torch.float32)
    rbm.init_grad()
    sampler = PCD(params=rbm, chains=rbm.init_chains(num_samples=500), num_steps=10)
    optim = setup_optim("sgd", dict(learning_rate=0.01, max_lr=0.01, scale_lr=False, mult_optim=False, optim="sgd"), rbm)
    gradient = build_pre_grad_update(optimizer=optim, lambda_l1=0.0, lambda_l2=0.0, normalize_grad=False, max_grad_norm=-1)
    done = 0

    def updates(count):
        nonlocal done
        with tempfile.TemporaryDirectory() as folder:
            train(train_dataset=data, test_dataset=None, params=rbm, sampler=sampler, optimizer=optim, batch_size=500,
                  centered=True, curr_update=done, pre_grad_update=gradient, elapsed_time=0.0,
                  checkpoints=numpy.array([], dtype=numpy.int64), num_updates=done + count,
                  filename=os.path.join(folder, "rbm.h5"))
        done += count

    updates(10)
    began = time.perf_counter()
    updates(60)
    return 60 * 500 / (time.perf_counter() - began)


def pgm(args, _):
    import numpy

    for name in ("int", "float", "bool"):
        # Names that NumPy has no more.
        if not hasattr(numpy, name):
            setattr(numpy, name, __builtins__.__dict__[name] if hasattr(__builtins__, "__dict__") else __builtins__[name])
    sys.path.insert(0, str(pathlib.Path(args.pgm) / "source"))
    sys.path.insert(0, str(pathlib.Path(args.pgm) / "utilities"))
    import numba

    numba.set_num_threads(args.threads)
    import rbm

    x = numpy.load(args.numbers).astype(numpy.int16)
    machine = rbm.RBM(visible="Potts", hidden="dReLU", n_v=31, n_h=50, n_cv=21, random_state=1)
    fit = dict(batch_size=100, learning_rate=5e-3, N_MC=1, verbose=0, vverbose=0)
    machine.fit(x[:2000], n_iter=1, **fit)
    began = time.perf_counter()
    machine.fit(x, n_iter=3, **fit)
    return 3 * len(x) / (time.perf_counter() - began)


def torch_by_hand(args, _):
    import numpy
    import torch

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    x = torch.from_numpy(numpy.load(args.file))
    w, b, c = 0.01 * torch.randn(784, 500), torch.zeros(784), torch.zeros(500)
    batches, at, rate = [x[k:k + 100] for k in range(0, len(x), 100)], 0, 0.001

    @torch.no_grad()
    def update():
        nonlocal at
        v0 = batches[at % len(batches)]
        at += 1
        h0 = torch.sigmoid(torch.addmm(c, v0, w))
        h = (torch.rand_like(h0) < h0).float()
        v1 = torch.addmm(b, h, w.T) + torch.randn_like(v0)
        h1 = torch.sigmoid(torch.addmm(c, v1, w))
        w.addmm_(v0.T, h0, alpha=rate / 100).addmm_(v1.T, h1, alpha=-rate / 100)
        b.add_((v0 - v1).mean(0), alpha=rate)
        c.add_((h0 - h1).mean(0), alpha=rate)

    return timed(update, 100)


def numpy_by_hand(args, _):
    import numpy

    random, one = numpy.random.default_rng(1), numpy.float32(1)
    x = numpy.load(args.file)
    w = (0.01 * random.standard_normal((784, 500))).astype(numpy.float32)
    b, c, at, rate = numpy.zeros(784, numpy.float32), numpy.zeros(500, numpy.float32), 0, numpy.float32(0.001)

    def update():
        nonlocal at, w, b, c
        v0 = x[100 * at % 60000:][:100]
        at += 1
        h0 = one / (one + numpy.exp(-(v0 @ w + c)))
        h = (random.random(h0.shape, numpy.float32) < h0).astype(numpy.float32)
        v1 = h @ w.T + b + random.standard_normal(v0.shape, numpy.float32)
        h1 = one / (one + numpy.exp(-(v1 @ w + c)))
        w += rate / 100 * (v0.T @ h0 - v1.T @ h1)
        b += rate * (v0 - v1).mean(0)
        c += rate * (h0 - h1).mean(0)

    return timed(update, 100)


def jax_by_hand(args, _):
    import jax
    import jax.numpy as np
    import numpy

    x = np.asarray(numpy.load(args.file))
    key = jax.random.key(1)
    state = (0.01 * jax.random.normal(key, (784, 500)), np.zeros(784), np.zeros(500))

    @jax.jit
    def step(state, key, at):
        w, b, c = state
        v0 = jax.lax.dynamic_slice_in_dim(x, at, 100)
        first, second = jax.random.split(key)
        h0 = jax.nn.sigmoid(v0 @ w + c)
        h = (jax.random.uniform(first, h0.shape) < h0).astype(np.float32)
        v1 = h @ w.T + b + jax.random.normal(second, v0.shape)
        h1 = jax.nn.sigmoid(v1 @ w + c)
        w = w + 0.001 / 100 * (v0.T @ h0 - v1.T @ h1)
        return w, b + 0.001 * (v0 - v1).mean(0), c + 0.001 * (h0 - h1).mean(0)

    at = 0

    def update():
        nonlocal state, at
        state = jax.block_until_ready(step(state, jax.random.fold_in(key, at), 100 * at % 60000))
        at += 1

    return timed(update, 100)


def learnergy(args, _):
    import warnings

    import numpy
    import torch
    from learnergy.core.dataset import Dataset
    from learnergy.models.gaussian import GaussianRBM

    warnings.simplefilter("ignore")
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    x = torch.from_numpy(numpy.load(args.file))
    machine = GaussianRBM(n_visible=784, n_hidden=500, steps=1, learning_rate=0.001, normalize=False)

    def epoch(samples):
        machine.fit(Dataset(x[:samples], torch.zeros(samples, dtype=torch.int64), show_log=False), batch_size=100, epochs=1)

    epoch(5000)
    began = time.perf_counter()
    epoch(60000)
    return 60000 / (time.perf_counter() - began)


CONTESTANTS = {
    "potts": {"deepbelief": ours, "rbms": rbms},
    "drelu": {"deepbelief": ours, "PGM": pgm},
    "gaussian": {"deepbelief": ours, "PyTorch": torch_by_hand, "NumPy": numpy_by_hand, "JAX": jax_by_hand,
                 "learnergy": learnergy},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=CONTESTANTS)
    parser.add_argument("--dbn", default="target/release/dbn")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the other software")
    parser.add_argument("--proteins", type=pathlib.Path)
    parser.add_argument("--mnist", type=pathlib.Path)
    parser.add_argument("--pgm", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    parser.add_argument("--numbers", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.dbn = pathlib.Path(args.dbn).resolve()
    contestants = CONTESTANTS[args.work]
    if args.only:
        # JAX takes all cores that it sees.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:args.threads])
        print(contestants[args.only](args, args.work))
        return
    import numpy

    with tempfile.TemporaryDirectory() as folder:
        args.file, args.numbers = (f"{folder}/{name}" for name in ("data", "numbers.npy"))
        if args.work == "gaussian":
            args.file += ".npy"
            numpy.save(args.file, grey(args.mnist))
        else:
            args.file += ".csv"
            x = sequences(args.proteins)
            numpy.save(args.numbers, x)
            with open(args.file, "w") as file:
                file.write(",".join(f"s{site + 1}" for site in range(x.shape[1])) + "\n")
                file.writelines(",".join(LETTERS[level] for level in row) + "\n" for row in x)
        found = {name: [] for name in contestants}
        shared = [word for name in ("dbn", "pgm", "threads", "file", "numbers") if getattr(args, name) is not None
                  for word in (f"--{name}", str(getattr(args, name)))]
        environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads), "OPENBLAS_NUM_THREADS": str(args.threads)}
        environment.pop("OPENBLAS_CORETYPE", None)  # would overrule the kernel it picks for this processor
        for _ in range(args.rounds):
            for name in contestants:
                words = [args.python, __file__, args.work, "--only", name, *shared]
                out = subprocess.run(words, check=True, capture_output=True, text=True, env=environment).stdout
                found[name].append(float(out.split()[-1]))
    best = max((name for name in found if name != "deepbelief"), key=lambda name: statistics.median(found[name]))
    print(f"`python3 {' '.join(sys.argv)}`, {args.threads} threads, medians of {args.rounds} alternating rounds (least to most)\n")
    print(f"| {args.work} | samples/s | updates/s |\n|---|---|---|")
    for name, rates in found.items():
        middle = statistics.median(rates)
        print(f"| {name} | {middle:,.0f} ({min(rates):,.0f} to {max(rates):,.0f}) | {middle / BATCH[args.work]:,.1f} |")
    ratios = [a / b for a, b in zip(found["deepbelief"], found[best])]
    print(f"\ndeepbelief / {best}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
