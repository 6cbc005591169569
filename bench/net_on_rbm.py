#!/usr/bin/env python3
"""A net 784-500-2000 on an RBM of 784-500 that is there, its top started from that RBM upside down.

    python3 bench/net_on_rbm.py RBM --out runs/net [--rate 0.002] [--epochs 25] [--valid N] [--dbn target/release/dbn]

RBM is the run folder of `dbn pretrain --config models/mnist-rbm-density.toml --centred true --epochs 500`, with `--valid 10000`
for a net whose settings are chosen on digits held out. `dbn stack` trains both layers of a net, and has no option for a first
layer that is there. So a stack of two epochs is trained, its first layer is replaced in the state that it saved after it, and
the run is resumed from there. The first layer of `dbn stack` draws other random numbers than `dbn pretrain`.
"""

import argparse
import json
import pathlib
import re
import subprocess
import tempfile

import numpy
from safetensors import safe_open
from safetensors.numpy import save_file

RECIPE = pathlib.Path(__file__).resolve().parent.parent / "models" / "mnist-dbn-density.toml"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rbm", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--rate", type=float, default=0.002)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--valid", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--dbn", default="target/release/dbn")
    args = parser.parse_args()
    args.out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as place:
        first = pathlib.Path(place) / "first"
        settings = f"--centred true --start random,transposed --cd-steps 1 --learning-rate 0.05,{args.rate} --epochs 1,1"
        subprocess.run([args.dbn, "stack", "-q", "--config", RECIPE, *settings.split(), "--valid", str(args.valid), "--threads",
                        str(args.threads), "--save-every", "1", "--out", first], check=True)
        text, count = re.subn(r"(?m)^epochs = .*", f"epochs = [1, {args.epochs}]", (first / "config.toml").read_text())
        assert count == 1, text
        (args.out / "config.toml").write_text(text)
        # A line for each epoch of each layer.
        (args.out / "metrics.jsonl").write_text((first / "metrics.jsonl").read_text().splitlines(keepends=True)[0])
        with safe_open(first / "layers.previous.safetensors", "np") as file:
            header = json.loads(file.metadata()["deepbelief"])
    assert header["sizes"] == [784, 500], header["sizes"]
    # The checksum is of the layer that is replaced; a state without one is taken as it is.
    del header["content_sha256"]
    with safe_open(args.rbm / "model.safetensors", "np") as file:
        layer = {f"top.{name}": numpy.ascontiguousarray(file.get_tensor(name)) for name in ("hb", "vb", "w_rec")}
    save_file(layer, args.out / "layers.safetensors", {"deepbelief": json.dumps(header, sort_keys=True)})
    subprocess.run([args.dbn, "stack", "--resume", args.out], check=True)


if __name__ == "__main__":
    main()
