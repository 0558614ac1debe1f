"""From an experiment's name to a finished run directory: registry, records, runs, studies."""

from loopwright.running.config import Origin, load_config
from loopwright.running.loading import load_model
from loopwright.running.runner import resume_run, train_one_experiment
from loopwright.running.session import Watchers

__all__ = ["Origin", "Watchers", "load_config", "load_model", "resume_run", "train_one_experiment"]
