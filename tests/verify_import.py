"""Trains a tiny model with each package that `dbn import` knows, saves it as documented, and holds
what dbn says of it against the scores that the package itself computes.

    python3 tests/verify_import.py --dbn target/debug/dbn [--python PYTHON ...] [--golden FOLDER]

The packages (scikit-learn; rbms; learnergy; SciPy and h5py for the MATLAB files; adabmDCA) are taken
from the interpreters that `--python` or the variable DBN_IMPORT_PYTHON (separated by colons) name; for
what none of them has, pip installs it into the virtual environment .venv-import. `--golden` keeps models, inputs
and scores in a folder, which the Rust tests read: `tests/golden/import` was made so.

For every model: `hidden`, the probabilities (or means) of the top hidden units after a pass up that
hands probabilities on, and `free_energy`, that of the units under the top RBM in nats. scikit-learn's
stochastic `score_samples` is met too: the bits it flips are those of its seed.

adabmDCA writes a Potts model and sequences, and computes their energies by this model and by the one
that dbn exports after it read this. dbn's free energies are these energies.
"""

import argparse
import csv
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

SAMPLES, VISIBLE, HIDDEN, UPPER = 20, 12, 7, 5
SEED = 1
TOLERANCE = 1e-5  # dbn computes in float32, relative to values of at least 1
PACKAGES = {
    "sklearn": ["scikit-learn"],
    "rbms": ["rbms"],
    "learnergy": ["learnergy", "safetensors"],
    "hinton": ["numpy", "scipy", "h5py"],
    "adabmdca": ["adabmDCA"],
}
MODULES = {"sklearn": "sklearn", "rbms": "rbms", "learnergy": "learnergy, safetensors", "hinton": "scipy, h5py",
           "adabmdca": "adabmDCA.io"}
SITES, ENERGY_TOLERANCE = 20, 1e-3  # nats; a free energy is a sum of some hundred numbers of 32 bits


def inputs():
    """Three noisy patterns of bits."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    patterns = np.kron(np.eye(3), np.ones(VISIBLE // 3))
    return np.abs(patterns[rng.integers(0, 3, SAMPLES)] - (rng.random((SAMPLES, VISIBLE)) < 0.1))


def sklearn(folder):
    import numpy as np
    from sklearn.neural_network import BernoulliRBM

    v = inputs()
    names = ("components_", "intercept_hidden_", "intercept_visible_")
    settings = dict(learning_rate=0.2, batch_size=5, n_iter=500, random_state=SEED)
    rbm = BernoulliRBM(HIDDEN, **settings).fit(v)
    np.savez(folder / "sklearn.npz", **{name: getattr(rbm, name) for name in names})

    # The bits that score_samples flips, drawn as it draws them.
    flipped = v.copy()
    bits = np.random.RandomState(SEED).randint(0, VISIBLE, SAMPLES)
    flipped[np.arange(SAMPLES), bits] = 1 - flipped[np.arange(SAMPLES), bits]
    yield "sklearn", ["sklearn.npz"], rbm.transform(v), rbm._free_energy(v), {
        "score_samples": rbm.score_samples(v).tolist(), "flipped": flipped.tolist()}

    h = rbm.transform(v)
    upper = BernoulliRBM(UPPER, **settings).fit(h)
    np.savez(folder / "sklearn-pipeline.npz", **{
        f"{i}.{name}": getattr(layer, name) for i, layer in enumerate([rbm, upper]) for name in names})
    yield "sklearn-pipeline", ["sklearn-pipeline.npz"], upper.transform(h), upper._free_energy(h), {}


def rbms(folder):
    import numpy as np
    import torch
    from rbms import BBRBM
    from rbms.dataset.dataset_class import RBMDataset
    from rbms.io import save_model
    from rbms.optim import setup_optim

    torch.manual_seed(SEED)
    np.random.seed(SEED)
    v = inputs().astype(np.float32)
    data = RBMDataset(data=v, labels=np.zeros(SAMPLES, dtype=np.int32), weights=np.ones(SAMPLES, dtype=np.float32),
                      names=np.arange(SAMPLES), dataset_name="bits", variable_type="bernoulli", device="cpu")
    rbm = BBRBM.init_parameters(num_hiddens=HIDDEN, dataset=data, device="cpu", dtype=torch.float32, var_init=0.1)
    file = folder / "rbms.h5"
    file.unlink(missing_ok=True)
    visible = torch.from_numpy(v)
    chains = rbm.init_chains(num_samples=SAMPLES)
    scores = {}
    for update in range(1, 401):
        positive = rbm.init_chains(num_samples=SAMPLES, start_v=visible)
        chains = rbm.sample_hiddens(rbm.sample_visibles(chains))
        rbm.compute_gradient(positive, chains)
        for parameter in rbm.parameters():
            parameter += 0.2 * parameter.grad
        if update in (10, 400):
            save_model(str(file), rbm, chains, update, 0.0, torch.tensor(0.1), np.array(0.0))
            hidden = rbm.init_chains(num_samples=SAMPLES, start_v=visible)["hidden_mag"]
            scores[update] = (hidden.numpy(), rbm.compute_energy_visibles(visible).numpy())
    yield "rbms", ["rbms.h5"], *scores[400], {}
    yield "rbms-update-10", ["rbms.h5"], *scores[10], {"options": ["--update", "10"]}


def learnergy(folder):
    import numpy as np
    import torch
    from learnergy.models.bernoulli import RBM
    from learnergy.models.deep import DBN
    from safetensors.torch import save_file
    from torch.utils.data import TensorDataset

    torch.manual_seed(SEED)
    v = torch.from_numpy(inputs().astype(np.float32))
    data = TensorDataset(v, torch.zeros(SAMPLES))
    rbm = RBM(n_visible=VISIBLE, n_hidden=HIDDEN, learning_rate=0.5)
    rbm.fit(data, batch_size=5, epochs=100)
    net = DBN(model=("bernoulli", "bernoulli"), n_visible=VISIBLE, n_hidden=(HIDDEN, UPPER), steps=(1, 1),
              learning_rate=(0.5, 0.5), momentum=(0, 0), decay=(0, 0), temperature=(1, 1))
    net.fit(data, batch_size=5, epochs=(100, 100))
    save_file(rbm.state_dict(), folder / "learnergy.safetensors")
    np.savez(folder / "learnergy-dbn.npz", **{name: value.numpy() for name, value in net.state_dict().items()})
    with torch.no_grad():
        yield "learnergy", ["learnergy.safetensors"], rbm.hidden_sampling(v)[0].numpy(), rbm.energy(v).numpy(), {}
        h = net.models[0].hidden_sampling(v)[0]
        yield "learnergy-dbn", ["learnergy-dbn.npz"], net(v).numpy(), net.models[1].energy(h).numpy(), {}


def hinton(folder):
    """The formulas of rbm.m and rbmhidlinear.m of 2006, and the files that mnistdeepauto.m saves."""
    import h5py
    import numpy as np
    from scipy.io import savemat

    rng = np.random.default_rng(SEED)
    v = inputs()

    def train(data, hidden, linear):
        w = 0.1 * rng.standard_normal((data.shape[1], hidden))
        hb, vb = np.zeros((1, hidden)), np.zeros((1, data.shape[1]))
        rate = 0.01 if linear else 0.1
        for _ in range(2000):
            x = data @ w + hb
            up = x if linear else 1 / (1 + np.exp(-x))
            h = up + rng.standard_normal(x.shape) if linear else up > rng.random(x.shape)
            down = 1 / (1 + np.exp(-(h @ w.T + vb)))
            x = down @ w + hb
            again = x if linear else 1 / (1 + np.exp(-x))
            w += rate / len(data) * (data.T @ up - down.T @ again)
            hb += rate * (up - again).mean(0, keepdims=True)
            vb += rate * (data - down).mean(0, keepdims=True)
        x = data @ w + hb
        return w, hb, vb, x if linear else 1 / (1 + np.exp(-x))

    vishid, hidbiases, visbiases, h = train(v, HIDDEN, linear=False)
    hidtop, toprecbiases, topgenbiases, code = train(h, UPPER, linear=True)
    free_energy = -(v @ visbiases[0]) - np.logaddexp(0, v @ vishid + hidbiases).sum(1)
    # Of Gaussian units of unit variance: an integral in place of a sum.
    code_energy = -(h @ topgenbiases[0]) - (0.5 * code**2 + 0.5 * np.log(2 * np.pi)).sum(1)

    lower = {"vishid": vishid, "hidrecbiases": hidbiases, "visbiases": visbiases, "note": "a text beside the weights"}
    savemat(folder / "mnistvh.mat", lower, do_compression=True)
    savemat(folder / "mnistpo.mat", {"hidtop": hidtop, "toprecbiases": toprecbiases, "topgenbiases": topgenbiases})
    # Version 7.3 is HDF5 behind 512 bytes, matrices transposed.
    with h5py.File(folder / "v73.mat", "w", userblock_size=512, libver="earliest") as file:
        for name, value in (("vishid", vishid), ("hidbiases", hidbiases), ("visbiases", visbiases)):
            file[name] = value.T
    with open(folder / "v73.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    yield "hinton", ["mnistvh.mat"], h, free_energy, {}
    yield "hinton-v73", ["v73.mat"], h, free_energy, {}
    # The order of the files does not matter.
    yield "hinton-stack", ["mnistpo.mat", "mnistvh.mat"], code, code_energy, {}


def energies(folder, model):
    """Run by an interpreter that has adabmDCA: the energies that it computes of the sequences in a folder, by a model
    there. Without sequences both are written first, by its own functions."""
    import torch
    from adabmDCA.alphabet import get_tokens
    from adabmDCA.io import load_chains, load_params, save_chains, save_params
    from adabmDCA.statmech import compute_energy

    at, tokens, double = torch.device("cpu"), get_tokens("protein"), torch.float64
    sequences = folder / "sequences.fasta"
    if not sequences.exists():
        torch.manual_seed(SEED)
        q = len(tokens)
        couplings = 0.1 * torch.randn(SITES, q, SITES, q)
        couplings = couplings + couplings.permute(2, 3, 0, 1)
        save_params(str(folder / model), {"bias": torch.randn(SITES, q), "coupling_matrix": couplings}, tokens)
        save_chains(str(sequences), torch.randint(0, q, (SAMPLES, SITES)), tokens)
    (states,) = load_chains(str(sequences), tokens, device=at, dtype=double)
    energy = compute_energy(states, load_params(str(folder / model), tokens, at, double))
    (folder / "energies.json").write_text(json.dumps(energy.tolist()))


def potts(dbn, python, folder):
    """A Potts model of adabmDCA goes in and out again; whether all energies are the same."""
    passed, model = True, folder / "potts.safetensors"
    for name in ("adabmdca.dat", "exported.dat"):
        if name == "exported.dat":
            subprocess.run([dbn, "export", "-q", model, "--as", "adabmdca", "--out", folder / name], check=True)
        subprocess.run([python, __file__, "--energies", folder, name], check=True)
        theirs = json.loads((folder / "energies.json").read_text())
        subprocess.run([dbn, "import", "-q", folder / name, "--out", model], check=True)
        table, data = folder / "scores.csv", f"fasta:{folder / 'sequences.fasta'}"
        subprocess.run([dbn, "encode", "-q", model, "--data", data, "--free-energy", "--out", table], check=True)
        ours = [float(row["free_energy"]) for row in csv.DictReader(table.open())]
        far = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
        print(f"{name:18}energies within {far:.1e}")
        passed &= far <= ENERGY_TOLERANCE
    return passed


def make(source, folder):
    """Run by an interpreter that has the package."""
    write_csv(folder / "inputs.csv", inputs())
    scores = {}
    for name, files, hidden, free_energy, more in globals()[source](folder):
        scores[name] = {"files": files, "hidden": hidden.tolist(), "free_energy": free_energy.tolist(), **more}
    (folder / f"{source}.json").write_text(json.dumps(scores, indent=1) + "\n")


def interpreter(source, candidates):
    """One that has what the source needs; the last resort is a virtual environment of our own."""
    for python in candidates:
        if subprocess.run([python, "-c", f"import {MODULES[source]}"], capture_output=True).returncode == 0:
            return python
    python = pathlib.Path(".venv-import/bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ".venv-import"], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES[source]], check=True)
    return str(python)


def write_csv(path, rows):
    path.write_text("\n".join(",".join(str(int(x)) for x in row) for row in rows) + "\n")


def encode(dbn, model, data):
    """dbn's features and free energies of the samples of a file."""
    out = model.with_suffix(".csv")
    subprocess.run([dbn, "encode", "-q", model, "--data", f"csv:{data}", "--free-energy", "--out", out], check=True)
    rows = list(csv.reader(out.open()))
    energy = rows[0].index("free_energy")
    values = [[float(x) for x in row] for row in rows[1:]]
    return [row[:energy] for row in values], [row[energy] for row in values]


def worst(ours, theirs):
    """The largest difference, relative to values of at least 1."""
    if isinstance(theirs, list):
        assert len(ours) == len(theirs), (len(ours), len(theirs))
        return max(map(worst, ours, theirs))
    return math.inf if math.isnan(ours) else abs(ours - theirs) / max(1.0, abs(theirs))


def check(dbn, folder, name, scores, scratch):
    model = scratch / f"{name}-imported.safetensors"
    files = [folder / file for file in scores["files"]]
    subprocess.run([dbn, "import", "-q", *files, *scores.get("options", []), "--out", model], check=True)
    hidden, free_energy = encode(dbn, model, folder / "inputs.csv")
    differences = {"hidden": worst(hidden, scores["hidden"]), "free_energy": worst(free_energy, scores["free_energy"])}
    if "flipped" in scores:
        write_csv(scratch / "flipped.csv", scores["flipped"])
        _, flipped = encode(dbn, model, scratch / "flipped.csv")
        ours = [-VISIBLE * math.log1p(math.exp(a - b)) for a, b in zip(free_energy, flipped)]
        differences["score_samples"] = worst(ours, scores["score_samples"])
    print(f"{name:18}" + "  ".join(f"{what} within {far:.1e}" for what, far in differences.items()))
    return max(differences.values()) <= TOLERANCE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dbn", default="target/debug/dbn", help="the binary")
    parser.add_argument("--python", action="append", help="an interpreter that has some of the packages")
    parser.add_argument("--golden", type=pathlib.Path, help="folder to keep models and scores in")
    parser.add_argument("--make", nargs=2, metavar=("SOURCE", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--energies", nargs=2, metavar=("FOLDER", "MODEL"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.energies:
        return energies(pathlib.Path(args.energies[0]), args.energies[1])
    if args.make:
        return make(args.make[0], pathlib.Path(args.make[1]))

    named = os.environ.get("DBN_IMPORT_PYTHON")
    candidates = args.python or (named.split(":") if named else [sys.executable])
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        folder = args.golden or scratch
        folder.mkdir(parents=True, exist_ok=True)
        passed = True
        for source in PACKAGES:
            python = interpreter(source, candidates)
            if source == "adabmdca":
                passed &= potts(args.dbn, python, scratch)
                continue
            subprocess.run([python, __file__, "--make", source, folder], check=True)
            for name, scores in json.loads((folder / f"{source}.json").read_text()).items():
                passed &= check(args.dbn, folder, name, scores, scratch)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
