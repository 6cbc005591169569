"""Hand-written JAX CD-k / PCD-k on the CPU backend.

Variants: `step` (one jitted update per batch, donated buffers, default threefry keys) and
`scan-rbg` (a whole epoch in one lax.scan, with the faster `rbg` random generator).
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

import bench_common as bc


def draw(key, p):
    return (jax.random.uniform(key, p.shape, p.dtype) < p).astype(p.dtype)


def update(state, v0, *, k, rate, persistent):
    """One CD-k or PCD-k update. state = (W, b, c, chain, key)."""
    W, b, c, chain, key = state
    keys = jax.random.split(key, 2 * k + 2)
    ph0 = jax.nn.sigmoid(v0 @ W + c)
    h = chain if persistent else draw(keys[1], ph0)
    for i in range(k):
        v = draw(keys[2 * i + 2], jax.nn.sigmoid(h @ W.T + b))
        ph = jax.nn.sigmoid(v @ W + c)
        if i + 1 < k or persistent:
            h = draw(keys[2 * i + 3], ph)
    rate = rate / v0.shape[0]
    W = W + rate * (v0.T @ ph0 - v.T @ ph)
    b = b + rate * (v0.sum(0) - v.sum(0))
    c = c + rate * (ph0.sum(0) - ph.sum(0))
    return W, b, c, (h if persistent else chain), keys[0]


class Trainer:
    def __init__(self, args, work, train):
        if args.variant == "scan-rbg":
            jax.config.update("jax_default_prng_impl", "rbg")
        self.x = jnp.asarray(train)
        self.batch = work.batch
        self.scan = args.variant == "scan-rbg"
        key, k_w, k_h = jax.random.split(jax.random.key(args.seed), 3)
        self.state = (jax.random.normal(k_w, (bc.N_VISIBLE, work.hidden)) * 0.01,
                      jnp.zeros(bc.N_VISIBLE), jnp.zeros(work.hidden),
                      draw(k_h, jnp.full((work.chains, work.hidden), 0.5)), key)
        step = functools.partial(update, k=work.k, rate=work.lr,
                                 persistent=work.algo == "pcd")
        self.order = np.random.default_rng(args.seed)

        @functools.partial(jax.jit, donate_argnums=0)
        def one(state, x, rows):
            return step(state, x[rows])

        @functools.partial(jax.jit, donate_argnums=0)
        def many(state, x, rows):
            return jax.lax.scan(lambda s, r: (step(s, x[r]), None), state, rows)[0]

        self.one, self.many = one, many
        if self.scan:  # compile for the full-epoch shape outside the timed part
            rows = jax.ShapeDtypeStruct((len(train) // self.batch, self.batch), jnp.int32)
            self.full = many.lower(self.state, self.x, rows).compile()

    def epoch(self, n):
        B = self.batch
        rows = self.order.permutation(n)[:n - n % B].astype(np.int32).reshape(-1, B)
        if self.scan:
            full = len(rows) == len(self.x) // B
            self.state = (self.full if full else self.many)(self.state, self.x, rows)
        else:
            for r in rows:
                self.state = self.one(self.state, self.x, r)
        jax.block_until_ready(self.state)

    def params(self):
        return tuple(np.asarray(p) for p in self.state[:3])


bc.main("JAX", Trainer, bc.versions("jax", "jaxlib"), variants=("step", "scan-rbg"))
