"""What laboratories measure: contacts, mutations and generated sequences of protein families, and the 2-D Ising model.

    python3 bench/laboratory.py kunitz generation lattice lactamase ising ladder --proteins DIR [--dbn target/release/dbn] [--keep DIR]

| name | data | measured |
|---|---|---|
| kunitz | PF00014, 8,871 different sequences of 53 sites, weighed at 80 % identity | contacts (8 Angstrom, 5 or more apart), quality |
| generation | four fifths of the same sequences, in a shuffled order (seed 7) | `dbn quality` with the last fifth |
| lattice | 36,265 lattice proteins of the fold S_A, 27 sites | its 28 native contacts |
| lactamase | PF13354, 7,515 different sequences of 202 sites | contacts, and Spearman's correlation with a deep mutational scan of TEM-1 |
| ising | 20,000 samples of 8 x 8 spins at beta 0.44 | energy and heat capacity of the model's samples beside exact ones |
| ladder | an RBM that is the 8 x 8 Ising model exactly | `dbn thermodynamics` beside exact sums |

DIR has PF00014.fasta.gz, PF13354.fasta.gz, lattice_SA.fasta.gz, PF00014_distances.dat.gz, PF13354_distances.dat.gz (columns i, j,
score, distance, of pagnani/ArDCAData) and BLAT_dms.csv.gz (of debbiemarkslab/DeepSequence). Needs numpy. `--threads 1` was used.
"""

import argparse
import csv
import gzip
import json
import math
import pathlib
import random
import struct
import subprocess
import tempfile

from units import MODELS, PROTEINS, sequences

LARGE_BATCHES = (f"--config {MODELS / 'protein.toml'} --batch-size 500 --persistent-chains 1000 --learning-rate 0.005 --l1b-cost 0.25 "
                 "--log-z-every 0")
OPTIONS = {
    "kunitz": f"{PROTEINS} --reweight 0.8 --epochs 40 --cd-steps 5 --l1b-cost 0.25 --averaging 0.999",
    "generation": f"{LARGE_BATCHES} --epochs 200",
    "lattice": f"{PROTEINS} --epochs 30 --cd-steps 2 --l1b-cost 0.025 --averaging 0.9995",
    "lactamase": f"{LARGE_BATCHES} --hidden 400",
    "ising": f"--config {MODELS / 'ising.toml'} --hidden 64",
    "ladder": "",
}
FILES = {"kunitz": "PF00014", "generation": "PF00014", "lattice": "lattice_SA", "lactamase": "PF13354"}
# The structure that the lattice proteins fold into.
NATIVE = ("1-18 1-20 2-23 2-25 3-26 4-7 4-23 5-22 6-9 6-11 7-24 7-26 8-15 8-27 10-13 10-15 11-22 11-24 12-19 12-21 14-17 14-19 "
          "15-24 16-25 16-27 18-25 19-24 20-23")


def fasta(path, texts):
    path.write_text("".join(f">s{k}\n{text}\n" for k, text in enumerate(texts)))
    return f"fasta:{path}"


def scan(args, folder):
    """The mutational scan as a CSV file, the wild type's letters and the number before its first residue."""
    with gzip.open(args.proteins / "BLAT_dms.csv.gz", "rt") as file:
        rows = [(row["mutant"], row["2500"]) for row in csv.DictReader(file)]
    with open(folder / "scan.csv", "w", newline="") as file:
        csv.writer(file).writerows([("mutant", "fitness"), *rows])
    letters = {int(mutant[1:-1]): mutant[0] for mutant, _ in rows}
    first, last = min(letters), max(letters)
    return "".join(letters[k] for k in range(first, last + 1)), first - 1


def measured(path, beta=0.44):
    """Energy and heat capacity of configurations in a CSV file, with the standard errors of independent ones."""
    import numpy

    with open(path) as file:
        spins = numpy.array(list(csv.reader(file))[1:], float).reshape(-1, 8, 8)
    energy = -(spins * (numpy.roll(spins, 1, 1) + numpy.roll(spins, 1, 2))).sum((1, 2))
    generator, n = numpy.random.default_rng(1), len(energy)
    error = numpy.std([beta**2 * energy[generator.integers(0, n, n)].var() for _ in range(300)])
    return (f"{path.name}: {n} samples, energy {energy.mean():.3f} +- {energy.std() / n**0.5:.3f}, "
            f"heat capacity {beta**2 * energy.var():.3f} +- {error:.3f}")


def log_z_ising(n, coupling):
    """ln Z of n x n spins on a torus by exact sums (Kaufman 1949)."""
    gamma = lambda k: math.acosh(math.cosh(2 * coupling) / math.tanh(2 * coupling) - math.cos(math.pi * k / n))
    odd = [n * gamma(2 * k + 1) / 2 for k in range(n)]
    even = [n * (2 * coupling + math.log(math.tanh(coupling))) / 2, *(n * gamma(2 * k) / 2 for k in range(1, n))]
    product = lambda of, terms: math.prod(2 * of(x) for x in terms)
    terms = product(math.cosh, odd) + product(math.sinh, odd) + product(math.cosh, even) + product(math.sinh, even)
    return n * n / 2 * math.log(2 * math.sinh(2 * coupling)) + math.log(terms / 2)


# A hidden spin on a bond with this weight to both ends makes the bond's coupling 0.44 at beta 1.
BOND = math.acosh(math.exp(2 * 0.44)) / 2


def ladder(run, folder, steps):
    """The RBM that has a hidden spin on each of the 128 bonds, at other temperatures. Summed over the hidden spins, a bond has
    2 cosh(beta w (s + s')) = a exp(J s s'): J = ln cosh(2 beta w) / 2, a = 2 sqrt(cosh(2 beta w))."""
    run("data", "make", "ising", "--size", 8, "--samples", 100, "--out", folder / "few.csv")
    run("pretrain", "-q", "--config", MODELS / "ising.toml", "--data", f"csv:{folder / 'few.csv'}", "--hidden", 128, "--epochs", 1,
        "--valid", 0, "--out", folder / "ladder-run", "--force")
    path = folder / "ladder-run" / "model.safetensors"
    data = bytearray(path.read_bytes())
    length = struct.unpack("<Q", data[:8])[0]
    weights = {"vb": [0.0] * 64, "hb": [0.0] * 128, "w_rec": [0.0] * (64 * 128), "w_gen": [0.0] * (64 * 128)}
    for site in range(64):
        row, column = divmod(site, 8)
        for bond, other in ((2 * site, row * 8 + (column + 1) % 8), (2 * site + 1, (row + 1) % 8 * 8 + column)):
            for end in (site, other):
                weights["w_rec"][end * 128 + bond] = weights["w_gen"][bond * 64 + end] = BOND
    for name, values in weights.items():
        first, last = (8 + length + k for k in json.loads(data[8:8 + length])[name]["data_offsets"])
        data[first:last] = struct.pack(f"<{len(values)}f", *values)
    path.write_bytes(data)
    run("thermodynamics", path, "--betas", "0:2:41", "--steps", steps, "--out", folder / "ladder.csv")

    def log_z(beta):
        x = math.cosh(2 * beta * BOND)
        return 128 * math.log(2 * math.sqrt(x)) + log_z_ising(8, math.log(x) / 2)

    with open(folder / "ladder.csv") as file:
        rows = [{name: float(x) for name, x in row.items() if x} for row in csv.DictReader(file)]
    print("beta: ln Z, energy, heat capacity, entropy: measured (exact)")
    worst, h = {}, 1e-3
    for row in rows[1:]:
        beta = row["beta"]
        below, here, above = (log_z(beta + k * h) for k in (-1, 0, 1))
        energy = (below - above) / (2 * h)
        exact = {"log_z": here, "energy": energy, "heat_capacity": beta**2 * (above - 2 * here + below) / h**2,
                 "entropy": here + beta * energy}
        for name, value in exact.items():
            worst[name] = max(worst.get(name, (0, 0)), (abs(row[name] - value), beta))
        if round(20 * beta) % 4 == 0:
            print(f"{beta:.2f}:", ", ".join(f"{row[name]:.3f} ({value:.3f})" for name, value in exact.items()),
                  f"; energy to {row['energy_error']:.3f}")
    print("largest error, at which beta:", {name: (round(error, 3), beta) for name, (error, beta) in worst.items()}, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=OPTIONS)
    parser.add_argument("--dbn", default="target/release/dbn")
    parser.add_argument("--proteins", type=pathlib.Path)
    parser.add_argument("--options", help="options of the training, instead of those above")
    parser.add_argument("--keep", help="folder where files and runs stay")
    args = parser.parse_args()
    dbn = pathlib.Path(args.dbn).resolve()

    def run(*words):
        words = [str(word) for word in (dbn, *words)]
        print("$ dbn", *words[1:], flush=True)
        print(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout, flush=True)

    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(args.keep or place)
        for name in args.names:
            out, test = folder / f"{name}-run", []
            if name == "ladder":
                for steps in (50, 200):
                    ladder(run, folder, steps)
                continue
            if name == "ising":
                run("data", "make", "ising", "--size", 8, "--beta", 0.44, "--samples", 20000, "--out", folder / "ising.csv")
                data = f"csv:{folder / 'ising.csv'}"
            else:
                texts = sequences(args.proteins / f"{FILES[name]}.fasta.gz")
                if name == "lattice":
                    # The last are the published test set.
                    texts = texts[:-10000]
                if name == "generation":
                    random.Random(7).shuffle(texts)
                    learned = 4 * len(texts) // 5
                    test = ["--test", fasta(folder / "others.fasta", texts[learned:])]
                    texts = texts[:learned]
                data = fasta(folder / f"{name}.fasta", texts)
            run("pretrain", "-q", "--data", data, "--valid", 0, *(args.options or OPTIONS[name]).split(), "--out", out, "--force")
            contacts = ("contacts", out, "--out", folder / f"{name}-pairs.csv", "--picture", folder / f"{name}-map.png")
            if name in ("kunitz", "lactamase"):
                distances = folder / f"{name}-distances.dat"
                distances.write_bytes(gzip.open(args.proteins / f"{FILES[name]}_distances.dat.gz").read())
                run(*contacts, "--structure", distances)
            if name == "lattice":
                native = {tuple(map(int, pair.split("-"))) for pair in NATIVE.split()}
                pairs = [(i, j) for i in range(1, 28) for j in range(i + 1, 28)]
                (folder / "native.dat").write_text("".join(f"{i} {j} {1 if (i, j) in native else 99}\n" for i, j in pairs))
                run(*contacts, "--structure", folder / "native.dat", "--separation", 3, "--first", "10,20,28")
            if name == "lactamase":
                letters, offset = scan(args, folder)
                run("score", out, "--mutations", folder / "scan.csv", "--fitness-column", "fitness", "--wild-type", letters,
                    "--offset", offset, "--out", folder / "mutants.csv", "--picture", folder / "mutants.png")
            if name in ("kunitz", "generation", "ising"):
                run("quality", out, "--steps", 1000, *test, "--picture", folder / f"{name}-quality.png")
            if name == "ising":
                run("sample", out, "--count", 20000, "--steps", 500, "--shown", 1, "--out", folder / "ising-samples.csv")
                print(measured(folder / "ising.csv"), measured(folder / "ising-samples.csv"), sep="\n", flush=True)
                run("thermodynamics", out, "--out", folder / "ladder.csv", "--picture", folder / "ladder.png")


if __name__ == "__main__":
    main()
