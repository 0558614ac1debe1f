"""`loopwright VERB …`: finds the verb, runs it, and turns what goes wrong into one or two lines and an exit code.

A verb's module is imported when it is asked for, so that `loopwright --help` does not wait for torch.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from traceback import print_exception

from loopwright import __version__
from loopwright.errors import LoopwrightError, UsageError, nearest, printable

VERBS = {
    "list": "the experiments there are, one line each",
    "train": "train an experiment: loopwright train NAME [--lr 1e-3 …]",
    "resume": "go on with an interrupted run: loopwright resume RUN",
    "sweep": "the same experiment over values and seeds: loopwright sweep NAME --set lr=1e-4,1e-3",
    "evaluate": "metrics of a run's checkpoint as JSON: loopwright evaluate RUN",
    "runs": "the runs there are: loopwright runs [--where 'val.accuracy > 0.9' --sort val.loss …]",
    "note": "write down what you think of a run: loopwright note RUN [TEXT]",
    "tag": "give a run tags, or take them away: loopwright tag RUN NAME… [--remove]",
    "archive": "hide runs from listings: loopwright archive RUN… [--undo]",
    "prune": "free disk: checkpoints that are neither best nor newest: loopwright prune [RUN…] [--yes]",
    "report": "make a run's report again: loopwright report RUN",
    "compare": "runs beside each other, and what is noise: loopwright compare RUN RUN…",
    "audit": "prove the promises on an experiment: loopwright audit NAME [--only CHECK,…]",
    "replay": "do one step of a run again and show it: loopwright replay RUN --step N",
    "bisect": "where two runs part, in what, and why: loopwright bisect RUN_A RUN_B",
    "check": "what is wrong with an experiment, before training: loopwright check NAME",
    "break": "break an experiment on purpose, see what is said: loopwright break NAME --all",
    "diagnose": "what a record alone tells: loopwright diagnose RUN|CSV|trainer_state.json",
    "postmortem": "what went wrong, and what the runs beside it teach: loopwright postmortem RUN",
    "watch": "run any PyTorch script under the doctor: loopwright watch SCRIPT.py [ARGS]",
    "run-all": "every experiment there is, and one page of results: loopwright run-all [--size full]",
    "new": "a project of your own, its loop in one file: loopwright new DIR [--from NAME]",
    "gate": "is a project done? tests, runs, answers: loopwright gate DIR",
    "env": "platform, versions, and how fast this machine multiplies",
}

MODULES = {"break": "breaking", "run-all": "run_all"}
"""Verbs that are no names of Python."""

HELP = f"""\
Loopwright {__version__}: the training loop you own, that proves itself.

usage: loopwright VERB [arguments]     (loopwright VERB --help for each)

{chr(10).join(f"  {verb:<10} {text}" for verb, text in VERBS.items())}

for example
  loopwright train digits-cnn --epochs 10 --lr 1e-3
  loopwright resume runs/digits-cnn/latest

options: --traceback shows where an error comes from; --version
exit codes: 0 fine; 1 it worked and the answer is bad (a claim was missed); 2 bad usage or input; 3 the run failed;
130 stopped by Ctrl-C, 143 by SIGTERM, the run saved
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (the process's own if None); the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    watched = arguments[:1] == ["watch"]  # a script's own arguments and streams are left as they are
    for stream in () if watched else (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    traceback = "--traceback" in arguments and not watched
    arguments = [argument for argument in arguments if watched or argument != "--traceback"]
    try:
        return dispatch(arguments)
    except LoopwrightError as error:
        if traceback:
            print_exception(error)
        print(printable("\n".join([f"loopwright: {error}", *getattr(error, "__notes__", ())])), file=sys.stderr)
        if error.run is not None:
            print(error.run)
        return error.exit_code
    except KeyboardInterrupt:
        print("loopwright: stopped at once; a run that has saved a checkpoint can be resumed from it", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`loopwright runs | head`); nothing more can be said on it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
            print("loopwright: out of memory; a smaller model, batch or data set may do", file=sys.stderr)
            return LoopwrightError.exit_code
        # A task's own mistake: its author needs to see where.
        print_exception(error)
        raise SystemExit(LoopwrightError.exit_code) from error


def dispatch(arguments: list[str]) -> int:
    """Run the verb that comes first. Raises UsageError where it is unknown."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if arguments[0] in ("-V", "--version"):
        print(f"loopwright {__version__}")
        return 0
    verb, *rest = arguments
    if verb not in VERBS:
        raise UsageError(f"verb {verb!r}: not known, {nearest(verb, VERBS)} `loopwright --help` shows all")
    module = importlib.import_module(f"loopwright.cli.{MODULES.get(verb, verb)}")
    return int(module.run(rest))
