"""learnergy RBM through its own fit() (CD-k, autograd on the free-energy difference).

fit() walks a torch DataLoader sample by sample and also evaluates the pseudo-likelihood on
every batch; neither can be turned off, so both are in the figure.
"""

import torch
from learnergy.core.dataset import Dataset
from learnergy.models.bernoulli import RBM

import bench_common as bc


class Trainer:
    def __init__(self, args, work, train):
        torch.set_num_threads(args.threads)
        torch.manual_seed(args.seed)
        self.x = torch.from_numpy(train)
        self.targets = torch.zeros(len(train), dtype=torch.int64)
        self.batch = work.batch
        self.rbm = RBM(n_visible=bc.N_VISIBLE, n_hidden=work.hidden, steps=work.k,
                       learning_rate=work.lr)

    def epoch(self, n):
        data = Dataset(self.x[:n], self.targets[:n], show_log=False)
        self.rbm.fit(data, batch_size=self.batch, epochs=1)

    def params(self):
        return tuple(p.detach().numpy() for p in (self.rbm.W, self.rbm.a, self.rbm.b))


def make(args, work, train):
    return None if work.algo != "cd" else Trainer(args, work, train)


bc.main("learnergy", make, bc.versions("learnergy", "torch"),
        note="fit() also computes MSE and pseudo-likelihood per batch")
