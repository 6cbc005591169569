"""The program `dbn` that the package carries, and that both make the same models."""

import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone

import deepbelief as db


def dbn(*args, cwd):
    done = subprocess.run(
        [sys.executable, "-m", "deepbelief", *map(str, args)], capture_output=True, text=True, cwd=cwd, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def tensors(path):
    """All that a checkpoint has but its header, which says where the data come from."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__")
    return header, data[8 + size :]


def test_the_command_is_there(tmp_path):
    assert dbn("--version", cwd=tmp_path).startswith("dbn ")
    failed = subprocess.run([sys.executable, "-m", "deepbelief", "tarin"], capture_output=True, text=True)
    assert failed.returncode == 2 and "tarin" in failed.stderr


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_rbm_has_the_bits_that_dbn_gives_it(digits, tmp_path, dtype):
    X = digits[0] if dtype == np.float32 else np.round(255 * digits[0]).astype(np.uint8)
    np.save(tmp_path / "x.npy", X)
    # Python's defaults for arrays, in whose place the program takes what suits the data.
    (tmp_path / "built-in.toml").write_text(dbn("recipe", "pretrain", cwd=tmp_path))
    dbn("pretrain", "--config", "built-in.toml", "--data", "npy:x.npy", "--hidden", 12, "--epochs", 4, "--valid", 0,
        "--seed", 3, "--out", "run", cwd=tmp_path)
    db.RBM(12, epochs=4, random_state=3).fit(X).save(tmp_path / "python.safetensors")
    assert tensors(tmp_path / "python.safetensors") == tensors(tmp_path / "run" / "model.safetensors")


def test_a_stack_has_the_bits_that_dbn_gives_it(digits, tmp_path):
    X, y = digits
    np.savez(tmp_path / "d.npz", x=X, y=y)
    built_in = ("--batch-size", 100, "--learning-rate", 0.1, "--final-learning-rate", 0.01, "--binarize", "none",
                "--visible-states", "sampled")
    dbn("stack", *built_in, "--data", "npz:d.npz", "--layers", "12,10", "--epochs", 3, "--valid", 100, "--seed", 3,
        "--out", "run", cwd=tmp_path)
    net = db.DeepBeliefNet([12, 10], epochs=3, n_valid=100, random_state=3).fit(X, y)
    net.save(tmp_path / "python.safetensors")
    assert tensors(tmp_path / "python.safetensors") == tensors(tmp_path / "run" / "model.safetensors")
    loaded = db.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))


def test_what_follows_a_stack_has_the_bits_that_dbn_gives_it(digits, tmp_path):
    X, y = digits
    np.savez(tmp_path / "d.npz", x=X, y=y)
    net = db.DeepBeliefNet([12, 10], epochs=2, random_state=3).fit(X, y)
    net.save(tmp_path / "net.safetensors")
    data = ("--data", "npz:d.npz", "--valid", 0, "--seed", 3)
    dbn("finetune", "net.safetensors", *data, "--as", "classifier", "--epochs", 2, "--out", "finetuned", cwd=tmp_path)
    dbn("tune", "net.safetensors", *data, "--top-steps", "3x1,6x1", "--out", "tuned", cwd=tmp_path)
    net.finetune(X, y, epochs=2).save(tmp_path / "python-finetuned.safetensors")
    net.tune(X, y, top_steps="3x1,6x1").save(tmp_path / "python-tuned.safetensors")
    for name in ("finetuned", "tuned"):
        assert tensors(tmp_path / f"python-{name}.safetensors") == tensors(tmp_path / name / "model.safetensors")


def test_a_table_has_the_bits_that_dbn_gives_it(table, tmp_path):
    table.to_csv(tmp_path / "t.csv", index=False)
    dbn("pretrain", "--data", "csv:t.csv", "--epochs", 3, "--valid", 0, "--seed", 3, "--out", "run", cwd=tmp_path)
    # What the program recommends for a table holds here too.
    rbm = db.RBM(epochs=3, random_state=3).fit(table)
    rbm.save(tmp_path / "python.safetensors")
    assert tensors(tmp_path / "python.safetensors") == tensors(tmp_path / "run" / "model.safetensors")
    again = db.load(tmp_path / "run")
    np.testing.assert_array_equal(again.transform(table), rbm.transform(table))
    np.testing.assert_array_equal(clone(again).fit(table).components_, rbm.components_)


def test_the_hub_is_asked_by_dbn_hub(digits, tmp_path, monkeypatch):
    """A program of that name that answers as `dbn-hub` does; and what is said where there is none."""
    rbm = db.RBM(3, epochs=1, random_state=1).fit(digits[0])
    rbm.save(tmp_path / "rbm.safetensors")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(ValueError, match="cannot run dbn-hub.*it belongs beside dbn or on the PATH"):
        db.load("hf:someone/digits")
    (tmp_path / "bin").mkdir()
    hub = tmp_path / "bin" / "dbn-hub"
    answer = json.dumps(str(tmp_path / "rbm.safetensors"))
    hub.write_text(f"#!{sys.executable}\nimport sys\nassert sys.argv[-1] == 'someone/digits', sys.argv\nprint({answer!r})\n")
    hub.chmod(0o755)
    np.testing.assert_array_equal(db.load("hf:someone/digits").components_, rbm.components_)
    with pytest.raises(ValueError, match="names nothing on the Hub"):
        db.load("hf:")


def test_dbn_reads_what_python_wrote(bars, tmp_path):
    X, y = bars
    np.savez(tmp_path / "bars.npz", x=X, y=(y == "row").astype(np.int64))
    net = db.DeepBeliefNet([12, 10], epochs=30, batch_size=10, random_state=1).fit(X, (y == "row").astype(int))
    net.save(tmp_path / "net.safetensors")
    assert "16-12-10" in dbn("show", "net.safetensors", cwd=tmp_path)
    shown = json.loads(
        dbn("classify", "net.safetensors", "--data", "npz:bars.npz", "--split", "train", "--json", cwd=tmp_path)
    )
    wrong = np.mean(net.predict(X) != (y == "row"))
    assert shown["error"] == pytest.approx(wrong, abs=1e-9)
