from __future__ import annotations

from dataclasses import replace

from loopwright.experiments.clipping import digits_clipping
from tests.experiments.members import concluded


def test_a_table_shows_what_each_threshold_did(tmp_path):
    study = digits_clipping()
    members = tuple(replace(member, steps=8, eval_every=8) for member in study.members)
    table = concluded(replace(study, members=members), tmp_path)
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    assert [row["clip norm"] for row in rows] == [0.0, 0.0, 1.0, 1.0, 0.5, 0.5]
    assert all(row["steps clipped"] == 0 for row in rows[:2])
    assert all(row["steps clipped"] > 0 for row in rows[2:])
    assert all(row["largest norm"] > 1 for row in rows)
    assert (tmp_path / "artifacts/clipping.svg").is_file()
