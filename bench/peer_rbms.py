"""rbms (DsysDML), Bernoulli-Bernoulli RBM, through its own train() loop on the CPU.

Variant `plain` uses the textbook (non-centred) gradient, `centered` the package's default.
An "epoch" is n / batch updates: the package draws every batch from a fresh random
permutation instead of walking the data set.
"""

import os
import tempfile

import numpy as np
import torch
from rbms import BBRBM
from rbms.dataset.dataset_class import RBMDataset
from rbms.optim import setup_optim
from rbms.pre_grad import build_pre_grad_update
from rbms.sampler import CD, PCD
from rbms.training.pcd import train as rbms_train

import bench_common as bc


class Trainer:
    def __init__(self, args, work, train):
        torch.set_num_threads(args.threads)
        torch.manual_seed(args.seed)
        n = len(train)
        self.batch = work.batch
        self.centered = args.variant == "centered"
        self.data = RBMDataset(
            data=train, labels=np.zeros(n, dtype=np.int32),
            weights=np.ones(n, dtype=np.float32), names=np.arange(n),
            dataset_name="mnist", variable_type="bernoulli", device="cpu")
        self.rbm = BBRBM.init_parameters(num_hiddens=work.hidden, dataset=self.data,
                                         device="cpu", dtype=torch.float32)
        self.rbm.init_grad()
        if work.algo == "pcd":
            chains = self.rbm.init_chains(num_samples=work.chains)
            self.sampler = PCD(params=self.rbm, chains=chains, num_steps=work.k)
        else:
            self.sampler = CD(params=self.rbm, num_steps=work.k)
        options = dict(learning_rate=work.lr, max_lr=work.lr, scale_lr=False,
                       mult_optim=False, optim="sgd")
        self.optim = setup_optim("sgd", options, self.rbm)
        self.pre_grad = build_pre_grad_update(optimizer=self.optim, lambda_l1=0.0,
                                              lambda_l2=0.0, normalize_grad=False,
                                              max_grad_norm=-1)
        self.update = 0
        self.folder = tempfile.TemporaryDirectory()  # removed at exit
        self.file = os.path.join(self.folder.name, "rbm.h5")

    def epoch(self, n):
        updates = n // self.batch
        rbms_train(train_dataset=self.data, test_dataset=None, params=self.rbm,
                   sampler=self.sampler, optimizer=self.optim, batch_size=self.batch,
                   centered=self.centered, curr_update=self.update,
                   pre_grad_update=self.pre_grad, elapsed_time=0.0,
                   checkpoints=np.array([], dtype=np.int64),
                   num_updates=self.update + updates, filename=self.file)
        self.update += updates

    def params(self):
        return tuple(p.numpy() for p in self.rbm.parameters())


bc.main("rbms", Trainer, bc.versions("rbms", "torch"), variants=("plain", "centered"),
        note="one HDF5 checkpoint per epoch, written by train()")
