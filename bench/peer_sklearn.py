"""scikit-learn BernoulliRBM.

scikit-learn trains with persistent chains (SML/PCD-1, one chain per batch row) only, so its
figures stand for the same GEMM count as CD-1 but the algorithm is PCD-1 in every workload.
`fit(n_iter=1)` on float32 input keeps the whole computation in float32; `partial_fit` would
convert to float64.  No shuffling is done by the library.
"""

from sklearn.neural_network import BernoulliRBM

import bench_common as bc


class Trainer:
    algo = "pcd"

    def __init__(self, args, work, train):
        self.x = train
        self.rbm = BernoulliRBM(n_components=work.hidden, batch_size=work.batch,
                                learning_rate=work.lr, n_iter=1, random_state=args.seed)

    def epoch(self, n):
        # Each fit() starts from fresh weights; that start-up is a few ms per epoch.
        self.rbm.fit(self.x[:n])

    def params(self):
        return (self.rbm.components_.T, self.rbm.intercept_visible_,
                self.rbm.intercept_hidden_)


def make(args, work, train):
    return None if work.k != 1 else Trainer(args, work, train)


bc.main("scikit-learn", make, bc.versions("scikit-learn", "numpy", "scipy"),
        note="always PCD-1; weights restart every epoch")
