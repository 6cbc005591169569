"""Hand-written NumPy CD-k / PCD-k on OpenBLAS, all buffers reused.

SFC64 generates float32 uniforms; W is stored visible x hidden.
"""

import numpy as np

import bench_common as bc


class Trainer:
    def __init__(self, args, work, train):
        self.rng = np.random.Generator(np.random.SFC64(args.seed))
        self.x, self.work = train, work
        V, H, B = bc.N_VISIBLE, work.hidden, work.batch
        f32 = np.float32
        self.W = (self.rng.standard_normal((V, H), dtype=f32) * f32(0.01))
        self.b, self.c = np.zeros(V, f32), np.zeros(H, f32)
        self.v0, self.v, self.u_v = (np.empty((B, V), f32) for _ in range(3))
        self.ph0, self.ph, self.h, self.u_h = (np.empty((B, H), f32) for _ in range(4))
        self.grad, self.tmp = np.empty((V, H), f32), np.empty((V, H), f32)
        self.h_chain = (self.rng.random((B, H), dtype=f32) < 0.5).astype(f32)

    def activate(self, x, W, bias, out):
        """out = sigmoid(x W + bias), without temporaries."""
        np.matmul(x, W, out=out)
        out += bias
        np.negative(out, out=out)
        np.exp(out, out=out)
        out += 1.0
        np.reciprocal(out, out=out)

    def draw(self, p, u, out):
        self.rng.random(out=u, dtype=np.float32)
        np.less(u, p, out=out, casting="unsafe")

    def step(self, rows):
        work, W = self.work, self.W
        persistent = work.algo == "pcd"
        np.take(self.x, rows, axis=0, out=self.v0, mode="clip")
        self.activate(self.v0, W, self.c, self.ph0)
        h = self.h_chain if persistent else self.h
        if not persistent:
            self.draw(self.ph0, self.u_h, h)
        for i in range(work.k):
            self.activate(h, W.T, self.b, self.v)
            self.draw(self.v, self.u_v, self.v)
            self.activate(self.v, W, self.c, self.ph)
            if i + 1 < work.k or persistent:
                self.draw(self.ph, self.u_h, h)
        rate = np.float32(work.lr / len(rows))
        np.matmul(self.v0.T, self.ph0, out=self.grad)
        np.matmul(self.v.T, self.ph, out=self.tmp)
        self.grad -= self.tmp
        self.grad *= rate
        W += self.grad
        self.b += rate * (self.v0.sum(0) - self.v.sum(0))
        self.c += rate * (self.ph0.sum(0) - self.ph.sum(0))

    def epoch(self, n):
        B = self.work.batch
        order = self.rng.permutation(n)
        for i in range(0, n - n % B, B):
            self.step(order[i:i + B])

    def params(self):
        return self.W, self.b, self.c


bc.main("NumPy/OpenBLAS", Trainer, bc.versions("numpy"))
