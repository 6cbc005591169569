"""Moves RBMs of other than Bernoulli units in and out of dbn, and holds free energies and means against those of other
programs' own code or formulas.

    python3 tests/verify_units.py --dbn target/debug/dbn [--golden FOLDER]

Run by an interpreter that has rbms 0.6 (Python 3.12 or later), h5py and NumPy. rbms' Potts and Ising models are written by rbms, imported, exported
again, and read by rbms. Files for RestrictedBoltzmannMachines.jl and PGM are read by h5py and NumPy, and scored by those
programs' formulas, written out here. `--golden` keeps rbms' models with their scores in a folder, which the Rust tests
read: `rbms-potts.h5`, `rbms-ising.h5` and `rbms-units.json` of `tests/golden/import` were made so.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import torch
from rbms.io import load_params, save_model
from rbms.ising_ising.classes import IIRBM
from rbms.potts_bernoulli.classes import PBRBM

SAMPLES, SITES, LEVELS, HIDDEN = 20, 6, 4, 5
TOLERANCE = 1e-5  # numbers of 32 bits, relative to values of at least 1


def models():
    """A Potts and an Ising model of rbms, and states of theirs."""
    torch.manual_seed(1)
    potts = PBRBM(0.4 * torch.randn(SITES, LEVELS, HIDDEN), 0.4 * torch.randn(SITES, LEVELS), 0.4 * torch.randn(HIDDEN))
    ising = IIRBM(0.4 * torch.randn(SITES, HIDDEN), 0.4 * torch.randn(SITES), 0.4 * torch.randn(HIDDEN))
    yield "potts", potts, torch.randint(0, LEVELS, (SAMPLES, SITES)).float()
    yield "ising", ising, 2.0 * torch.randint(0, 2, (SAMPLES, SITES)).float() - 1


def columns(name, v):
    """States as dbn has them in tensors: a column a level."""
    v = v.numpy()
    return np.eye(LEVELS)[v.astype(int)].reshape(SAMPLES, -1) if name == "potts" else v


def scores(model, v):
    means = model.sample_hiddens(model.init_chains(SAMPLES, start_v=v))["hidden_mag"]
    return means.numpy(), model.compute_energy_visibles(v).numpy()


def worst(ours, theirs):
    return float(np.max(np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))))


def of_julia(path, v):
    """The free energy of RestrictedBoltzmannMachines.jl's layers Binary, Spin and Potts."""
    with h5py.File(path) as file:
        kinds = [file[f"{side}_type"][()].decode() for side in ("visible", "hidden")]
        assert file["rbm_hdf5_file_format_version"][()].decode() == "1.0.0" and file["rbm_type"][()].decode() == "RBM"
        b, c, w = (file[name][()] for name in ("visible_par", "hidden_par", "weights"))
    return free_energy(kinds[1], v, b.reshape(-1), c.reshape(-1), w.reshape(len(c), -1))


def of_pgm(path, v):
    """The free energy of PGM's layers Bernoulli, Spin and Potts."""
    arrays = np.load(path)
    b, c, w = arrays["vlayer.fields"], arrays["hlayer.fields"], arrays["weights"]
    return free_energy(str(arrays["hidden"]), v, b.reshape(-1), c, w.reshape(len(c), -1))


def free_energy(hidden, v, b, c, w):
    x = v @ w.T + c
    of_hidden = np.logaddexp(x, -x) if hidden == "Spin" else np.logaddexp(0, x)
    return -(v @ b) - of_hidden.sum(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dbn", default="target/debug/dbn", help="the binary")
    parser.add_argument("--golden", type=pathlib.Path, help="folder to keep models and scores in")
    args = parser.parse_args()
    kept, passed = {}, True
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        folder = args.golden or scratch
        for name, model, v in models():
            file = folder / f"rbms-{name}.h5"
            file.unlink(missing_ok=True)
            save_model(str(file), model, model.init_chains(2), 3, 0.0, torch.tensor(0.1), np.array(0.0))
            means, energies = scores(model, v)
            states = columns(name, v)
            kept[file.name] = {
                "states": states.tolist(), "hidden": means.tolist(), "free_energy": energies.tolist()}
            if args.golden:
                continue
            run = lambda *words: subprocess.run([args.dbn, *map(str, words)], check=True, stderr=subprocess.DEVNULL)
            run("import", file, "--out", scratch / f"{name}.safetensors")
            for program, extension in (("rbms", "h5"), ("rbm-jl", "jl.h5"), ("pgm", "npz")):
                run("export", scratch / f"{name}.safetensors", "--as", program, "--out", scratch / f"{name}.{extension}")
            back = load_params(str(scratch / f"{name}.h5"), 1, "cpu", torch.float32)
            differences = {
                "rbms, hidden": worst(scores(back, v)[0], means),
                "rbms, free energy": worst(scores(back, v)[1], energies),
                "rbm-jl, free energy": worst(of_julia(scratch / f"{name}.jl.h5", states), energies),
                "pgm, free energy": worst(of_pgm(scratch / f"{name}.npz", states), energies),
            }
            print(f"{name:8}" + "  ".join(f"{what} within {far:.1e}" for what, far in differences.items()))
            passed &= max(differences.values()) <= TOLERANCE
    if args.golden:
        (args.golden / "rbms-units.json").write_text(json.dumps(kept, indent=1) + "\n")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
