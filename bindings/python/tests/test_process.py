"""What a library owes to the process that it runs in."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import deepbelief as db


def resident():
    """Bytes of memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


linux = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from /proc")


def test_an_interrupt_leaves_a_fitted_estimator(digits):
    """Ctrl-C is a signal to this process in the middle of a training that would take minutes."""
    X, _ = digits
    rbm = db.RBM(256, epochs=100_000, random_state=1)
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    started = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        rbm.fit(X)
    assert time.perf_counter() - started < 10
    timer.join()
    assert rbm.outcome_ == "interrupted" and len(rbm.history_) >= 1
    assert rbm.transform(X).shape == (len(X), 256)


def test_an_interrupt_leaves_a_fitted_net(digits):
    """In the middle of the first layer: the net is that layer as far as it came."""
    X, _ = digits
    net = db.DeepBeliefNet([256, 64], epochs=100_000, random_state=1)
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X)
    timer.join()
    assert net.outcome_ == "interrupted" and net.transform(X).shape == (len(X), 256)


def test_an_interrupt_ends_a_measurement(digits):
    X, _ = digits
    rbm = db.RBM(64, epochs=1, random_state=1).fit(X)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        rbm.gibbs(X, steps=60_000)
    timer.join()


def _codes(X):
    return db.RBM(8, epochs=2, random_state=1).fit(X).transform(X)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_trains(digits):
    X = digits[0]
    wanted = _codes(X)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, b"y" if np.array_equal(_codes(X), wanted) else b"n")
        finally:
            os._exit(0)
    os.close(write)
    assert os.read(read, 1) == b"y"
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_joblib_gives_the_same(digits, backend):
    X = digits[0][:300]
    wanted = _codes(X)
    for found in Parallel(n_jobs=2, backend=backend)(delayed(_codes)(X) for _ in range(4)):
        np.testing.assert_array_equal(found, wanted)


def test_a_spawned_child_trains(digits):
    """As on systems that do not fork: the child imports the package for itself."""
    X = digits[0][:300]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(_codes, (X,)), _codes(X))


def test_threads_of_the_caller_train_side_by_side(digits):
    X = digits[0][:300]
    wanted = _codes(X)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(_codes, [X] * 8):
            np.testing.assert_array_equal(found, wanted)


def test_it_is_a_step_of_pipelines(digits):
    X, y = digits
    pipeline = make_pipeline(db.RBM(64, epochs=10, batch_size=20, random_state=1), LogisticRegression(max_iter=2000))
    search = GridSearchCV(pipeline, {"rbm__learning_rate": [0.05, 0.1]}, cv=2, n_jobs=2)
    assert search.fit(X, y).best_score_ > 0.7


@linux
def test_a_thousand_fits_leak_nothing():
    """Each fit makes arrays, threads and a model. After a hundred to settle, 900 more may not take 20 MB."""
    X = np.eye(16, dtype=np.float32).repeat(4, axis=0)

    def fits(n):
        for seed in range(n):
            rbm = db.RBM(8, epochs=1, batch_size=16, random_state=seed).fit(X)
            rbm.transform(X)
        return resident()

    before = fits(100)
    assert fits(900) - before < 20e6


@linux
def test_bytes_are_not_copied():
    """100 MB of grey levels: learning them takes less than a tenth of that on top, samples to measure on among it."""
    program = """
        import resource, numpy as np, deepbelief as db
        X = np.random.default_rng(0).integers(0, 256, (100_000, 1000), dtype=np.uint8)
        db.RBM(4, epochs=1, n_threads=1, random_state=1).fit(X[:2000])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        db.RBM(4, epochs=1, batch_size=1000, n_threads=1, random_state=1).fit(X)
        print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / X.nbytes)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.1


def test_importing_is_quick_and_quiet():
    """Without scikit-learn, which is imported when an estimator is first asked for."""
    program = "import sys, deepbelief; print('sklearn' in sys.modules, 'pandas' in sys.modules, dir(deepbelief)[:2])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("False False ['DeepBeliefNet'") and done.stderr == ""


def test_pickles_of_untrained_estimators():
    assert pickle.loads(pickle.dumps(db.RBM(3))).hidden == 3
