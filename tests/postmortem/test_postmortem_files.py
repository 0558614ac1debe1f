"""What a post-mortem leaves in the run: files that keep their reader's words, whatever is in the record."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from evidence import everything, write_lab, write_run
from hypothesis import given, settings
from hypothesis import strategies as st

from loopwright.cli.main import main
from loopwright.errors import RunError
from loopwright.postmortem import examine
from loopwright.postmortem.writing import write

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["nan", "inf"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    everything(tmp_path)
    return Path("runs/points/002")


def test_the_same_record_gives_the_same_bytes(run):
    files = ("postmortem.md", "postmortem.html", "plots/postmortem-healthy.svg")
    assert write(examine(run)) == []
    first = [(run / name).read_bytes() for name in files]
    assert write(examine(run)) == []
    assert [(run / name).read_bytes() for name in files] == first


def test_words_between_the_answers_stay_and_the_answers_are_renewed(run):
    write(examine(run))
    path = run / "postmortem.md"
    path.write_text(path.read_text().replace("## What is the cause?", "My own view: impatience.\n\n## The cause"))
    (run / "findings.json").write_text("[]")
    assert write(examine(run)) == []
    text = path.read_text()
    assert "My own view: impatience.\n\n## The cause" in text
    assert "lr-too-large, seen at step 1:" not in text
    assert text.count("<!-- begin loopwright cause ") == 1


def test_an_answer_that_was_changed_or_emptied_by_hand_stays_and_is_named(run, capsys):
    write(examine(run))
    path = run / "postmortem.md"
    text = path.read_text().replace("hurt most", "hurt most, I think")
    text = re.sub(
        r"(<!-- begin loopwright healthy \w+ -->\n).*?(<!-- end loopwright healthy)", r"\1\2", text, flags=re.DOTALL
    )
    path.write_text(text)
    assert main(["postmortem", str(run)]) == 0
    assert path.read_text() == text
    said = capsys.readouterr().err
    assert "'healthy' was changed by hand" in said
    assert "'most-important' was changed by hand" in said


def test_a_file_that_somebody_wrote_is_added_to_not_replaced(run):
    mine = b"# Mine\n\nWhat I think \xff.\n"
    (run / "postmortem.md").write_bytes(mine)
    write(examine(run))
    text = (run / "postmortem.md").read_bytes()
    assert text.startswith(mine)
    assert b"## What does divergence look like here?" in text


def test_a_page_that_somebody_else_made_is_not_overwritten(run):
    (run / "postmortem.html").write_text("<html>mine")
    with pytest.raises(RunError, match=r"postmortem\.html: is there already"):
        write(examine(run))
    assert (run / "postmortem.html").read_text() == "<html>mine"
    (run / "postmortem.html").unlink()
    write(examine(run))
    write(examine(run))


def test_nothing_but_its_own_files_is_touched(run):
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    write(examine(run))
    assert {path: path.read_bytes() for path in before} == before
    new = {str(path.relative_to(run)) for path in Path().rglob("*") if path.is_file() and path not in before}
    assert {name for name in new if not name.startswith("plots/postmortem-")} == {"postmortem.md", "postmortem.html"}


def test_text_out_of_files_is_escaped_and_ends_no_block(run):
    evil = "<script>alert(1)</script> --> <!-- end loopwright evidence -->"
    said = {"severity": "error", "cause": evil, "step": 3, "evidence": evil}
    (run / "findings.json").write_text(json.dumps({"findings": [said]}))
    write(examine(run))
    page, text = (run / "postmortem.html").read_text(), (run / "postmortem.md").read_text()
    assert "<script>alert" not in page
    assert "<script>alert" not in text
    assert write(examine(run)) == []
    assert (run / "postmortem.md").read_text() == text


def test_the_page_asks_for_nothing_outside_itself(run):
    write(examine(run))
    page = (run / "postmortem.html").read_text()
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|srcset|href)=["'](?!data:|#)""", page)
    for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", (run / "postmortem.md").read_text()):
        assert (run / name).is_file(), name


@pytest.mark.parametrize("name", ["config.toml", "env.json", "metrics.json", "findings.json", "logs/history.jsonl"])
@pytest.mark.parametrize("damage", ["missing", "torn", "bytes"])
def test_missing_and_torn_files_leave_a_post_mortem_of_the_rest(run, name, damage, capsys):
    path = run / name
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "torn" else b"\x00\xff{")
    assert main(["postmortem", str(run)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "runs/points/002/postmortem.md"
    assert "What does overfitting look like here?" in (run / "postmortem.md").read_text()


@settings(max_examples=20, deadline=None)
@given(
    metrics=st.dictionaries(
        st.sampled_from(["status", "steps", "reason", "claims", "best", "members", "epochs"]), ANYTHING
    ),
    others=st.lists(ANYTHING, min_size=4, max_size=4),
)
def test_no_content_of_the_files_prevents_a_post_mortem(tmp_path_factory, metrics, others):
    root = tmp_path_factory.mktemp("project")
    run = write_run(root / "runs", "points/001", [1.0, 2.0], {})
    (run / "metrics.json").write_text(json.dumps(metrics))
    (run / "findings.json").write_text(json.dumps([{"cause": others[0], "severity": "error", "step": others[1]}]))
    (run / "env.json").write_text(json.dumps({"command": others[2]}))
    lab = write_lab(
        root / "lab", {"a": {"trials": others[3], "step": others[0]}, "b": {"p": others[1], "said": others[2]}}
    )
    write(examine(run, [lab]))
    assert (run / "postmortem.html").read_text().rstrip().endswith("</html>")


@pytest.mark.parametrize("name", ["points/001", "points/002"], ids=["well", "sick"])
def test_a_status_that_is_not_ours_is_told_as_it_is(run, name):
    other = run.parent.parent / name
    (other / "metrics.json").write_text(json.dumps({"status": "paused", "steps": 3}))
    write(examine(other))
    assert "calls the run paused" in (other / "postmortem.md").read_text()


def test_the_verb_prints_a_short_version_and_json(run, capsys):
    assert main(["postmortem", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "runs/points/002  failed, 10 steps"
    assert "  $ loopwright replay runs/points/002 --step 11" in lines
    assert main(["postmortem", str(run), "--lab", "lab/points/001", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told["happened"]] == ["what", "evidence", "cause", "fix"]
    assert len(told["questions"]) == 5
    assert told["questions"][0]["statements"][0]["run"] == "runs/points/001"


def test_bad_usage_is_said_in_a_line(run, capsys):
    assert main(["postmortem", "runs/points/009"]) == 2
    assert "no such run" in capsys.readouterr().err
    assert main(["postmortem", str(run), "--lab", "nowhere"]) == 2
    assert "nowhere is no directory" in capsys.readouterr().err


def test_the_commands_that_it_gives_for_a_real_failure_work(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    short = ["--steps", "40", "--eval-every", "10", "--quiet"]
    assert main(["train", "points", *short]) == 0
    assert main(["train", "points", *short, "--optimizer", "SGD", "--lr", "1e5", "--clip-norm", "0"]) == 3
    capsys.readouterr()
    assert main(["postmortem", "runs/points/002", "--json"]) == 0
    fix = json.loads(capsys.readouterr().out)["happened"][3]
    given = [one["command"].split()[1:] for one in fix["commands"]]
    assert [words[0] for words in given] == ["replay", "check", "train", "compare"]
    for words in given[:3]:
        assert main(words) == 0, words
    assert main(["postmortem", "runs/points/003"]) == 0
    assert "Nothing failed: 40 steps" in (tmp_path / "runs/points/003/postmortem.md").read_text()


def test_looking_back_does_not_wait_for_torch():
    code = "import sys, loopwright.cli.postmortem; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
