"""Regular languages: a small transformer learns the automaton; what becomes of it on strings three times as long."""

from __future__ import annotations

import math
from dataclasses import replace

from loopwright.core import AdamW, Claim, Cosine, Expect, Experiment
from loopwright.tasks.regular.language import RegularLanguages
from loopwright.tasks.regular.network import Network
from loopwright.tasks.regular.settings import CorpusSettings

TRANSFORMER = Network(kind="transformer", width=64, layers=3, heads=4, positions="learned", tied=False)
CORPUS = CorpusSettings()
GRU = Network(kind="gru", width=64, layers=1, tied=False)
LEARNED = (Claim("test.best.class_accuracy", at_least=0.99), Claim("test.best.acceptance", at_least=0.99))
"""What every language here claims within the lengths of training."""


def fsm_a_plus() -> Experiment:
    """a+: the smallest language; one string of each length."""
    corpus = CorpusSettings(longest=40, accepted=40, rejected=2000, beyond=120, unseen_accepted=80, unseen_rejected=500)
    return language("fsm-a-plus", "a+", states=3, corpus=corpus, steps=600, beyond=0.98)


def fsm_ab_star() -> Experiment:
    """a*b*: every a before every b."""
    return language("fsm-ab-star", "a*b*", states=3, beyond=0.98)


def fsm_branch() -> Experiment:
    """(a|b)*c: anything, then one c."""
    return language("fsm-branch", "(a|b)*c", states=3, alphabet="abc", beyond=0.95)


def fsm_classes() -> Experiment:
    """Three classes, by how often c is read and what follows; one transition is held out of training."""
    corpus = CorpusSettings(held_out=("2:b",))
    patterns = ("(a|b)*c", "(a|b)*cc", "(a|b)*cc(a|b)+")
    made = language("fsm-classes", *patterns, states=5, alphabet="abc", corpus=corpus, beyond=0.85)
    return claiming(made, Claim("test.best.acceptance_edges", at_least=0.95))


def fsm_no_bb() -> Experiment:
    """(a|ba)*b?: no two b in a row."""
    return language("fsm-no-bb", "(a|ba)*b?", states=3, beyond=0.65)


def fsm_alternating() -> Experiment:
    """(ab)*: a and b in turn, as many of each."""
    return language("fsm-alternating", "(ab)*", states=3, beyond=0.9)


def fsm_parity() -> Experiment:
    """(b*ab*a)*b*: an even number of a; beyond the lengths of training a transformer only guesses."""
    return counted(language("fsm-parity", "(b*ab*a)*b*", states=3, steps=5000))


def fsm_mod3() -> Experiment:
    """(b*ab*ab*a)*b*: a number of a that 3 divides; beyond the lengths of training a transformer only guesses."""
    return counted(language("fsm-mod3", "(b*ab*ab*a)*b*", states=4, steps=5000))


def fsm_micro() -> Experiment:
    """32 strings of a*b* and of none; those that are trained on are learned by heart."""
    corpus = CorpusSettings(longest=8, accepted=16, rejected=16, beyond=0)
    made = language("fsm-micro", "a*b*", states=3, corpus=corpus, steps=300)
    learned = (Claim("train.last.loss", at_most=0.01), Claim("train.last.acceptance", at_least=1.0))
    chance = math.log(2) + 4 * math.log(3)
    # What comes next cannot be learned to the last: a prefix has several strings.
    task = replace(made.task, next_weight=0.0)  # type: ignore[type-var]
    return replace(made, task=task, batch_size=8, expect=Expect(initial_loss=chance, claims=learned))


def language(
    name: str,
    *patterns: str,
    states: int,
    alphabet: str = "ab",
    corpus: CorpusSettings = CORPUS,
    steps: int = 1500,
    beyond: float | None = None,
) -> Experiment:
    """A transformer on the strings of one language or several, whose automaton has `states` states; `beyond` is the
    acceptance that is claimed at up to three times the lengths of training.

    The state counts four times: that it is told at every position is what makes counting learnable.
    """
    chance = math.log(3 + len(alphabet)) + math.log(1 + len(patterns)) + 4 * math.log(states)
    made = Experiment(
        name=name,
        task=RegularLanguages(patterns, alphabet, corpus=corpus, network=TRANSFORMER, state_weight=4.0),
        steps=steps,
        batch_size=64,
        optimizer=AdamW(lr=2e-3, weight_decay=0.01, betas=(0.9, 0.98)),
        schedule=Cosine(warmup=100),
        clip_norm=1.0,
        eval_every=250,
        metric="loss",
        mode="min",
        threads=1,
        expect=Expect(initial_loss=chance, claims=LEARNED),
    )
    return made if beyond is None else claiming(made, Claim("test.best.acceptance_beyond", at_least=beyond))


def claiming(experiment: Experiment, claim: Claim) -> Experiment:
    """The same with one claim more."""
    return replace(experiment, expect=replace(experiment.expect, claims=(*experiment.expect.claims, claim)))


def counted(experiment: Experiment) -> Experiment:
    """The same for a language that has to be counted: best is what tells the states best, since the next token's loss
    says little about them; claimed beyond the lengths of training is no more than what the prefixes within them give.
    """
    chosen = replace(experiment, metric="state_nll", mode="min")
    return claiming(chosen, Claim("test.best.class_accuracy_beyond", at_least=0.65))
