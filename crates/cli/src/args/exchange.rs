//! Models written for other programs, and read of them.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub(super) const EXPORT_HELP: &str = "\
What is written:
  mlp          .safetensors for linear layers, weights [out, in], a sigmoid after every layer:
               layers.{i}.weight, layers.{i}.bias from the bottom: what `dbn encode` computes
  autoencoder  encoder.{i}.weight and .bias as above, then decoder.{i}.weight and .bias from the
               top down: what `dbn reconstruct` computes, labels aside
  npz          the model itself as NumPy arrays, exactly, if all units are Bernoulli units; for
               others take pgm, or the checkpoint. Of an RBM with V visible and H hidden units
               components_ [H, V], intercept_hidden_ [H], intercept_visible_ [V], as
               scikit-learn's BernoulliRBM has them; of a deep belief net, or an RBM with labels,
               layers.{i}.w_rec [V, H], layers.{i}.w_gen [H, V], layers.{i}.hb [H] and
               layers.{i}.vb [V] from the bottom, then top.w_rec, top.hb, top.vb and with C labels
               top.label_w [C, H], top.label_b [C]; `dbn import` reads both
  rbms         .h5 of an RBM of bits (BBRBM), of categorical units under bits (PBRBM) or of spins
               (IIRBM): load_params(file, 1, ...) of rbms reads it
  rbm-jl       .h5 of an RBM with units of one kind in each layer: load_rbm of
               RestrictedBoltzmannMachines.jl reads it; dReLU units are its xReLU
  pgm          .npz of the arrays of PGM's RBM: visible, hidden, weights, vlayer.fields,
               hlayer.theta_plus, ..., to be set on an RBM of its sizes
  adabmdca     .dat of adabmDCA's fields and couplings, of an RBM of an alignment with Gaussian
               hidden units: such an RBM is a Potts model, and its free energies are the energies

Examples:
  dbn export runs/deep --as mlp --out mlp.safetensors
  dbn export runs/mnist-500 --as npz --out rbm.npz
  dbn export runs/dna --as rbm-jl --out dna.h5";

pub(super) const IMPORT_HELP: &str = "\
What is read, for V visible and H hidden units:
  sklearn     scikit-learn's BernoulliRBM: components_ [H, V], intercept_hidden_ [H],
              intercept_visible_ [V]; RBMs of a pipeline as 0.components_, 1.components_, ...
  rbms        the HDF5 file that rbms writes while it trains an RBM of bits (BBRBM), of
              categorical units (PBRBM) or of spins (IIRBM)
  learnergy   state dict of a binary RBM, W [V, H], a [V], b [H], or of a deep belief net of such,
              models.{i}.W, ...; the file does not say which visible units it has: do not import
              one with Gaussian units
  hinton      MATLAB files of Hinton & Salakhutdinov's code of 2006: vishid, hidrecbiases and
              visbiases of mnistvh; hidpen, ... of mnisthp; hidpen2, ... of mnisthp2; hidtop, ... of
              mnistpo, whose code units are Gaussian
  rbm-jl      the HDF5 file of RestrictedBoltzmannMachines.jl's save_rbm, of layers Binary, Spin,
              Potts, Gaussian, ReLU, dReLU, xReLU or nsReLU
  pgm         PGM's RBM, of layers Bernoulli, Spin, Potts, Gaussian, ReLUplus, ReLU or dReLU
  adabmdca    adabmDCA's text of fields and couplings: as an RBM of at most (L - 1)(q - 1) Gaussian
              hidden units for L sites of q letters, whose free energies are the energies
  deepbelief  what `dbn export --as npz` writes
Arrays may lie in npz, safetensors, HDF5 or mat files. Several files make a stack, bottom first.
Weights become 32-bit floats, so that scores agree to some seven digits.

From Python:
  np.savez('rbm.npz', components_=rbm.components_, intercept_hidden_=rbm.intercept_hidden_,
           intercept_visible_=rbm.intercept_visible_)
  safetensors.torch.save_file(model.state_dict(), 'rbm.safetensors')
  np.savez('rbm.npz', visible=RBM.visible, hidden=RBM.hidden, weights=RBM.weights,   # of PGM
           **{'vlayer.' + p: getattr(RBM.vlayer, p) for p in RBM.vlayer.list_params},
           **{'hlayer.' + p: getattr(RBM.hlayer, p) for p in RBM.hlayer.list_params})

Examples:
  dbn import rbm.npz --out rbm.safetensors
  dbn import mnistvh.mat mnisthp.mat mnisthp2.mat mnistpo.mat --out runs/science
  dbn encode rbm.safetensors --data npy:x.npy --free-energy --out scores.npy";

/// A model to write for other programs.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    /// What to write
    #[arg(long = "as", value_name = "WHAT")]
    pub(crate) what: ExportName,
    /// File to write: .safetensors, or .npz (npz, pgm), .h5 (rbms, rbm-jl), .dat (adabmdca)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to write of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportName {
    /// The pass up: features of the top layer.
    Mlp,
    /// The pass up and down again: a reconstruction.
    Autoencoder,
    /// The model itself as NumPy arrays.
    Npz,
    /// An RBM for rbms.
    Rbms,
    /// An RBM for RestrictedBoltzmannMachines.jl.
    RbmJl,
    /// An RBM as PGM's arrays.
    Pgm,
    /// An RBM with Gaussian hidden units as a Potts model of adabmDCA.
    Adabmdca,
}

/// A model of another program.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// File of arrays; several files make a stack, bottom first
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Program that wrote the model [default: found by the names of the arrays]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) from: Option<FormatName>,
    /// Update to read from a file of rbms [default: the last]
    #[arg(long, value_name = "N")]
    pub(crate) update: Option<u64>,
    /// Checkpoint to write: a .safetensors file, or a folder for model.safetensors
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) out: PathBuf,
}

/// A program whose models are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// scikit-learn.
    Sklearn,
    /// rbms.
    Rbms,
    /// learnergy.
    Learnergy,
    /// The MATLAB code of 2006.
    Hinton,
    /// RestrictedBoltzmannMachines.jl.
    RbmJl,
    /// PGM.
    Pgm,
    /// adabmDCA.
    Adabmdca,
    /// This program.
    Deepbelief,
}
