"""The dense products of one update alone, through NumPy's OpenBLAS: five for CD-1 and PCD-1, 23
for CD-10.  A program that did nothing else could not be faster without leaving dense products.
"""

import numpy as np
from threadpoolctl import threadpool_info

import bench_common as bc


class Products:
    """One "epoch" of n samples is n / batch times the products of an update."""

    def __init__(self, args, work, train):
        rng = np.random.default_rng(0)
        self.work = work
        self.w = rng.standard_normal((bc.N_VISIBLE, work.hidden), dtype=np.float32)
        self.v = train[:work.batch].copy()
        self.h = rng.random((work.batch, work.hidden), dtype=np.float32)
        self.up, self.down = np.empty_like(self.h), np.empty_like(self.v)
        self.gradient = np.empty_like(self.w)

    def epoch(self, n):
        for _ in range(n // self.work.batch):
            np.matmul(self.v, self.w, out=self.up)
            for _ in range(self.work.k):
                np.matmul(self.h, self.w.T, out=self.down)
                np.matmul(self.v, self.w, out=self.up)
            np.matmul(self.v.T, self.h, out=self.gradient)
            np.matmul(self.v.T, self.h, out=self.gradient)

    def params(self):
        return self.w, np.zeros(bc.N_VISIBLE), np.zeros(self.work.hidden)


# The library NumPy has loaded, with the kernel it chose for this processor.
blas = next(b for b in threadpool_info() if b["user_api"] == "blas")
bc.main("OpenBLAS", Products, {**bc.versions("numpy"), "OpenBLAS": f'{blas["version"]} ({blas["architecture"]})'})
