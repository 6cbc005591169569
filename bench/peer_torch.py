"""Hand-written PyTorch CD-k / PCD-k, as an experienced user would write it.

Variants: `eager` (torch.bernoulli), `eager-rand` (torch.rand compare) and `compile`
(the update step through torch.compile).
"""

import torch

import bench_common as bc


def draw_bernoulli(p):
    return torch.bernoulli(p)


def draw_rand(p):
    return (torch.rand_like(p) < p).to(p.dtype)


def make_step(W, b, c, k, rate, draw, persistent):
    """Returns step(v0, chain): one in-place parameter update.  `chain` holds the hidden
    state of the persistent chains and is advanced in place; unused for plain CD."""

    def step(v0, chain):
        ph0 = torch.addmm(c, v0, W).sigmoid_()
        h = chain if persistent else draw(ph0)
        for i in range(k):
            v = draw(torch.addmm(b, h, W.t()).sigmoid_())
            ph = torch.addmm(c, v, W).sigmoid_()
            if i + 1 < k or persistent:
                h = draw(ph)
        n = rate / v0.shape[0]
        m = rate / v.shape[0]
        W.addmm_(v0.t(), ph0, alpha=n).addmm_(v.t(), ph, alpha=-m)
        b.add_(v0.sum(0), alpha=n).sub_(v.sum(0), alpha=m)
        c.add_(ph0.sum(0), alpha=n).sub_(ph.sum(0), alpha=m)
        if persistent:
            chain.copy_(h)

    return step


class Trainer:
    def __init__(self, args, work, train):
        torch.set_num_threads(args.threads)
        torch.set_grad_enabled(False)
        torch.manual_seed(args.seed)
        self.x = torch.from_numpy(train)
        self.batch = work.batch
        self.W = torch.randn(bc.N_VISIBLE, work.hidden) * 0.01
        self.b = torch.zeros(bc.N_VISIBLE)
        self.c = torch.zeros(work.hidden)
        self.chain = torch.bernoulli(torch.full((work.chains, work.hidden), 0.5))
        draw = draw_bernoulli if args.variant == "eager" else draw_rand
        self.step = make_step(self.W, self.b, self.c, work.k, work.lr, draw,
                              work.algo == "pcd")
        if args.variant == "compile":
            self.step = torch.compile(self.step, dynamic=False)

    def epoch(self, n):
        order = torch.randperm(n)
        for i in range(0, n - n % self.batch, self.batch):
            self.step(self.x[order[i:i + self.batch]], self.chain)

    def params(self):
        return tuple(p.numpy() for p in (self.W, self.b, self.c))


if __name__ == "__main__":
    bc.main("PyTorch", Trainer, bc.versions("torch"),
            variants=("eager", "eager-rand", "compile"))
