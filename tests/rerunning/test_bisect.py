from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace

import pytest
import torch

from loopwright.core import SGD, AdamW, Cosine, State
from loopwright.errors import RunError
from loopwright.matching.histories import history
from loopwright.rerunning.bisect import bisect
from loopwright.rerunning.differences import first_difference
from loopwright.rerunning.replay import replay
from loopwright.rerunning.trace import module_calls, trace_step
from tests.rerunning.making import OWN, ROOT, copied, edit_history, edit_json, files, resumed, trained
from tests.rerunning.own import FromFile
from tests.toys import Toy, toy

pytestmark = pytest.mark.usefixtures("in_the_repository")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained("plain", tmp_path_factory.mktemp("runs"))


def named(found):
    """The names of the causes."""
    return [cause.name for cause in found.causes]


def configured(found):
    """The settings in which the records differ."""
    return {change.name: (change.a, change.b) for change in found.changes if change.part == "config"}


def test_equal_runs_are_equal(run, tmp_path):
    other = trained("plain", tmp_path)
    before = files(run), files(other)
    found = bisect(run, other)
    assert not found.part
    assert found.changes == ()
    assert found.causes == ()
    assert found.steps.equal
    assert found.steps.agreed == 14
    assert found.validations.equal
    assert (files(run), files(other)) == before


def test_a_history_that_is_the_beginning_of_another_does_not_part_from_it(run, tmp_path):
    shorter = copied(run, tmp_path / "shorter")
    path = shorter / "logs/history.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:8]))
    found = bisect(shorter, run)
    assert not found.part
    assert not found.steps.equal
    assert (found.steps.agreed, found.steps.a_total, found.steps.b_total) == (7, 7, 14)


def test_another_seed(run, tmp_path):
    found = bisect(run, trained("plain", tmp_path, seed=1))
    assert configured(found) == {"seed": (0, 1)}
    assert {change.part for change in found.changes} == {"config", "first weights"}
    assert (found.steps.step, found.steps.agreed) == (1, 0)
    assert found.replays.difference.layer == "samples"
    assert found.replays.reproduced == (True, True)
    assert named(found) == ["another seed"]


def test_another_rate(run, tmp_path):
    found = bisect(run, trained("plain", tmp_path, optimizer=AdamW(lr=0.02)))
    assert configured(found) == {"optimizer.lr": (0.01, 0.02)}
    assert found.steps.step == found.replays.step == 1
    assert found.replays.difference.layer == "learning rate"
    assert named(found) == ["another hyper-parameter, optimizer.lr"]
    assert "with this alone taken over from B" in found.causes[0].evidence
    assert found.causes[0].remedy == "train both with the same value"


def test_a_setting_that_is_seen_later_than_it_acts(run, tmp_path):
    """Adam's decay of squares divides out of the first update; the memory that it leaves does not agree."""
    found = bisect(run, trained("plain", tmp_path, optimizer=AdamW(lr=0.01, betas=(0.9, 0.9))))
    assert found.replays.step == 1
    assert found.steps.step > 1
    assert found.replays.difference.layer == "update"
    assert found.replays.reproduced == (True, True)
    assert named(found) == ["another hyper-parameter, optimizer.betas"]


def test_another_optimizer(run, tmp_path):
    found = bisect(run, trained("plain", tmp_path, optimizer=SGD(lr=0.01)))
    assert named(found) == ["another hyper-parameter, optimizer"]
    assert "optimizer.type is AdamW in A and SGD in B" in found.causes[0].evidence


def test_an_unshuffled_order(run, tmp_path):
    found = bisect(run, trained("plain", tmp_path, shuffle=False))
    assert found.replays.difference.layer == "samples"
    assert named(found) == ["another order of the data"]


def test_another_cut_into_shards(run, tmp_path):
    found = bisect(run, trained("plain", tmp_path, shards=2))
    assert named(found) == ["another number of shards"]
    assert "1 shard in A, 2 in B" in found.replays.difference.text


def test_other_first_weights(run, tmp_path):
    found = bisect(run, trained("plain", tmp_path, init="xavier"))
    assert found.replays.difference.layer == "state"
    assert found.replays.difference.name == "model.0.weight"
    assert named(found) == ["other first weights"]


def test_another_precision(run, tmp_path):
    found = bisect(run, trained("plain", tmp_path, precision="bf16"))
    assert found.replays.difference.layer == "output"
    assert found.replays.difference.name == "0 (Linear)"
    assert "its inputs are equal" in found.replays.difference.text
    assert named(found) == ["another precision"]


def test_another_setting_of_the_task(run, tmp_path):
    found = bisect(run, trained("plain", tmp_path, task=Toy(dropout=0.3)))
    assert found.replays.difference.name == "3 (Dropout)"
    assert named(found) == ["another setting of the task, task.dropout"]


def test_several_settings_of_which_none_suffices(run, tmp_path):
    found = bisect(run, trained("plain", tmp_path, seed=1, optimizer=AdamW(lr=0.02)))
    assert named(found) == ["several settings together"]
    assert found.causes[0].remedy == "train both with the same values"


def test_another_number_of_threads(tmp_path):
    """Threads change the last bits of the weights some steps before a recorded number shows it."""
    one, two = (trained("normed", tmp_path / str(threads), threads=threads) for threads in (1, 2))
    found = bisect(one, two)
    assert found.steps.step > found.replays.step
    assert found.replays.difference.layer == "gradient"
    assert found.replays.difference.name in ("1.weight", "1.bias")  # LayerNorm's
    assert found.replays.reproduced == (True, True)
    assert found.replays.repeated == (None, None)
    assert named(found) == ["another number of threads"]


def test_a_module_with_hidden_randomness(tmp_path):
    found = bisect(trained("noisy", tmp_path), trained("noisy", tmp_path))
    assert found.steps.step == 1
    assert all(difference.name == "2 (Noise)" for difference in found.replays.repeated)
    assert named(found) == [
        "an operation that is not deterministic, or draws from the clock or from a generator of its own"
    ]
    assert found.replays.fresh == (False, False)
    assert "output 2 (Noise)" in found.causes[0].evidence
    assert "and do not seed them yourself" in found.causes[0].remedy
    assert "its inputs are equal" in found.causes[0].evidence


def test_an_operation_that_torch_refuses_is_named(tmp_path):
    found = bisect(trained("refused", tmp_path), trained("refused", tmp_path))
    assert named(found) == ["an operation that is not deterministic"]
    assert "in deterministic mode, put_ has no deterministic implementation" in found.causes[0].evidence


@pytest.mark.parametrize("name", ["fading", "counting"])
def test_state_that_is_not_in_the_checkpoint_is_found_where_a_run_was_resumed(name, tmp_path):
    found = bisect(trained(name, tmp_path), resumed(name, tmp_path, after=9, save_every=4))
    assert found.steps.step == 9
    assert named(found) == ["state that is not in the checkpoint"]
    assert "B was resumed after step 8 and parts at step 9" in found.causes[0].evidence
    assert "(1 step that it did again differs from its record)" in found.causes[0].evidence
    assert "register it as a buffer" in found.causes[0].remedy


def test_what_differs_in_one_process_alone_is_told_from_an_operation_that_is_not_deterministic(tmp_path):
    """The second run finds the list as the first left it."""
    found = bisect(*(trained("counting", tmp_path, seed=seed) for seed in (0, 0)))
    assert not found.part
    other = elsewhere(trained("counting", tmp_path), tmp_path / "other")
    found = bisect(trained("counting", tmp_path), other)
    assert found.replays.fresh == (True, True)
    assert named(found) == ["state that is not in the checkpoint"]
    assert "always the same from a fresh start" in found.causes[0].evidence
    assert " in A" not in found.causes[0].evidence


@pytest.mark.parametrize("name", ["fading", "counting"])
def test_what_is_said_of_a_record_is_what_replay_says(name, tmp_path):
    """With steps to do before it, a step has what a model remembers; begun at a checkpoint it has not."""
    a, b = trained(name, tmp_path), resumed(name, tmp_path, after=9, save_every=4)
    shutil.rmtree(a / "checkpoints")
    found = bisect(a, b)
    assert found.replays.reproduced == (True, True)
    assert tuple(replay(run, found.replays.step).equal for run in (a, b)) == (True, True)
    assert found.replays.repeated[0] is not None
    assert found.replays.fresh[0]
    assert found.replays.difference is None
    assert named(found) == ["state that is not in the checkpoint"]


def test_a_resume_is_not_blamed_for_what_the_records_explain(run, tmp_path):
    higher = Cosine(warmup=3, floor=0.2)
    found = bisect(run, resumed("plain", tmp_path, after=3, save_every=2, schedule=higher))
    assert found.steps.step > 3
    assert named(found) == ["another hyper-parameter, schedule.floor"]
    assert not bisect(run, resumed("plain", tmp_path, after=9, save_every=4)).part


def test_data_that_are_not_the_same_when_read_again(tmp_path):
    found = bisect(trained("jittery", tmp_path), trained("jittery", tmp_path))
    assert named(found) == ["data that are not the same when read again"]
    assert "in `augment` or `__getitem__`" in found.causes[0].remedy
    assert "module" not in found.causes[0].remedy


def test_what_a_launcher_sets_is_no_difference_and_another_number_of_workers_is_none_that_matters(run, tmp_path):
    other = elsewhere(run, tmp_path / "other")
    known = json.loads((other / "env.json").read_text())["variables"]
    launched = {"TORCH_NCCL_ASYNC_ERROR_HANDLING": "1", "OMP_NUM_THREADS": "7"}
    edit_json(other / "env.json", variables={**known, **launched}, workers=2)
    found = bisect(run, other)
    assert [(change.part, change.name, change.b) for change in found.changes] == [("must not matter", "workers", 2)]
    assert named(found) == ["other conditions than here"]


def test_no_step_of_two_different_experiments_is_done_again(run, tmp_path):
    found = bisect(run, trained("noisy", tmp_path))
    assert found.unrelated
    assert found.replays is None
    assert found.causes == ()


def test_a_data_file_that_was_edited(tmp_path):
    path = tmp_path / "points.txt"
    numbers = [f"{math.sin(n):.6f}" for n in range(160)]
    path.write_text("\n".join(numbers))
    a = trained("from_file", tmp_path / "a", task=FromFile(path=path))
    path.write_text("\n".join([*numbers[:5], "0.5", *numbers[6:]]))
    b = trained("from_file", tmp_path / "b", task=FromFile(path=path))
    found = bisect(a, b)
    assert found.steps.step
    assert "the data have digest" in found.refusals[0]
    assert found.refusals[1] is None
    assert found.replays is None
    assert named(found)[0] == "other data"


def test_two_data_files_are_compared_in_the_batch(tmp_path):
    for name, fifth in (("one", "0.25"), ("two", "0.5")):
        numbers = [f"{math.sin(n):.6f}" for n in range(160)]
        (tmp_path / name).write_text("\n".join([*numbers[:5], fifth, *numbers[6:]]))
    found = bisect(*(trained("from_file", tmp_path, task=FromFile(path=tmp_path / name)) for name in ("one", "two")))
    difference = found.replays.difference
    assert (difference.layer, difference.name) == ("batch", "shard 0, tensor x")
    assert difference.numbers["elements"] == 1
    assert difference.numbers["max_abs"] == 0.25
    assert named(found)[0] == "other data"


def elsewhere(run, to):
    """A record as a machine that computes otherwise would have made it: from step 9 on its numbers are others."""
    other = copied(run, to)
    for record in history(run, "step"):
        if record["step"] >= 9:
            edit_history(other, record["step"], grad_norm=record["grad_norm"] * (1 + 2**-20))
    return other


def test_another_library_version(run, tmp_path):
    other = elsewhere(run, tmp_path / "other")
    env = json.loads((other / "env.json").read_text())
    edit_json(other / "env.json", torch="2.12.0", packages={**env["packages"], "torch": "2.12.0"})
    found = bisect(run, other)
    assert found.steps.step == found.replays.step == 9
    assert found.replays.difference is None
    assert found.replays.reproduced == (True, False)
    assert named(found) == ["another library version"]
    assert f"torch is {torch.__version__} in A and 2.12.0 in B" in found.causes[0].evidence
    assert "that of the record of A; the other was made elsewhere" in found.causes[0].evidence


def test_another_processor(run, tmp_path):
    other = elsewhere(run, tmp_path / "other")
    edit_json(other / "env.json", cpu="an abacus")
    found = bisect(other, run)
    assert named(found) == ["another processor or GPU"]
    assert "cpu is an abacus in A" in found.causes[0].evidence
    assert "that of the record of B; the other was made elsewhere" in found.causes[0].evidence


def test_other_environment_variables(run, tmp_path):
    other = elsewhere(run, tmp_path / "other")
    edit_json(other / "env.json", variables={"MKL_CBWR": "COMPATIBLE"})
    found = bisect(run, other)
    assert "other environment variables" in named(found)
    assert "MKL_CBWR is not there in A and COMPATIBLE in B" in found.causes[-1].evidence


def test_a_record_that_nothing_explains(run, tmp_path):
    found = bisect(run, elsewhere(run, tmp_path / "other"))
    assert found.changes == ()
    assert found.replays.reproduced == (True, False)
    assert named(found) == ["other conditions than here"]


def test_code_that_has_changed_is_named_and_its_copy_can_be_replayed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / OWN).read_text()
    (tmp_path / "mine.py").write_text(text)
    a = trained("noiseless", tmp_path / "runs", file="mine.py")
    (tmp_path / "mine.py").write_text(text.replace("SLOPE = 1.0", "SLOPE = 1.5"))
    b = trained("noiseless", tmp_path / "runs", file="mine.py")
    found = bisect(a, b)
    assert "mine.py has changed since the run began" in found.refusals[0]
    assert named(found) == ["other code"]
    again = bisect(a, b, (f"{a}/source.py:noiseless", None))
    assert again.replays.difference.name == "2 (Sloped)"
    assert named(again) == ["other code"]


def test_validations_that_part_while_the_steps_agree(run, tmp_path):
    other = copied(run, tmp_path / "other")
    path = other / "logs/history.jsonl"
    path.write_text(path.read_text().replace('"metrics":{"loss":0', '"metrics":{"loss":1'))
    found = bisect(run, other)
    assert found.part
    assert found.steps.equal
    assert found.validations.step == 4
    assert found.replays is None
    assert named(found) == ["an evaluation that is not deterministic"]


def test_a_step_that_both_lack_checkpoints_for_is_done_from_the_beginning(run, tmp_path):
    other = elsewhere(run, tmp_path / "other")
    shutil.rmtree(other / "checkpoints")
    assert bisect(run, other).replays.origins[1].startswith("the first state")


def test_what_is_no_run_is_refused(run, tmp_path):
    with pytest.raises(RunError, match="no such run"):
        bisect(run, tmp_path / "nothing")
    study = copied(run, tmp_path / "study")
    edit_json(study / "env.json", members=["one"])
    with pytest.raises(RunError, match="a study has no steps of its own"):
        bisect(run, study)


def test_the_json_holds_everything(run, tmp_path):
    found = bisect(run, elsewhere(run, tmp_path / "other"))
    read = json.loads(json.dumps(found.as_json()))
    assert read["part"] is True
    assert read["steps"]["step"] == 9
    assert read["causes"][0]["name"] == "other conditions than here"
    assert read["replays"]["reproduced"] == [True, False]


def test_traces_of_a_step_are_compared_layer_by_layer():
    def traced(experiment, weights=None):
        state = State.create(experiment)
        if weights:
            state.model.load_state_dict(weights)
        shards = next(iter(experiment.task.data.batches(experiment.plan(), start=0)))
        return trace_step(experiment, state, experiment.cadence(), shards, module_calls)

    base = traced(toy())
    assert first_difference(base, traced(toy())) is None
    assert first_difference(base, traced(toy(clip_norm=1e-3))).layer == "update"
    assert first_difference(base, replace(base, gradients={})).layer == "gradient"


def test_a_compiled_model_is_compared_as_one_module():
    """A trace that has seen the whole model alone, as it is of a compiled one."""
    state = State.create(toy())
    shards = next(iter(toy().task.data.batches(toy().plan(), start=0)))
    whole = trace_step(toy(), state, toy().cadence(), shards, module_calls)
    only = replace(whole, calls=whole.calls[-1:])
    assert first_difference(only, whole).text == "the model (Sequential) in A, 0 (Linear) in B is called here"
    moved = replace(whole.calls[-1], outputs={"": whole.calls[-1].outputs[""] + 1})
    assert first_difference(replace(whole, calls=[moved]), whole).name == "the model (Sequential)"
