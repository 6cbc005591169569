"""Data frames: columns by name, kinds that are inferred, missing values."""

import numpy as np
import pytest
from sklearn.base import clone

import deepbelief as db

pandas = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def rbm(table):
    return db.RBM(12, epochs=60, batch_size=20, learning_rate=0.02, random_state=1).fit(table)


def test_each_column_has_its_kind(rbm, table):
    kinds = {column["name"]: column["kind"] for column in rbm.schema_["column"]}
    assert kinds == {"age": "real", "height": "real", "colour": "categorical", "member": "binary"}
    assert list(rbm.feature_names_in_) == list(table.columns) and rbm.n_features_in_ == 4
    assert rbm.transform(table).shape == (600, 12)


def test_columns_are_found_by_name(rbm, table):
    turned = table[["member", "colour", "height", "age"]]
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        rbm.transform(turned)


def test_gaps_are_filled_by_what_is_probable(rbm, table):
    holes = table.copy()
    rng = np.random.default_rng(5)
    chosen = rng.random(600) < 0.3
    known = chosen & table["age"].notna() & table["colour"].notna()
    holes.loc[chosen, "age"] = np.nan
    filled = rbm.impute(holes)
    assert list(filled.columns) == list(table.columns) and not filled["age"].isna().any()
    assert not filled["colour"].isna().any()
    np.testing.assert_array_equal(filled.loc[~holes["age"].isna(), "age"], holes["age"].dropna())
    error = (filled["age"] - table["age"])[known].abs().mean()
    naive = (table["age"].mean() - table["age"])[known].abs().mean()
    assert error < 0.6 * naive, f"{error} against {naive}"


def test_samples_are_rows_of_the_table(rbm, table):
    drawn = rbm.sample(50, steps=200)
    assert list(drawn.columns) == list(table.columns) and len(drawn) == 50
    assert set(drawn["colour"]) <= {"grey", "brown", "red"}
    old = rbm.sample(60, given={"colour": "grey"}, steps=200)
    young = rbm.sample(60, given={"colour": "brown"}, steps=200)
    assert set(old["colour"]) == {"grey"} and old["age"].mean() > young["age"].mean() + 5


def test_anomalies_have_low_scores(rbm, table):
    rows = table.dropna().head(200)
    strange = rows.assign(age=np.where(rows["colour"] == "brown", 75.0, 5.0), height=230.0)
    assert rbm.score_samples(strange).mean() < rbm.score_samples(rows).mean() - 5


def test_models_of_tables_are_kept_whole(rbm, table, tmp_path):
    rbm.save(tmp_path / "t.safetensors")
    again = db.load(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(again.transform(table), rbm.transform(table))
    assert list(again.sample(2, steps=5).columns) == list(table.columns)


def test_polars_is_the_same(table):
    polars = pytest.importorskip("polars")
    cells = {name: [None if x != x else x for x in table[name].to_list()] for name in table.columns}
    theirs = polars.DataFrame(cells)
    parameters = {"hidden": 5, "epochs": 3, "random_state": 1}
    a, b = db.RBM(**parameters).fit(table), db.RBM(**parameters).fit(theirs)
    np.testing.assert_array_equal(a.components_, b.components_)
    filled = b.impute(theirs)
    assert isinstance(filled, polars.DataFrame) and filled["age"].null_count() == 0


def test_arrays_with_gaps_and_of_any_range():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((300, 3)) * [1, 10, 100] + [0, 50, -500]
    X[:, 2] = -500 + 10 * (X[:, 1] - 50) + rng.standard_normal(300)
    X[rng.random((300, 3)) < 0.1] = np.nan
    rbm = db.RBM(8, epochs=100, batch_size=20, learning_rate=0.01, random_state=1).fit(X)
    filled = rbm.impute(X)
    assert filled.shape == X.shape and not np.isnan(filled).any()
    np.testing.assert_array_equal(filled[~np.isnan(X)], X[~np.isnan(X)])
    assert rbm.sample(5, steps=10).shape == (5, 3)


def test_what_cannot_be_learned_is_named():
    times = pandas.DataFrame({"when": pandas.to_datetime(["2024-01-01", "2024-01-02"]), "x": [1.0, 2.0]})
    with pytest.raises(TypeError, match="column 'when' has times"):
        db.RBM().fit(times)
    unknown = pandas.DataFrame({"colour": ["red", "green"] * 20, "x": np.linspace(0, 9, 40)})
    rbm = db.RBM(3, epochs=1).fit(unknown)
    with pytest.raises(ValueError, match="purple"):
        rbm.transform(unknown.assign(colour="purple"))
    with pytest.raises(ValueError, match="feature names|Feature names|features"):
        rbm.transform(unknown[["x"]])


def test_column_types_are_the_last_word(table, tmp_path):
    whole = table.assign(age=table["age"].round())
    rbm = db.RBM(3, epochs=1, column_types={"height": "ignored"}, random_state=1).fit(whole)
    kinds = {column["name"]: column["kind"] for column in rbm.schema_["column"]}
    assert kinds["height"] == "ignored"
    rbm.save(tmp_path / "t.safetensors")
    again = clone(db.load(tmp_path / "t.safetensors")).fit(whole)
    assert again.column_types == {"height": "ignored"}
    np.testing.assert_array_equal(again.components_, rbm.components_)


def test_a_net_learns_a_table(table):
    y = table["member"].map({True: "yes", False: "no"})
    net = db.DeepBeliefNet([12, 12], epochs=40, batch_size=20, learning_rate=0.02, random_state=1)
    net.fit(table[["age", "height", "colour"]], y)
    assert net.score(table[["age", "height", "colour"]], y) > 0.75


@pytest.mark.parametrize("units", ["spin", "gaussian", "categorical"])
def test_a_model_that_does_not_say_what_its_columns_are_takes_what_its_units_have(units, tmp_path):
    rng = np.random.default_rng(1)
    X = {
        "spin": lambda: rng.choice([-1.0, 1.0], (60, 5)),
        "gaussian": lambda: 3 + 5 * rng.normal(size=(60, 4)),
        "categorical": lambda: pandas.DataFrame({"base": rng.choice(list("ACGT"), 60), "size": rng.choice(list("SML"), 60)}),
    }[units]()
    rbm = db.RBM(3, epochs=2, visible_units=units, random_state=1).fit(X)
    # As `dbn import` writes it.
    rbm._model.with_recipe("{}").save(str(tmp_path / "x.safetensors"))
    plain = db.load(tmp_path / "x.safetensors")
    values = X if units == "spin" else rbm._data(X).values()
    np.testing.assert_array_equal(plain.transform(values), rbm.transform(X).astype(np.float32))
    before = plain.components_.copy()
    assert not np.array_equal(plain.partial_fit(values).components_, before)
    samples = plain.sample(20, steps=3)
    if units == "spin":
        assert set(np.unique(samples)) == {-1.0, 1.0}
    if units == "categorical":
        np.testing.assert_array_equal(samples[:, :4].sum(axis=1), 1)
        with pytest.raises(ValueError, match="one level of the category on"):
            plain.transform(np.zeros((2, 7)))
