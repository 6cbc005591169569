"""TensorFlow 2 / Keras layer in tutorial style.

Two weight matrices, recognition (w_rec, visible x hidden) and generation (w_gen, hidden x
visible), kept tied by transposing after every update; contrastive divergence as the
GradientTape gradient of the mean free-energy difference; sampling by u < sigmoid(x) with
u uniform.  Variants: `eager`, and `function` (the step wrapped in tf.function).
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import tensorflow as tf

import bench_common as bc


def sample(logits):
    u = tf.random.uniform(tf.shape(logits))
    return tf.cast(u < tf.sigmoid(logits), tf.float32)


class RBMLayer(tf.keras.layers.Layer):
    def __init__(self, n_visible, n_hidden, k, rate):
        super().__init__()
        self.k, self.rate = k, rate
        start = tf.random.normal((n_visible, n_hidden), stddev=0.01)
        self.w_rec = tf.Variable(start, name="w_rec")
        self.w_gen = tf.Variable(tf.transpose(start), name="w_gen")
        self.b_vis = tf.Variable(tf.zeros(n_visible), name="b_vis")
        self.b_hid = tf.Variable(tf.zeros(n_hidden), name="b_hid")

    def hidden_logits(self, v):
        return tf.matmul(v, self.w_rec) + self.b_hid

    def visible_logits(self, h):
        return tf.matmul(h, self.w_gen) + self.b_vis

    def free_energy(self, v):
        return -tf.linalg.matvec(v, self.b_vis) - tf.reduce_sum(
            tf.nn.softplus(self.hidden_logits(v)), axis=1)

    def fantasy(self, h):
        """k Gibbs steps from hidden states h; returns the last visible states."""
        v = sample(self.visible_logits(h))
        for _ in range(self.k - 1):
            v = sample(self.visible_logits(sample(self.hidden_logits(v))))
        return v

    def descend(self, v0, v1):
        weights = [self.w_rec, self.b_vis, self.b_hid]
        with tf.GradientTape() as tape:
            loss = (tf.reduce_mean(self.free_energy(v0))
                    - tf.reduce_mean(self.free_energy(v1)))
        for w, g in zip(weights, tape.gradient(loss, weights)):
            w.assign_sub(self.rate * g)
        self.w_gen.assign(tf.transpose(self.w_rec))

    def cd_step(self, v0):
        self.descend(v0, self.fantasy(sample(self.hidden_logits(v0))))

    def pcd_step(self, v0, chain):
        v1 = self.fantasy(chain)
        chain.assign(sample(self.hidden_logits(v1)))
        self.descend(v0, v1)


class Trainer:
    def __init__(self, args, work, train):
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
        tf.random.set_seed(args.seed)
        self.x = tf.constant(train)
        self.batch = work.batch
        self.layer = RBMLayer(bc.N_VISIBLE, work.hidden, work.k, work.lr)
        step = self.layer.cd_step
        if work.algo == "pcd":
            chain = tf.Variable(sample(tf.zeros((work.chains, work.hidden))))
            step = lambda v0: self.layer.pcd_step(v0, chain)
        self.step = tf.function(step) if args.variant == "function" else step

    def epoch(self, n):
        order = tf.random.shuffle(tf.range(n))
        for i in range(0, n - n % self.batch, self.batch):
            self.step(tf.gather(self.x, order[i:i + self.batch]))

    def params(self):
        return tuple(p.numpy() for p in (self.layer.w_rec, self.layer.b_vis,
                                         self.layer.b_hid))


bc.main("TensorFlow", Trainer, bc.versions("tensorflow-cpu", "keras"),
        variants=("eager", "function"))
