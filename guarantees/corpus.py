"""A corpus of hostile run directories, each a way to spoil a good one: 500 cases, made by code."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from guarantees import forging
from guarantees.spoiling import Case, Place, content_of, replace_all
from guarantees.states import states
from loopwright.experiments.clipping import digits_clipping


def corpus() -> list[Case]:
    """Every case."""
    made = [*checkpoints(), *states(), *records(), *histories(), *configs(), *links(), *odd_files()]
    assert len({(case.kind, case.name) for case in made}) == len(made)
    return made


def checkpoints() -> Iterator[Case]:
    """Archives and pickles; each takes the place of every checkpoint of the run."""

    def code(number: int, place: Place) -> None:
        _, data = list(forging.calls(place.touch))[number]
        replace_all(place, forging.with_pickle(data, content_of(place)))

    def broken(number: int, place: Place) -> None:
        replace_all(place, forging.with_pickle(list(forging.broken())[number][1], {"format": 1}))

    def odd(make: Callable[[Any], Iterator[tuple[str, Any]]], number: int, place: Place) -> None:
        data = list(make(content_of(place)))[number][1]
        replace_all(place, data() if callable(data) else data)

    small = {"format": 1, "state": {"w": torch.ones(2)}}
    yield from (Case("pickle that runs code", name, partial(code, n)) for n, (name, _) in enumerate(forging.calls("x")))
    yield from (Case("broken pickle", name, partial(broken, n)) for n, (name, _) in enumerate(forging.broken()))
    for kind, make in (("forged tensor", forging.tensors), ("odd archive", forging.containers)):
        yield from (Case(kind, name, partial(odd, make, n)) for n, (name, _) in enumerate(make(small)))


def texts() -> dict[str, bytes]:
    """What may stand where JSON is expected."""
    return {
        "empty": b"",
        "null": b"null",
        "a list": b"[]",
        "a number": b"3",
        "NaN": b"NaN",
        "no UTF-8": b"\xff\xfe\x00{",
        "UTF-16": '{"status": "finished"}'.encode("utf-16"),
        "NUL bytes": b'{"status": "\x00"}' + bytes(100),
        "escaped NUL and half a pair": b'{"status": "\\u0000\\ud800", "experiment": "\\udfff"}',
        "10 MB of nesting": b"[" * 10_000_000,
        "10 MB of nested tables": b'{"a":' * 2_000_000,
        "900 levels": b'{"a":' * 900 + b"1" + b"}" * 900,
        "an integer of 10^6 digits": b'{"steps": ' + b"9" * 10**6 + b"}",
        "an integer of 4,000 digits": b'{"steps": ' + b"9" * 4000 + b', "parameters": ' + b"9" * 4000 + b"}",
        "1e999": b'{"steps": 1e999, "epochs": -1e999, "parameters": 1e999}',
        "NaN and Infinity": b'{"steps": NaN, "epochs": Infinity, "parameters": -Infinity}',
        "keys twice": b'{"status": "running", "status": "finished", "status": ["x"]}',
        "20 MB of text": b'{"status": "' + b"x" * 20_000_000 + b'"}',
        "14 MB of small lists": b"[" + b"[]," * 4_500_000 + b"[]]",
        "terminal escapes": b'{"status": "\\u001b]0;owned\\u0007\\u001b[2J\\n\\n", "experiment": "\\u001b[31m"}',
        "a script": b'{"status": "<script>alert(1)</script>", "experiment": "{{ 7*7 }}{% for x in y %}"}',
    }


SUMMARIES = {
    "finished and nothing else": '{"status": "finished"}',
    "tables that are lists": '{"status": "finished", "test": [], "val": [1], "best": [], "claims": {}, "timing": []}',
    "splits without weights": '{"status": "finished", "test": {}, "val": {"last": 3}, "train": {"best": []}}',
    "odd metrics": '{"status": "finished", "steps": "x", "best": {"step": []}, "test": {"last": {"a": []}}}',
    "claims that are odd": '{"status": "finished", "claims": [{"at_least": "x", "holds": 7}]}',
    "members that are odd": '{"status": "finished", "members": [1, {}, {"run": "../..", "experiment": {}}]}',
    "members that are none": '{"status": "running", "members": 7, "decided_by": [], "steps": {}}',
    "decided by a list": '{"status": ["finished"], "decided_by": {"metric": ["a"]}, "val": {"best": {"a": 1}}}',
}


def records() -> Iterator[Case]:
    """Files of JSON that are read by a resume, by the report, by `runs`."""
    for file in ("metrics.json", "env.json", "findings.json", "artifacts/per-class.json"):
        for name, data in texts().items():
            yield Case(f"{Path(file).name}", name, partial(put, file, data))
    for name, text in SUMMARIES.items():
        yield Case("metrics.json", name, partial(put, "metrics.json", text.encode()))
    for name, text in {
        "members": '{"members": 3}',
        "a command that is odd": '{"command": [1, {}], "packages": [], "precision": 3, "config_sha256": {}}',
    }.items():
        yield Case("env.json", name, partial(put, "env.json", text.encode()))
    odd = {
        "columns without rows": '{"columns": [1]}',
        "rows of odd lengths": '{"columns": ["a", {}], "rows": [[1], [[], {}, 3], []]}',
    }
    for name, text in odd.items():
        yield Case("per-class.json", name, partial(put, "artifacts/per-class.json", text.encode()))
        yield Case("per-class.json", f"{name}, of a finished study", partial(finished_study, text.encode()))


def finished_study(data: bytes, place: Place) -> None:
    """A record that says it is a finished study, with a table."""
    put("artifacts/per-class.json", data, place)
    put("metrics.json", b'{"status": "finished", "members": []}', place)


def put(file: str, data: bytes, place: Place) -> None:
    """`data` in the place of a file of the run."""
    path = place.run / file
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(data)


STEP = '{"kind":"step","step":%s,"epoch":%s,"lr":0.1,"samples":8,"loss":%s,"grad_norm":1,"seconds":%s}\n'


def histories() -> Iterator[Case]:
    """Histories: lines of JSON that a resume reads and goes on with."""
    for name, data in texts().items():
        yield Case("history.jsonl", name, partial(put, "logs/history.jsonl", data))
    lines = {
        "steps beyond counting": STEP % (10**30, 0, '{"total":1}', 1) + STEP % ("1e308", 0, '{"total":1}', 1),
        "steps below zero": STEP % (-5, -5, '{"total":1}', -5),
        "epochs that are odd": "".join(
            STEP % (12, odd, '{"total":1}', 1) for odd in ('"x"', "1e300", "true", "10" * 200, "[]")
        ),
        "losses that are odd": "".join(
            STEP % (1, 0, odd, 1) for odd in ("[]", "3", '"nan"', '{"total":[]}', '{"total":"x"}')
        ),
        "times that are odd": "".join(
            STEP % (11, 0, '{"total":1}', odd) for odd in ("1e308", "-1", '"x"', "9" * 400, "NaN")
        ),
        "kinds that are odd": '{"kind":[],"step":11}\n{"kind":{},"step":{}}\n{"kind":"validation","metrics":[]}\n',
        "events that are odd": '{"kind":"event","step":[],"event":{},"x":"\\u001b[2J"}\n' * 100,
        "a record that differs": STEP % (12, 0, '{"total":1e300,"x":{"y":[1]}}', 1),
        "metrics that are odd": '{"kind":"validation","step":5,"epoch":0,"metrics":{"accuracy":"x","\\ud800":1}}\n',
        "a million empty lines": "\n" * 10**6,
        "carriage returns": '{"kind":"event"}\r' * 1000,
    }
    for name, text in lines.items():
        yield Case("history.jsonl", name, partial(put, "logs/history.jsonl", text.encode()))
    yield Case(
        "history.jsonl", "50 MB in one line", partial(put, "logs/history.jsonl", b'{"kind":"' + b"x" * 50_000_000)
    )


def configs() -> Iterator[Case]:
    """What config.toml may say."""
    heads = {
        "a file outside": 'experiment = "../../evil.py:f"',
        "a file outside, with a digest": f'experiment = "../../evil.py:f"\ncode_sha256 = "{"0" * 64}"',
        "a file beside the run": 'experiment = "runs/points/001/source.py:f"\ncode_sha256 = "x"',
        "a module in the current directory": 'experiment = "evil:f"',
        "a module of Python": 'experiment = "os:system"\ncode_sha256 = "x"',
        "a module of ours": 'experiment = "loopwright.running.registry:entries"',
        "a file in a pipe": 'experiment = "/dev/stdin:f"',
        "a name with a NUL": 'experiment = "evil\\u0000.py:f"\ncode_sha256 = "x"',
        "a name of ours with dots": 'experiment = "../points"',
        "a name of 9,000 characters": f'experiment = "{"x" * 9000}"',
        "a name that is a list": 'experiment = ["points"]',
        "no name": "",
        "terminal escapes": 'experiment = "\\u001b]0;owned\\u0007"',
        "a study's member that leads out": 'experiment = "digits-clipping"\nmember = "../../../evil"',
        "a study": 'experiment = "digits-clipping"',
        "a member of no study": 'experiment = "points"\nmember = "x"',
        "format of 4,000 digits": "format = " + "9" * 4000 + '\nexperiment = "points"',
        "format below zero": 'format = -1\nexperiment = "points"',
        "a field of code": 'experiment = "points"\nname = "../../x"',
        "a digest that is a number": 'experiment = "points"\ncode_sha256 = 3',
        "epochs that never end": 'experiment = "points"\nepochs = inf',
        "epochs that are none": 'experiment = "points"\nepochs = nan',
        "a step count beyond counting": f'experiment = "points"\nsteps = {2**62}\nbatch_size = {2**62}',
        "threads by the million": 'experiment = "points"\nthreads = 1000000',
        "a device that is none": 'experiment = "points"\ndevice = "\\u0000"',
        "a seed beyond counting": f'experiment = "points"\nseed = {2**70}',
        "keep below zero": 'experiment = "points"\nkeep = -1',
        "a model too large for memory": 'experiment = "points"\n[task]\nhidden = [1000000000000000]',
        "a data set too large for memory": 'experiment = "points"\n[task]\nn = 1000000000000',
        "data from a device": 'experiment = "tabular"\n[task]\nsource = "/dev/zero"\nlabel = "y"',
        "data from a pipe": 'experiment = "tabular"\n[task]\nsource = "PIPE"\nlabel = "y"',
    }
    for name, text in heads.items():
        yield Case("config.toml", name, partial(put_config, text))
    odd = {
        "keys twice": b'experiment = "points"\nexperiment = "evil"',
        "10 MB of nesting": b"a = " + b"[" * 10_000_000,
        "900 kB of nesting in lines": b"a = " + b"[\n" * 450_000,
        "a key of 4,900 dots": b"a." * 4900 + b"b = 1",
        "4,900 tables deep in 90 lines": b"\n".join(b"[" + b"a." * 4000 + b"x%d]" % n for n in range(90)),
        "900 kB of small lists": b"a = [" + b"[],\n" * 220_000 + b"]",
        "an integer of 9,000 digits": b"steps = " + b"9" * 9000,
        "NUL bytes": b'experiment = "points\x00"',
        "no UTF-8": b"\xff\xfe",
        "half a pair": b'experiment = "\\ud800"',
        "empty": b"",
        "binary": bytes(range(256)) * 100,
    }
    for name, data in odd.items():
        yield Case("config.toml", name, partial(put, "config.toml", data))
    yield Case("study", "a member's file that names another field", partial(spoil_study, 'evil = "x"'))
    yield Case("study", "a member's file that is not TOML", partial(spoil_study, "[[[["))
    yield Case(
        "study", "a member's file with another experiment", partial(spoil_study, 'experiment = "evil:f"\nsteps = -1')
    )


def put_config(text: str, place: Place) -> None:
    """`text` as config.toml, and code that leaves a trace where it could be found."""
    evil = f"import os\nos.system({place.touch!r})\ndef f(): pass\n"
    for path in (place.run / "source.py", place.run.parents[2] / "evil.py", place.run.parents[1] / "evil.py"):
        path.write_text(evil)
    if "PIPE" in text:
        os.mkfifo(place.run.parents[2] / "data.csv")
        text = text.replace("PIPE", str(place.run.parents[2] / "data.csv"))
    put("config.toml", text.encode(), place)


def spoil_study(member: str, place: Place) -> None:
    """A study whose members' files hold `member`."""
    put("config.toml", b'experiment = "digits-clipping"', place)
    put("env.json", b'{"members": ["x"]}', place)
    put("metrics.json", b'{"status": "running", "members": []}', place)
    (place.run / "members").mkdir()
    for one in digits_clipping().members:
        (place.run / "members" / f"{one.name}.toml").write_text(member)


FILES = (
    "config.toml",
    "env.json",
    "metrics.json",
    "findings.json",
    "code.diff",
    "source.py",
    "logs/history.jsonl",
    "logs/.lock",
    "checkpoints/last.pt",
    "checkpoints/best.pt",
    "checkpoints/step-00000010.pt",
    "artifacts/confusion-matrix.json",
    "artifacts/boundary.svg",
    "plots/loss.svg",
    "report.html",
    "report.md",
)
DIRECTORIES = ("logs", "checkpoints", "artifacts", "plots", "members", "logs/tensorboard")


def links() -> Iterator[Case]:
    """Links out of the run, at every name that is read or written."""
    for name in FILES:
        yield Case("link out of the run", f"{name} to a file of the user's", partial(link, name, "keep"))
        yield Case("link out of the run", f"{name} to a file that is not there", partial(link, name, "new"))
    for name in DIRECTORIES:
        yield Case("link out of the run", f"{name} to a directory of the user's", partial(link, name, "directory"))
    yield Case("link out of the run", "the newest checkpoint to itself", partial(link, "checkpoints/last.pt", "LOOP"))
    yield Case("link out of the run", "the run to a directory of the user's", link_run)


def link(name: str, target: str, place: Place) -> None:
    """A link to something of the user's in the place of a file of the run."""
    path = place.run / name
    path.parent.mkdir(exist_ok=True)
    if target == "keep" and path.is_file():
        shutil.copy(path, place.outside / "keep")
    if target == "directory" and path.is_dir():
        shutil.copytree(path, place.outside / "directory", dirs_exist_ok=True)
        (place.outside / "directory/.mine.tmp").write_text("mine")
    remove(path)
    path.symlink_to(path.name if target == "LOOP" else place.outside / target)


def link_run(place: Place) -> None:
    """A link in the place of the run itself."""
    shutil.rmtree(place.run)
    place.run.symlink_to(place.outside / "directory")


def remove(path: Path) -> None:
    """Away with it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def odd_files() -> Iterator[Case]:
    """Pipes, devices, sockets and directories in the place of files, files in the place of directories."""
    kinds = {"a pipe": os.mkfifo, "a directory": os.mkdir, "an endless device": endless, "a socket": a_socket}
    for name in FILES:
        for kind, make in kinds.items():
            yield Case("not a plain file", f"{name} is {kind}", partial(instead, name, make))
    for name in DIRECTORIES:
        yield Case("not a plain file", f"{name} is a file", partial(instead, name, lambda path: path.write_text("x")))


def instead(name: str, make: Callable[[Path], object], place: Place) -> None:
    """Something else in the place of a file of the run."""
    path = place.run / name
    path.parent.mkdir(exist_ok=True)
    remove(path)
    make(path)


def endless(path: Path) -> None:
    """A link to a device that is read without end."""
    path.symlink_to("/dev/zero")


def a_socket(path: Path) -> None:
    """A socket, by a path that is not too long for one."""
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)
