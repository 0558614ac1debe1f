from __future__ import annotations

import csv
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from loopwright.cli.main import main
from loopwright.core import Experiment, State
from loopwright.errors import ConfigError, DataError
from loopwright.experiments.tabular import tabular, tabular_breast_cancer, tabular_digits
from loopwright.protocols import SPLITS
from loopwright.tasks.baselines import fit_baselines, load_baseline, save_baseline
from loopwright.tasks.packages import require_packages
from loopwright.tasks.tabular import Scaler, Tabular

HEAD = ["height", "width", "constant", "kind"]


def flowers(n: int = 60) -> list[list[object]]:
    """Two kinds that differ in height, with a third column that never changes."""
    rng = np.random.default_rng(0)
    return [[5 * (i % 2) + rng.random(), 100 * rng.random(), 7, ("rose", "tulip")[i % 2]] for i in range(n)]


def write_csv(path: Path, rows: list[list[object]]) -> Path:
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return path


@pytest.fixture
def table(tmp_path):
    return write_csv(tmp_path / "flowers.csv", flowers())


def artifacts(task: Tabular, directory: Path) -> dict[str, dict]:
    """The tables that an untrained model leaves."""
    torch.manual_seed(0)
    with torch.no_grad():
        task.artifacts(task.model().eval(), directory)
    return {path.stem: json.loads(path.read_text()) for path in directory.glob("*.json")}


def test_the_splits_are_stratified_and_hold_every_row_once():
    task = Tabular()
    rows = np.concatenate([task.rows[split] for split in SPLITS])
    assert sorted(rows) == list(range(178))
    for split, fraction in (("train", 0.7), ("val", 0.15), ("test", 0.15)):
        counts = np.bincount(task.table.labels[task.rows[split]])
        assert np.all(np.abs(counts - fraction * np.bincount(task.table.labels)) <= 1)


def test_training_rows_have_mean_zero_and_deviation_one_and_a_constant_stays_harmless(table):
    train = Tabular(table, "kind").data.splits["train"]["x"].double()
    # float32 keeps 7 digits of numbers around 1
    torch.testing.assert_close(train.mean(0), torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-6)
    expected = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(train.std(0, correction=0), expected, rtol=0, atol=1e-6)


def test_nothing_of_the_other_splits_reaches_the_scaler(tmp_path, table):
    task = Tabular(table, "kind")
    train = set(task.rows["train"].tolist())
    rows = [row if i in train else [1e6 + i, -1e6, 1e6, row[3]] for i, row in enumerate(flowers())]
    changed = Tabular(write_csv(tmp_path / "changed.csv", rows), "kind")
    assert changed.scaler.mean.tobytes() == task.scaler.mean.tobytes()
    assert changed.scaler.spread.tobytes() == task.scaler.spread.tobytes()
    assert changed.data.splits["train"]["x"].equal(task.data.splits["train"]["x"])
    assert not changed.data.splits["test"]["x"].equal(task.data.splits["test"]["x"])


def test_nothing_of_the_other_splits_reaches_the_baselines(tmp_path, table):
    task = Tabular(table, "kind")
    train = set(task.rows["train"].tolist())
    rows = [row if i in train else [1e6 + i, -1e6, 1e6, row[3]] for i, row in enumerate(flowers())]
    changed = Tabular(write_csv(tmp_path / "changed.csv", rows), "kind")
    features, _ = task.part("test")
    one, other = fit_baselines(*task.part("train")), fit_baselines(*changed.part("train"))
    for name, model in one.items():
        assert np.array_equal(model.predict_proba(features), other[name].predict_proba(features)), name


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=1, max_size=20))
def test_a_scaler_never_divides_by_zero(rows):
    features = np.array(rows)
    assert np.isfinite(Scaler.fit(features)(features)).all()


def test_a_constant_feature_is_only_moved_to_zero():
    scaler = Scaler.fit(np.full((10, 1), 0.1))  # whose standard deviation comes out above 0
    assert scaler(np.array([[2.1]])).item() == pytest.approx(2.0)


def test_baselines_stand_beside_the_network_in_one_table(tmp_path):
    tables = artifacts(Tabular("breast-cancer"), tmp_path)
    assert tables["baselines"]["columns"] == ["model", "test accuracy", "test macro-F1", "test mistakes"]
    network, majority, regression, trees = tables["baselines"]["rows"]
    assert network[0] == "MLP (best checkpoint)"
    assert majority == ["majority class", pytest.approx(53 / 85), pytest.approx(53 / 138), 32]
    assert regression[0] == "logistic regression"
    assert regression[1] > 0.95
    assert trees[0] == "gradient-boosted trees"
    assert trees[1] > 0.95
    assert "the same 398 rows and tested on the same 85" in tables["baselines"]["note"]
    assert "also occur in a training row, with another label: 0." in tables["baselines"]["note"]
    assert tables["confusion-matrix"]["columns"] == ["label \\ predicted", "malignant", "benign"]
    assert [row[0] for row in tables["per-class"]["rows"][:2]] == ["malignant", "benign"]
    assert sum(map(sum, [row[1:] for row in tables["confusion-matrix"]["rows"]])) == 85
    assert len(tables["scaler"]["rows"]) == 30


def test_accuracy_and_macro_f1_are_those_of_scikit_learn(tmp_path):
    from sklearn.metrics import accuracy_score, f1_score

    task = Tabular()
    rows = artifacts(task, tmp_path)["baselines"]["rows"]
    features, labels = task.part("test")
    for name, accuracy, macro_f1, mistakes in rows[1:]:
        predicted = load_baseline(tmp_path / f"{name.replace(' ', '-')}.skops").predict(features)
        # scikit-learn adds the classes up in another order
        assert accuracy == pytest.approx(accuracy_score(labels, predicted), abs=1e-15)
        assert macro_f1 == pytest.approx(f1_score(labels, predicted, average="macro"), abs=1e-15)
        assert mistakes == np.count_nonzero(predicted != labels)


def test_rows_that_repeat_another_are_left_out_before_the_split(tmp_path):
    rows = [*flowers(), *flowers()]
    once, twice = (Tabular(write_csv(tmp_path / f"{len(r)}.csv", r), "kind") for r in (flowers(), rows))
    assert twice.data.sha256() == once.data.sha256()
    train, test = ({row.tobytes() for row in twice.part(split)[0]} for split in ("train", "test"))
    assert not train & test


def test_the_note_counts_test_rows_that_contradict_a_training_row(tmp_path):
    rows = [[float(i // 2), 0, 0, ("rose", "tulip")[i % 2]] for i in range(60)]
    task = Tabular(write_csv(tmp_path / "twins.csv", rows), "kind")
    train, test = ([row.tobytes() for row in task.part(split)[0]] for split in ("train", "test"))
    assert f"with another label: {sum(row in train for row in test)}." in task.note()


def test_persisted_models_predict_the_same_bits(tmp_path, table):
    task = Tabular(table, "kind")
    features, _ = task.part("test")
    for name, model in fit_baselines(*task.part("train")).items():
        save_baseline(model, tmp_path / "model.skops")
        again = load_baseline(tmp_path / "model.skops")
        assert np.array_equal(again.predict_proba(features), model.predict_proba(features)), name


def test_a_model_file_that_could_run_code_is_not_loaded(tmp_path, table):
    from sklearn.preprocessing import FunctionTransformer

    save_baseline(FunctionTransformer(np.exp), tmp_path / "fine.skops")
    assert load_baseline(tmp_path / "fine.skops") is not None
    save_baseline(FunctionTransformer(main), tmp_path / "strange.skops")
    with pytest.raises(DataError, match=r"strange\.skops: needs loopwright\.cli\.main\.main, .* not loaded"):
        load_baseline(tmp_path / "strange.skops")
    with pytest.raises(DataError, match=r"flowers\.csv: not a model that skops wrote"):
        load_baseline(table)
    with pytest.raises(DataError, match=r"missing\.skops: no such file"):
        load_baseline(tmp_path / "missing.skops")
    with zipfile.ZipFile(tmp_path / "other.skops", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(DataError, match=r"other\.skops: not a model that skops wrote"):
        load_baseline(tmp_path / "other.skops")


@pytest.mark.parametrize("make", [tabular, tabular_breast_cancer, tabular_digits])
def test_every_experiment_starts_at_chance(make):
    experiment: Experiment = replace(make(), device="cpu").resolved().check()
    state = State.create(experiment)
    with torch.no_grad():
        loss = experiment.task.evaluate(state.model.eval(), "train")["loss"]
    # untrained outputs differ a little from class to class; eight seeds stayed within 7 %
    assert loss == pytest.approx(experiment.expect.initial_loss, rel=0.1)


def test_a_csv_file_of_ones_own_goes_through_the_command_line(table, tmp_path, capsys):
    arguments = ["--steps", "60", "--batch-size", "16", "--run-dir", str(tmp_path / "runs"), "--quiet"]
    assert main(["train", "tabular", "--task.data", str(table), "--task.label", "kind", *arguments]) == 0
    run = Path(capsys.readouterr().out.splitlines()[-1])
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["test"]["best"]["accuracy"] == 1.0
    assert metrics["claims"] == []
    baselines = json.loads((run / "artifacts/baselines.json").read_text())["rows"]
    assert baselines[0][1:3] == [metrics["test"]["best"]["accuracy"], metrics["test"]["best"]["macro_f1"]]
    assert len(list((run / "artifacts").glob("*.skops"))) == 3
    assert main(["evaluate", str(run), "--split", "test"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["accuracy"] == 1.0


def refused(task: Tabular) -> str:
    """The message of a task whose data cannot be had."""
    with pytest.raises(DataError) as error:
        replace(tabular(), task=task).check()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_wrong_with_a_table_is_said_before_training(tmp_path, table):
    path = tmp_path / "bad.csv"
    assert "no such file; name a CSV file, or one of wine, breast-cancer, digits" in refused(Tabular(Path("wien")))
    assert "name it with --task.label" in refused(Tabular(table))
    assert "wine: received label 'kind', but it comes with its labels" in refused(Tabular("wine", "kind"))
    assert "no label column 'kinds': did you mean 'kind'?" in refused(Tabular(table, "kinds"))
    write_csv(path, [*flowers(), [1, "tall", 7, "rose"]])
    assert "row 62, column 'width': found 'tall'" in refused(Tabular(path, "kind"))
    write_csv(path, flowers(9))
    assert "found 9 rows of data; at least 10" in refused(Tabular(path, "kind"))
    write_csv(path, flowers()[::2])
    assert "every row has the label 'rose'" in refused(Tabular(path, "kind"))
    write_csv(path, [*flowers(), [1, 2, 7, "daisy"]])
    message = refused(Tabular(path, "kind"))
    assert "column 'kind': 1 of 3 classes have a single row, such as 'daisy' in row 62" in message


def test_a_missing_package_is_named_before_training():
    with pytest.raises(ConfigError, match=r"no_such_package not installed; pip install 'loopwright\[tabular\]'"):
        require_packages("numpy", "no_such_package")


def test_a_table_smaller_than_a_batch_names_the_flag(tmp_path):
    small = Tabular(write_csv(tmp_path / "small.csv", flowers(12)), "kind")
    assert "choose --batch-size 8 or less" in refused(small)


def test_bad_input_ends_the_command_with_two_and_leaves_no_run(tmp_path, table, capsys):
    root = tmp_path / "runs"
    assert main(["train", "tabular", "--task.source", str(table), "--task.label", "knd", "--run-dir", str(root)]) == 2
    assert "did you mean 'kind'?" in capsys.readouterr().err
    assert not root.exists()
