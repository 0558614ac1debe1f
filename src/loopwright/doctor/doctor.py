"""The doctor: opens and closes its eyes, asks the rules, keeps what they find, and says what it could not check.

The first steps are all looked at. Later ones now and then: whenever the number of steps has doubled, and for as long as
looking has taken no more than a small share of the time that has gone by; so a program that runs for days is slowed
down by that share at most.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterable
from typing import Any

from torch.optim import Optimizer

from loopwright.doctor import rules
from loopwright.doctor.causes import CAUSES
from loopwright.doctor.eyes import Eyes
from loopwright.doctor.eyes.scene import NEVER
from loopwright.doctor.finding import Finding, ranked
from loopwright.doctor.records import Call, Phase, Step
from loopwright.doctor.rule import MOMENTS, NEEDS, RULES, Moment, View
from loopwright.doctor.seams import Seams
from loopwright.doctor.shield import Failures, Shield

FIRST_STEPS = 8
"""So many steps of each optimizer are looked at without a gap."""
EARLY = 24
NEAR, EVERY = 2, 32
"""How many steps lie between two looks, of two steps each: until EARLY steps, and later."""
SHARE = 0.0025
"""The share of time that looking may take, after the first steps."""
PHASES, LOOKS = 6, 24
"""So many validations are looked at in any case, and so often what may be one."""
STAGES = 8
"""So many optimizers that are built later are looked at in any case."""
MOST_FINDINGS = 200
assert rules


class Doctor:
    """Watches PyTorch from `start` to `stop`, or as a context; `findings` has what was found, the first first.

    `tell` is called with each finding as it arises. Nothing that the doctor does changes what the program computes, and
    a mistake of its own only switches a part of it off (`failures`). Without `probes` the program's model is never
    called by the doctor: for programs whose models remember calls where nobody can put it back, in a global variable,
    say.
    """

    def __init__(self, tell: Callable[[Finding], None] = lambda finding: None, *, probes: bool = True) -> None:
        self.failures: Failures = {}
        self.eyes = Eyes(self.failures)
        self.scene = self.eyes.scene
        self.seams = Seams(self.eyes)
        self.tell = tell
        self.findings: list[Finding] = []
        self.probes = probes
        self.asked = {
            moment: [
                (each, Shield(f"rule {each.look.__name__}", self.failures))
                for each in RULES
                if each.moment == moment and (probes or not each.probes)
            ]
            for moment in MOMENTS
        }
        self.looks = self.reflected = 0
        self.stages = 0
        self.looked_at = 0
        self.until = FIRST_STEPS
        self.began = 0.0
        self.scene.judge, self.scene.reflect, self.scene.called = self.judge, self.reflect, self.called
        self.scene.ended, self.scene.wants_phase = self.ended, self.wants_phase
        self.scene.began_again = self.began_again

    def start(self, *, adopt: bool = False) -> Doctor:
        """Begin to watch; with `adopt` the optimizers that are there already, too."""
        self.began = time.perf_counter()
        self.seams.install()
        self.scene.open()
        if adopt:
            for each in gc.get_objects():
                if issubclass(type(each), Optimizer) and "param_groups" in vars(each):
                    self.scene.safely(self.eyes.updates.adopt, each)
        return self

    def stop(self) -> None:
        """End watching; what was seen last is judged."""
        if self.scene.stretch:
            self.scene.safely(self.scene.settle, self.scene.program.count)
        self.ask("end", View(self.scene.program, self.scene))
        self.scene.close()
        self.seams.remove()

    def __enter__(self) -> Doctor:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def share(self) -> float:
        """The share of time that looking has taken so far."""
        return self.scene.seconds / max(1e-9, time.perf_counter() - self.began)

    @property
    def rest(self) -> float:
        """How many steps nobody needs to look: until there are twice as many as at the last look, or until looking has
        taken no more than its share of the time, if steps go on taking as long as they did."""
        count = self.scene.program.count
        return min(2 * self.looked_at - count, count * (self.share / SHARE - 1))

    def wants_phase(self) -> bool:
        """Whether what may begin now should be looked at: a validation."""
        if (self.reflected < PHASES and self.looks < LOOKS) or self.share < SHARE:
            self.looks += 1
            return True
        return False

    def began_again(self) -> None:
        """An optimizer was built after others had made steps: its first steps are looked at as theirs were."""
        self.stages += 1
        if self.stages <= STAGES or self.share < SHARE:
            self.until = self.scene.program.count + FIRST_STEPS + 1
            self.scene.open()

    def ended(self) -> None:
        """A step is over: is the next one looked at?"""
        program = self.scene.program
        optimizers = program.stepping
        early = program.count < EARLY * optimizers
        if self.scene.stretch and program.count >= self.until * (optimizers if self.until == FIRST_STEPS else 1):
            self.scene.look_in((NEAR if early else EVERY) * optimizers)
            self.until = program.count
            self.scene.close()
        elif not self.scene.stretch and program.count >= self.scene.following:
            wanted, rest = program.count >= self.scene.due, self.rest
            self.scene.due = NEVER if wanted else self.scene.due
            if early or wanted or rest <= 0:
                self.looked_at = program.count
                self.until = program.count + 2 * optimizers
                self.scene.open()
            else:
                turns = EVERY * optimizers
                self.scene.look_in(math.ceil(rest / turns) * turns)

    def called(self, call: Call) -> None:
        """A model was called."""
        self.ask("call", View(self.scene.program, self.scene, call=call))

    def judge(self, step: Step) -> None:
        """A step was looked at."""
        self.ask("step", View(self.scene.program, self.scene, step=step))

    def reflect(self, phase: Phase) -> None:
        """What ran without an update was looked at."""
        self.reflected += phase.step > 0
        self.ask("phase", View(self.scene.program, self.scene, phase=phase))

    def ask(self, moment: Moment, view: View) -> None:
        """Ask the rules of a moment."""
        for each, shield in self.asked[moment]:
            if shield.name not in self.failures:
                with shield:
                    self.note(each.look(view))

    def note(self, found: Iterable[Finding]) -> None:
        """Keep findings, each cause in each place once, and once more where it has become serious; and tell of them."""
        for finding in found:
            known = {(one.cause, one.where) for one in self.findings if one.serious or not finding.serious}
            alike = [one for one in self.findings if one.cause == finding.cause]
            if (finding.cause, finding.where) in known or len(alike) >= 3 or len(self.findings) >= MOST_FINDINGS:
                continue
            self.findings.append(finding)
            with Shield("tell", self.failures):
                self.tell(finding)

    @property
    def ranked(self) -> list[Finding]:
        """The findings, the most probable cause first."""
        return ranked(self.findings)

    def unchecked(self) -> dict[str, list[str]]:
        """Why causes were not looked for: the reason, and their names."""
        found: dict[str, list[str]] = {}
        covered: set[str] = set()
        for each in RULES:
            _, seen = NEEDS[each.needs]
            if seen(self.scene.program) and (self.probes or not each.probes):
                covered |= set(each.causes)
        for each in RULES:
            reason = NEEDS[each.needs][0] if self.probes or not each.probes else "probes are left to loopwright check"
            for cause in each.causes:
                if cause not in covered and cause not in found.get(reason, []):
                    found.setdefault(reason, []).append(cause)
        known = {cause for each in RULES for cause in each.causes}
        found["not visible from outside"] = [name for name in CAUSES if name not in known]
        return found

    def summary(self) -> dict[str, Any]:
        """Plain values: what was found, what was seen, what was not checked."""
        program = self.scene.program
        return {
            "findings": [finding.as_dict() for finding in self.ranked],
            "steps": program.count,
            "backward_passes": program.backwards,
            "optimizers": [f"{held.kind}: {held.steps} steps" for held in program.held.values()],
            "validations": len(program.phases),
            "saves": program.saves,
            "saves_with_optimizer": program.resumable,
            "compiled": program.compiled,
            "not_checked": self.unchecked(),
            "failures": dict(self.failures),
            "seconds_looking": round(self.scene.seconds, 4),
        }
