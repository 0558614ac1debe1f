"""Right programs that were written to be accused, by somebody who had read the rules: nearly none of them is."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path

import pytest

from loopwright.doctor.doctor import Doctor

ATTACKED = Path(__file__).parents[2] / "doctor_score" / "attacked"
ACCUSED = {
    "adabn": "the domain that it is validated on is another one, on purpose",
    "add_group_later": "its vectors are given to the optimizer in the second epoch",
    "awgn_receiver": "noise is drawn anew in each validation, as in the channel",
    "bandit_no_context": "its input is the same at each step, since there is nothing to be seen",
    "encoder_eval_regression": "dropout is off in a part that was trained before",
    "energy_distance_1d": "each with each is what is asked for",
    "expandnet_linear": "linear layers behind each other are what is studied",
    "expert_choice": "experts choose among the samples of a batch",
    "gradmult_warm": "a factor of the gradient is 0 for the first epoch",
    "heavy_ball": "the best momentum for this quadratic lets the loss rise to fifty times its size before it falls",
    "hooks_unfreeze": "a hook keeps the gradient back for the first epoch",
    "intersample": "its samples do depend on each other, and that is what it is for",
    "mpc_warm_start": "a plan is shifted, and optimized anew, every 15 steps",
    "ncsnv2_noise": "noise of all sizes goes in as it is",
    "normalized_gd": "steps have a length of their own, and targets are raw",
    "numpy_import": "its weights come from elsewhere, and answer other questions",
    "pa_chat_ends_with_user": "the assistant speaks first, and what the user answers is masked",
    "pa_question_generation": "what stands behind the question is not to be learned",
    "per_patient_mean": "patients count alike, whatever the number of their samples",
    "pix2pix_bn": "statistics of the batch are used in tests as well",
    "re_prenet": "its dropout stays at work when it speaks, as in the paper",
    "scaler_unscaled_by_hand": "gradients are divided by the scale by hand",
    "tabular_double_q": "values begin at nothing and grow to what they should be",
    "tbptt_stages": "a recording comes in the order of time, and the state is carried on",
    "time2vec_long": "raw time goes into sines",
    "to_sort_multiset": "the order of what is to be sorted does not matter",
    "up_darts_warmup": "what chooses between its branches has an optimizer from the third epoch on",
    "up_own_optimizer": "an optimizer of its own, which is none of torch's, makes a step in four batches",
    "up_slow_by_hand": "its embedding is moved by hand, once in twenty steps",
    "up_two_models_late": "its adapter has an optimizer from the second epoch on",
}
"""Those that are accused all the same, and what they do on purpose that nothing in them tells."""


@pytest.mark.parametrize("name", sorted(path.stem for path in ATTACKED.glob("*.py")))
def test_a_right_program_is_left_alone(name, capsys):
    path = ATTACKED / f"{name}.py"
    if "transformers" in path.read_text(encoding="utf-8"):
        pytest.importorskip("transformers")
    doctor = Doctor()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about what the programs do on purpose
        with doctor:
            runpy.run_path(str(path), run_name="__main__")
    assert doctor.failures == {}
    found = [(finding.cause, finding.evidence) for finding in doctor.ranked if finding.serious]
    assert bool(found) == (name in ACCUSED), found
