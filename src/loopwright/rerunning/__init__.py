"""Steps of recorded runs done again, in memory: shown, and compared."""

from loopwright.rerunning.bisect import Bisection, bisect
from loopwright.rerunning.replay import Replay, replay

__all__ = ["Bisection", "Replay", "bisect", "replay"]
