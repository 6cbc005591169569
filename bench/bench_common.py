"""Shared protocol of the RBM peer benchmark: workloads, data, timing, reporting.

Every peer script builds a *trainer* and hands it to `main`.  A trainer has

    epoch(n)   -> train once over the first n images (n = 60000 for a full epoch)
    params()   -> (W[visible, hidden], visible_bias, hidden_bias) as NumPy arrays

One process measures one (peer, variant, workload): load data, build the trainer, warm up on
10 000 images (JIT, caches, thread pools), then time full epochs one by one.  An epoch during
which other processes (or the hypervisor) took more than 5 % of one core is thrown away and
timed again, because a spinning OpenMP pool on a shared core is slowed several-fold.  The
result is one JSON line on stdout.
"""

import argparse
import gzip
import importlib.metadata
import json
import os
import resource
import sys
import time
from dataclasses import dataclass

import numpy as np

N_VISIBLE = 784
FOREIGN_LIMIT = 0.05  # cores


@dataclass(frozen=True)
class Workload:
    name: str
    hidden: int
    batch: int
    algo: str  # "cd" or "pcd"
    k: int  # Gibbs steps per update
    lr: float = 0.1

    @property
    def chains(self):
        return self.batch


WORKLOADS = {
    w.name: w
    for w in [
        Workload("W1", 500, 100, "cd", 1),
        Workload("W1b", 500, 32, "cd", 1),
        Workload("W1c", 500, 2000, "cd", 1),
        Workload("W2", 2000, 100, "cd", 1),
        Workload("W3", 500, 100, "pcd", 1),
        Workload("W3b", 500, 100, "cd", 10),
    ]
}


def load_idx_images(path):
    """Read an IDX3 ubyte file, plain or gzipped; returns uint8 [n, rows*cols]."""
    if os.path.exists(path):
        with open(path, "rb") as f:
            raw = f.read()
    else:
        with gzip.open(path + ".gz", "rb") as f:
            raw = f.read()
    magic, n, rows, cols = (int(i) for i in np.frombuffer(raw[:16], dtype=">i4"))
    if magic != 0x803 or len(raw) != 16 + n * rows * cols:
        raise ValueError(f"{path}: not an IDX3 ubyte file of the size its header says")
    return np.frombuffer(raw, dtype=np.uint8, offset=16).reshape(n, rows * cols)


def load_binary_mnist(directory, split):
    """MNIST images binarised at pixel > 127, as float32 0/1 (no large temporaries)."""
    prefix = {"train": "train", "test": "t10k"}[split]
    images = load_idx_images(os.path.join(directory, f"{prefix}-images-idx3-ubyte"))
    out = np.empty(images.shape, dtype=np.float32)
    for i in range(0, len(images), 5000):
        out[i:i + 5000] = images[i:i + 5000] > 127
    return out


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def reconstruction_cross_entropy(v, W, b, c):
    """Mean over images of the summed pixel cross-entropy (nats) of the mean-field
    reconstruction v -> p(h|v) -> p(v|h = p)."""
    W, b, c = (np.asarray(a, dtype=np.float32) for a in (W, b, c))
    logits = sigmoid(v @ W + c) @ W.T + b
    # -[v log s(x) + (1-v) log(1-s(x))] = softplus(x) - v x
    return float(np.mean(np.sum(np.logaddexp(0.0, logits) - v * logits, axis=1)))


class ForeignCpu:
    """CPU use by anything but this process (and its waited-for children), in cores."""

    def __init__(self):
        self.start = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat") as f:
            user, nice, system, idle, iowait, irq, softirq, steal = map(
                int, f.readline().split()[1:9])
        busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        t = os.times()
        return busy, t.user + t.system + t.children_user + t.children_system, t.elapsed

    def cores(self):
        busy, own, wall = (b - a for a, b in zip(self.start, self._read()))
        return max(0.0, busy - own) / wall


def peak_rss_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def versions(*packages):
    return {p: importlib.metadata.version(p) for p in packages}


def parse_args(variants=("default",), argv=None):
    p = argparse.ArgumentParser()
    p.add_argument("--workload", choices=sorted(WORKLOADS), default="W1")
    p.add_argument("--variant", choices=list(variants), default=variants[0])
    p.add_argument("--data", required=True, help="folder of the MNIST IDX files")
    p.add_argument("--epochs", type=int, default=3, help="timed epochs")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--max-seconds", type=float, default=140.0,
                   help="stop timing further epochs once this would be passed")
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args(argv)


def main(peer, make_trainer, package_versions, variants=("default",), note=""):
    """make_trainer(args, workload, train_images) -> trainer, or None if unsupported."""
    args = parse_args(variants)
    work = WORKLOADS[args.workload]
    train = load_binary_mnist(args.data, "train")
    n = len(train)
    trainer = make_trainer(args, work, train)
    if trainer is None:
        print(f"{peer}/{args.variant}: {work.name} is not supported", file=sys.stderr)
        return
    rss_base = peak_rss_mb()

    t0 = time.perf_counter()
    trainer.epoch(10_000)
    warm_s = time.perf_counter() - t0

    times, foreign, spoilt = [], [], []
    while len(times) < args.epochs:
        others = ForeignCpu()
        t = time.perf_counter()
        trainer.epoch(n)
        t = time.perf_counter() - t
        cores = others.cores()
        if cores <= FOREIGN_LIMIT:
            times.append(t)
            foreign.append(cores)
        else:
            spoilt.append((t, cores))
        if time.perf_counter() - t0 + t > args.max_seconds:
            break
    if not times:  # never quiet: report the least disturbed epoch, marked by foreign_cores
        t, cores = min(spoilt, key=lambda s: s[1])
        times, foreign = [t], [cores]
    rss_peak = peak_rss_mb()

    test = load_binary_mnist(args.data, "test")
    rates = sorted(n / t for t in times)
    record = {
        "peer": peer,
        "variant": args.variant,
        "workload": work.name,
        "hidden": work.hidden,
        "batch": work.batch,
        "algo": f"{getattr(trainer, 'algo', work.algo)}-{work.k}",
        "lr": work.lr,
        "threads": args.threads,
        "samples_per_s_median": float(np.median(rates)),
        "samples_per_s_min": rates[0],
        "samples_per_s_max": rates[-1],
        "epochs_timed": len(times),
        "epochs_discarded": len(spoilt),
        "foreign_cores_max": max(foreign),
        "warmup_s": warm_s,
        "rss_peak_mb": rss_peak,
        "rss_base_mb": rss_base,
        "test_recon_ce": reconstruction_cross_entropy(test, *trainer.params()),
        "versions": package_versions,
        "python": sys.version.split()[0],
        "note": note,
    }
    print(json.dumps(record), flush=True)
