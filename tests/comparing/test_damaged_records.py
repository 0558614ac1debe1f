"""Whatever lies in a run directory: what is there is compared, what is not there is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from making import CONFIG, make_group, make_run, write

from loopwright.comparing import compare
from loopwright.comparing import write as write_comparison
from loopwright.comparing.document import document
from loopwright.comparing.markdown import render_markdown
from loopwright.errors import RunError, UsageError
from loopwright.labels import archive

FASTER = {"optimizer.lr": 0.03}


def test_a_run_that_crashed_is_compared_by_its_history(tmp_path):
    good = make_run(tmp_path, "001", curve=[0.9, 0.6, 0.5, 0.55])
    killed = make_run(tmp_path, "002", curve=[0.9, 0.4, 0.45], config=FASTER, metrics=None)
    with (killed / "logs" / "history.jsonl").open("a") as file:
        file.write('{"kind": "step", "step": 31, "lo')
    found = compare([good, killed])
    assert found.deciding.measure.path == "val.best.loss"
    assert found.deciding.samples[1].values == [0.4]
    assert [run.status for run in found.subjects] == ["finished", "unfinished"]
    assert any("one line could not be read, the first is line 34" in note for note in found.notes)
    assert any("metrics.json is missing" in note for note in found.notes)


@pytest.mark.parametrize("name", ["config.toml", "env.json", "metrics.json", "findings.json", "logs/history.jsonl"])
@pytest.mark.parametrize(
    "content", [None, b"", b"\xff\x00{", b'{"a": ', b"[1, 2", b'{"steps": "x", "val": [], "best": 3}']
)
def test_a_file_that_is_missing_or_damaged_breaks_nothing(tmp_path, name, content):
    runs = [make_run(tmp_path, "001"), make_run(tmp_path, "002", config=FASTER)]
    path = runs[1] / name
    path.unlink() if content is None else path.write_bytes(content)
    found = compare(runs)
    assert "# " in render_markdown(document(found, pictures=False), "plots")


def test_values_of_unexpected_kinds_break_nothing(tmp_path):
    strange = {"val": {"best": [1], "last": None}, "claims": 7, "timing": "soon", "reason": {"a": 1}, "steps": 1e400}
    runs = [make_run(tmp_path, "001"), make_run(tmp_path, "002", config=FASTER)]
    write(runs[1] / "metrics.json", {"status": ["x"], "decided_by": "loss", **strange})
    write(runs[1] / "env.json", {"packages": [], "git_commit": 3, "data_sha256": {}, "command": "x", "seed": "y"})
    write(runs[1] / "findings.json", {"findings": [3, {"severity": ["error"], "cause": None}]})
    document(compare(runs), pictures=False)


def test_text_out_of_files_is_escaped(tmp_path):
    config = {"optimizer.note": "<script>alert(1)</script>|*x*"}
    runs = [make_run(tmp_path, "001"), make_run(tmp_path, "002", config=config, patch="+</pre><script>bad()</script>")]
    page = write_comparison(compare(runs), tmp_path / "out")
    assert "<script>alert" not in page.read_text()
    assert "<script>bad" not in page.read_text()
    assert "<script>alert" not in page.with_name("report.md").read_text()


def test_a_run_that_is_gone_while_it_is_read_is_left_out(tmp_path):
    runs = make_group(tmp_path, [0.5, 0.6, 0.7])

    def tell(paths):
        for path in paths:
            if path == runs[1]:
                shutil.rmtree(path)
            yield path

    found = compare(runs, tell=tell)
    assert [run.path for run in found.subjects] == [runs[0], runs[2]]
    assert f"{runs[1]} was deleted while it was read; it is left out" in found.notes


def test_one_run_alone_is_nothing_to_compare(tmp_path):
    run = make_run(tmp_path, "001")
    for runs in ([run], [run, run]):
        with pytest.raises(UsageError, match="two runs at least"):
            compare(runs)


def test_a_run_that_is_named_twice_counts_once(tmp_path):
    runs = make_group(tmp_path, [0.5, 0.6])
    (tmp_path / "toy" / "latest").symlink_to("002")
    found = compare([*runs, tmp_path / "toy" / "latest"])
    assert len(found.subjects) == 2
    assert any("named twice" in note for note in found.notes)


def test_what_is_no_run_is_refused_with_what_may_be_meant(tmp_path):
    run = make_run(tmp_path, "001")
    with pytest.raises(RunError, match=r"no such run; did you mean '.*toy/001'"):
        compare([run, tmp_path / "toy" / "01"])
    (tmp_path / "empty").mkdir()
    for other in (tmp_path / "empty", run / "metrics.json"):
        with pytest.raises(RunError, match="not a run"):
            compare([run, other])
    (run / "code.diff").unlink()
    (run / "code.diff").symlink_to("/etc/hostname")
    with pytest.raises(RunError, match="a link out of the run"):
        compare([run, make_run(tmp_path, "002")])


def test_a_directory_of_runs_stands_for_them_and_a_study_for_its_members(tmp_path):
    make_group(tmp_path, [0.5, 0.6])
    assert len(compare([tmp_path / "toy"]).subjects) == 2
    study = tmp_path / "lengths" / "001"
    for name, rate in (("short", 0.1), ("long", 0.2)):
        made = make_run(tmp_path / "made", name, config={"member": name, "optimizer.lr": rate})
        shutil.copytree(made, study / "members" / name / "001")
    (study / "config.toml").write_text('experiment = "lengths"\n')
    write(study / "env.json", {"members": ["short", "long"]})
    found = compare([study])
    assert [group.label for group in found.groups] == ["optimizer.lr 0.2", "optimizer.lr 0.1"]
    assert any("is a study; its 2 members" in note for note in found.notes)


def test_runs_are_named_below_the_usual_root_too_and_archived_ones_are_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = make_group(tmp_path / "runs", [0.5, 0.6, 0.7])
    (tmp_path / "runs" / "toy" / "latest").symlink_to("003")
    assert len(compare([Path("toy/001"), Path("toy/latest")]).subjects) == 2
    archive(runs[1])
    found = compare([Path("toy")], baseline=Path("toy/003"))
    assert [run.name for run in found.subjects] == ["toy/001", "toy/003"]
    assert found.notes == ("archived runs of runs/toy are left out: 002",)


def test_every_number_that_is_not_finite_is_shown_and_none_breaks_the_json(tmp_path):
    runs = [make_run(tmp_path, "001"), make_run(tmp_path, "002", config=FASTER, curve=[float("nan")] * 4)]
    write(runs[1] / "metrics.json", {"status": "finished", "val": {"best": {"loss": "nan"}, "last": {"loss": "inf"}}})
    page = write_comparison(compare(runs), tmp_path / "out")
    content = json.loads(page.with_name("comparison.json").read_text(), parse_constant=pytest.fail)
    assert content["results"][0]["groups"]["B"]["not_finite"] == ["0"]
    assert "gave no finite number" in page.with_name("report.md").read_text()


def test_a_config_with_thousands_of_levels_or_keys_is_read(tmp_path):
    runs = [make_run(tmp_path, "001"), make_run(tmp_path, "002")]
    deep = "\n".join(f"[{'.'.join(['a'] * depth)}]\nx = {depth}" for depth in range(1, 90))
    (runs[1] / "config.toml").write_text(f"seed = {CONFIG['seed']}\n{deep}\n")
    assert len(compare(runs).keys) >= 89


def test_numbers_too_large_for_a_sum_count_as_not_finite(tmp_path):
    runs = [make_run(tmp_path, f"00{n}", config={"seed": n}, val=1e308) for n in (1, 2)]
    found = compare([make_run(tmp_path, "003", config={"optimizer.lr": 0.03}), *runs])
    assert "gave no finite number" in found.deciding.judgements[1].text
