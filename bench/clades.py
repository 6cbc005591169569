#!/usr/bin/env python3
"""How a model of an alignment does on other branches of the family: sequences made along a tree, with coupled pairs.

    python3 bench/clades.py SEED CLADES SEQUENCES LEARNED [--dbn target/release/dbn] [--keep DIR] [-- OPTIONS OF dbn pretrain]

60 sites of 20 letters, 20 pairs of them coupled, at random fields. The ancestor of each clade is the root after 90 Gibbs steps of
a site; eight ancestors in it are 30 steps further, and so are the sequences from these. LEARNED clades train by
models/protein.toml, the others are measured. Prints mean log-likelihoods of these, of the model and of independent sites with the
frequencies of the training sequences (and one more sequence of even frequencies), in nats a sequence. Needs numpy.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
SITES, LEVELS, PAIRS, COUPLING = 60, 20, 20, 3.0
BETWEEN, WITHIN = 90, 30
PROTEIN = pathlib.Path(__file__).resolve().parent.parent / "models" / "protein.toml"


def family(seed, clades, each):
    """Clade and sequence of each."""
    random = numpy.random.default_rng(seed)
    fields = random.normal(0, 1.0, (SITES, LEVELS))
    pairs = random.permutation(SITES)[:2 * PAIRS].reshape(PAIRS, 2)
    partner, matches = -numpy.ones(SITES, int), {}
    for a, b in pairs:
        partner[a], partner[b] = b, a
        match = random.permutation(LEVELS)
        matches[a, b], matches[b, a] = match, numpy.argsort(match)

    def evolved(sequence, steps):
        sequence = sequence.copy()
        for _ in range(steps):
            site = random.integers(SITES)
            energy = fields[site].copy()
            if partner[site] >= 0:
                energy[matches[partner[site], site][sequence[partner[site]]]] += COUPLING
            p = numpy.exp(energy - energy.max())
            sequence[site] = random.choice(LEVELS, p=p / p.sum())
        return sequence

    root = evolved(random.integers(0, LEVELS, SITES), 50 * SITES)
    found = []
    for clade in range(clades):
        ancestor = evolved(root, BETWEEN)
        within = [evolved(ancestor, WITHIN) for _ in range(8)]
        found += [(clade, evolved(within[k % 8], WITHIN)) for k in range(each)]
    return found


def main():
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("seed", "clades", "sequences", "learned"):
        parser.add_argument(name, type=int)
    parser.add_argument("--dbn", default="target/release/dbn")
    parser.add_argument("--keep", help="folder where files and runs stay")
    args = parser.parse_args(words[:at])
    found = family(args.seed, args.clades, args.sequences)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(args.keep or place)
        parts = {}
        for name, fits in (("learned", lambda clade: clade < args.learned), ("others", lambda clade: clade >= args.learned)):
            parts[name] = numpy.array([sequence for clade, sequence in found if fits(clade)])
            rows = (f">{name}{k}\n{''.join(LETTERS[level] for level in row)}\n" for k, row in enumerate(parts[name]))
            (folder / f"{name}.fasta").write_text("".join(rows))
        counts = numpy.stack([(parts["learned"] == level).sum(0) for level in range(LEVELS)], 1) + 1 / LEVELS
        logs = numpy.log(counts / counts.sum(1, keepdims=True))
        alone = logs[numpy.arange(SITES)[None], parts["others"]].sum(1).mean()
        run = lambda *words: subprocess.run([args.dbn, *map(str, words)], check=True, stdout=subprocess.PIPE, text=True).stdout
        run("pretrain", "-q", "--config", PROTEIN, "--data", f"fasta:{folder}/learned.fasta", "--valid", 0, *words[at + 1:], "--out",
            folder / "run", "--force")
        said = json.loads(run("eval", folder / "run", "--data", f"fasta:{folder}/others.fasta", "--temperatures", 200, "--chains", 20,
                              "--json"))
        print("log-likelihood of other clades", json.dumps(said["log_likelihood"]), f"independent sites {alone:.2f}")


if __name__ == "__main__":
    main()
