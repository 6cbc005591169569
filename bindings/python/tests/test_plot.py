"""Pictures: that they hold what they are said to."""

import numpy as np
import pytest

import deepbelief as db

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


def test_tiles_lie_row_by_row():
    rows = np.arange(3)[:, None] * np.ones((1, 4))
    ax = db.plot.tiles(rows, columns=2)
    sheet = ax.images[0].get_array()
    assert sheet.shape == (5, 5)
    assert sheet[0, 0] == 0 and sheet[0, 3] == 1 and sheet[3, 0] == 2 and np.isnan(np.ma.filled(sheet[3, 3], np.nan))
    with pytest.raises(ValueError, match="5 pixels are no square"):
        db.plot.tiles(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="shape is 2 x 2, but a picture has 6 pixels"):
        db.plot.tiles(np.zeros((1, 6)), (2, 2))


def test_models_draw_themselves(bars):
    X, y = bars
    import matplotlib.pyplot as plt

    rbm = db.RBM(9, epochs=2, n_valid=50, random_state=1).fit(X)
    _, axes = plt.subplots(1, 3)
    assert rbm.plot.filters(ax=axes[0]) is axes[0]
    rbm.plot.samples(4, steps=5, ax=axes[1])
    lines = rbm.plot.history(ax=axes[2]).get_lines()
    assert len(lines) == 2 and len(lines[0].get_xdata()) == 2
    net = db.DeepBeliefNet([6, 6], epochs=2, random_state=1).fit(X, y)
    net.plot.filters(4)
    net.plot.samples(4, label="row", steps=5)
    plt.close("all")
