"""Regular languages: how a small transformer learns them, and what becomes of it on longer strings."""

from __future__ import annotations

from dataclasses import replace

from loopwright.core import AdamW, Claim, Cosine, Expect, Experiment
from loopwright.tasks.regular.language import RegularLanguages
from loopwright.tasks.regular.settings import CorpusSettings


def fsm_parity() -> Experiment:
    """(b*ab*a)*b*: an even number of a."""
    return language("fsm-parity", "(b*ab*a)*b*")


def language(name: str, *patterns: str, alphabet: str = "ab") -> Experiment:
    """A transformer on the strings of one language or several."""
    return Experiment(
        name=name,
        task=RegularLanguages(patterns=patterns, alphabet=alphabet),
        steps=1500,
        batch_size=64,
        optimizer=AdamW(lr=2e-3, weight_decay=0.01, betas=(0.9, 0.98)),
        schedule=Cosine(warmup=100),
        clip_norm=1.0,
        eval_every=250,
        metric="loss",
        mode="min",
    )
