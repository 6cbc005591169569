"""A loop of contrastive divergence on a GPU as a user of PyTorch writes it, at the shapes of `bench_gpu`:
data on the device, in-place updates, no synchronisation inside an epoch. One JSON line each.

    python3 bench/gpu_torch.py [--seconds S]
"""

import argparse
import json
import time

import torch

SHAPES = [  # visible, hidden, batch, chains, steps, samples
    (784, 500, 100, 0, 1, 60_000),
    (784, 500, 2000, 0, 1, 60_000),
    (784, 2000, 100, 0, 1, 60_000),
    (784, 500, 100, 100, 1, 60_000),
    (784, 500, 100, 0, 10, 60_000),
    (784, 500, 32, 0, 1, 60_000),
    (4096, 4096, 4096, 0, 1, 65_536),
]


def train(shape, precision, budget):
    visible, hidden, batch, chains, steps, samples = shape
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    device = "cuda"
    data = (torch.rand(samples, visible, device=device) < 0.2).to(kind)
    w = 0.01 * torch.randn(visible, hidden, device=device)
    vb, hb = torch.zeros(visible, device=device), torch.zeros(hidden, device=device)
    dw, dvb, dhb = torch.zeros_like(w), torch.zeros_like(vb), torch.zeros_like(hb)
    rate, momentum, cost = 0.01, 0.5, 2e-4
    persistent = (torch.rand(max(chains, 1), hidden, device=device) < 0.5).to(kind)

    def epoch():
        nonlocal persistent
        order = torch.randperm(samples, device=device)
        for start in range(0, samples, batch):
            v0 = data[order[start : start + batch]]
            n = v0.shape[0]
            low = w.to(kind)
            p0 = torch.sigmoid(v0 @ low + hb.to(kind))
            h = persistent if chains else torch.bernoulli(p0)
            for k in range(steps):
                v = torch.bernoulli(torch.sigmoid(h @ low.t() + vb.to(kind)))
                p = torch.sigmoid(v @ low + hb.to(kind))
                if chains or k + 1 < steps:
                    h = torch.bernoulli(p)
            if chains:
                persistent = h
            r = n / v.shape[0]
            gradient = (v0.t() @ p0).float() - r * (v.t() @ p).float()
            dw.mul_(momentum).add_(gradient, alpha=rate / n).add_(w, alpha=-rate * cost)
            dvb.mul_(momentum).add_(v0.float().sum(0) - r * v.float().sum(0), alpha=rate / n)
            dhb.mul_(momentum).add_(p0.float().sum(0) - r * p.float().sum(0), alpha=rate / n)
            w.add_(dw)
            vb.add_(dvb)
            hb.add_(dhb)
        torch.cuda.synchronize()

    epoch()
    seconds, until = [], time.perf_counter() + budget
    while len(seconds) < 3 or time.perf_counter() < until:
        started = time.perf_counter()
        epoch()
        seconds.append(time.perf_counter() - started)
    assert torch.isfinite(w).all()
    return samples / sorted(seconds)[len(seconds) // 2]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=1.0)
    budget = arguments.parse_args().seconds
    for shape in SHAPES:
        for precision in ["f32", "tf32", "bf16"]:
            visible, hidden, batch, chains, steps, _ = shape
            line = {
                "peer": f"torch {torch.__version__}",
                "visible": visible,
                "hidden": hidden,
                "batch": batch,
                "algo": f"{'pcd' if chains else 'cd'}-{steps}",
                "precision": precision,
                "samples_per_s": train(shape, precision, budget),
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
