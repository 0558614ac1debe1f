"""The eyes: what the seams tell becomes records of calls, losses, steps and phases."""

from __future__ import annotations

from loopwright.doctor.eyes.byhand import UpdatesByHand
from loopwright.doctor.eyes.forwards import Forwards
from loopwright.doctor.eyes.gradients import Gradients
from loopwright.doctor.eyes.samples import Samples
from loopwright.doctor.eyes.scene import Scene
from loopwright.doctor.eyes.updates import Updates
from loopwright.doctor.shield import Failures

__all__ = ["Eyes", "Scene"]


class Eyes:
    """Everything that listens, and the scene that it fills."""

    def __init__(self, failures: Failures) -> None:
        self.scene = Scene(failures)
        self.forwards = Forwards(self.scene)
        self.updates = Updates(self.scene)
        self.gradients = Gradients(self.scene, UpdatesByHand(self.scene, self.updates))
        self.samples = Samples(self.scene)
