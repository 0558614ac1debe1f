"""Which way a metric gets better: as the configuration says of the one that decides, else by the words of its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Direction = Literal["max", "min", ""]

DOWN = set(
    re.findall(
        r"\w+",
        """
        loss losses nll entropy perplexity ppl error errors err mse rmse mae msle deviance ece mce brier kl divergence
        bpb bpc bits wer cer ter fid distance hausdorff regret gap violations duplicates seconds milliseconds latency
        time memory bytes rejected illegal misses false
        """,
    )
)
UP = set(
    re.findall(
        r"\w+",
        """
        accuracy acc f1 f precision recall sensitivity specificity auc auroc auprc ap map r2 bleu rouge meteor chrf em
        exact match iou dice jaccard score reward return returns kappa mcc correlation pearson spearman ndcg mrr hits
        success legal coverage throughput psnr ssim likelihood elbo acceptance accepted
        """,
    )
)
"""Words in names. A name is read from its end: its last known word says what it is, `loss_accuracy` is an accuracy."""


def direction(metric: str, declared: Mapping[str, str]) -> Direction:
    """`max` or `min`, whichever is better; "" where nobody knows. `declared` has what configurations say.

    >>> direction("val_loss", {}), direction("macro_f1", {}), direction("temperature", {})
    ('min', 'max', '')
    """
    if metric in declared:
        said = declared[metric]
        return "max" if said == "max" else "min" if said == "min" else ""
    for word in reversed(re.findall(r"[a-z]+\d?|\d+", metric.lower())):
        if word in DOWN:
            return "min"
        if word in UP:
            return "max"
    return ""
