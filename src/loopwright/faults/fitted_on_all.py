"""The scaler is fitted before the split: `StandardScaler().fit(X)` with all the rows there are.

Then mean and deviation of the test rows are in the training inputs. With many rows it changes next to nothing, which is
why it is seldom noticed; with few rows, or features with outliers, every number reported is too good.
"""

from __future__ import annotations

import torch

from loopwright.core.experiment import Experiment
from loopwright.faults.fault import Fault
from loopwright.faults.seams import Splits, input_name, splits_of, with_splits


def inject(experiment: Experiment) -> Experiment:
    """Standardize each feature with what all splits together say of it."""
    name = input_name(experiment)

    def fitted(splits: Splits) -> Splits:
        rows = torch.cat([tensors[name] for tensors in splits.values()])
        spread, mean = torch.std_mean(rows, dim=0)
        # A feature that is constant is only moved to 0, as scikit-learn has it.
        spread = torch.where(rows.amax(0) > rows.amin(0), spread, 1.0)
        return {split: {**tensors, name: (tensors[name] - mean) / spread} for split, tensors in splits.items()}

    return with_splits(experiment, fitted)


def has_features(experiment: Experiment) -> bool:
    """Whether a model is given two features or more, so that they can be scaled against each other."""
    name = input_name(experiment)
    return name != "" and splits_of(experiment)["train"][name][0].numel() >= 2


FAULT = Fault(
    name="fitted-on-all",
    number=8,
    line="X = StandardScaler().fit_transform(X)   (before train_test_split)",
    symptom="nothing to see in the curves; validation and test are a little too good",
    why="statistics of the rows to be tested on are known in training, so the test is no longer one",
    causes=("fitted-on-all",),
    inject=inject,
    applies=has_features,
)
