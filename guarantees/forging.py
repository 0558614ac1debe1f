"""Checkpoints as no honest writer makes them, each with the right digest behind it, so that they are parsed."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tests.store.sealing import archive, seal

HEAD = b"\x80\x02"
CALLED = b"(X\x06\x00\x00\x00formatq\x01K\x01"


def parts_of(data: bytes) -> dict[str, bytes]:
    """The members of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def zipped(parts: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of `parts`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return buffer.getvalue()


def with_pickle(code: bytes, content: object) -> bytes:
    """The archive of `content` with other code in the place of its pickle."""
    parts = parts_of(archive(content))
    return zipped({name: code if name.endswith("data.pkl") else data for name, data in parts.items()})


def text(value: str) -> bytes:
    """The opcode that pushes a text."""
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def whole(value: int) -> bytes:
    """The opcode that pushes an integer of any size."""
    data = pickle.encode_long(value)
    return b"\x8b" + len(data).to_bytes(4, "little") + data


def calls(touch: str) -> Iterator[tuple[str, bytes]]:
    """Pickles that run the shell command `touch`, or import or build something, in every way that pickle has."""
    command = text(touch)
    python = text(f"import os; os.system({touch!r})")
    yield "reduce os.system", HEAD + b"cos\nsystem\n" + command + b"\x85R."
    yield "reduce posix.system", HEAD + b"cposix\nsystem\n" + command + b"\x85R."
    yield "reduce builtins.exec", HEAD + b"cbuiltins\nexec\n" + python + b"\x85R."
    yield (
        "reduce __builtin__.eval",
        HEAD + b"c__builtin__\neval\n" + text(f"__import__('os').system({touch!r})") + b"\x85R.",
    )
    yield "reduce subprocess.getoutput", HEAD + b"csubprocess\ngetoutput\n" + command + b"\x85R."
    yield "stack_global os.system", b"\x80\x04" + text("os") + text("system") + b"\x93" + command + b"\x85R."
    yield (
        "stack_global with a dotted name",
        b"\x80\x04" + text("os") + text("path.os.system") + b"\x93" + command + b"\x85R.",
    )
    yield "inst os.system", HEAD + b"(" + command + b"ios\nsystem\n."
    yield "obj os.system", HEAD + b"(cos\nsystem\n" + command + b"o."
    yield "newobj subprocess.Popen", HEAD + b"csubprocess\nPopen\n" + command + b"\x85\x81."
    yield "newobj_ex subprocess.Popen", b"\x80\x04csubprocess\nPopen\n" + command + b"\x85}\x92."
    yield "build on a global", HEAD + b"cos\nenviron\n}" + text("PATH") + text("/nowhere") + b"sb."
    yield "build through __setstate__", HEAD + b"cfunctools\npartial\n)\x81(cos\nsystem\n" + command + b"\x85}Ntb."
    yield "ext1 of copyreg", HEAD + b"\x82\x01" + command + b"\x85R."
    yield "persistent id as a text", HEAD + b"P" + touch.encode() + b"\n."
    yield "persistent id that is a call", HEAD + b"(" + text("module") + b"cos\nsystem\n" + command + text("x") + b"tQ."
    yield "global of torch that runs code", HEAD + b"ctorch.utils.collect_env\nrun\n" + command + b"\x85R."
    yield "global of torch.jit", HEAD + b"ctorch.jit._script\nload\n" + command + b"\x85R."
    yield "torch.load inside", HEAD + b"ctorch.serialization\nload\n" + command + b"\x85R."
    yield "numpy's loader", HEAD + b"cnumpy\nload\n" + command + b"\x85R."
    yield "runpy", HEAD + b"crunpy\nrun_path\n" + command + b"\x85R."
    yield "import of a module beside", HEAD + b"cevil\nf\n)R."
    yield "our own loader", HEAD + b"cloopwright.running.registry\nimported\n" + text("evil.py:f") + b"\x85R."
    yield (
        "a call inside a dict that looks right",
        HEAD + b"}" + CALLED + text("state") + b"cos\nsystem\n" + command + b"\x85Ru.",
    )
    yield "a pickle inside a pickle", HEAD + b"cpickle\nloads\n" + b"U\x04cos\n" + b"\x85R."
    yield (
        "getattr chain",
        HEAD + b"cbuiltins\ngetattr\ncos\nsystem\n" + text("__call__") + b"\x86R" + command + b"\x85R.",
    )
    yield "setattr on torch", HEAD + b"cbuiltins\nsetattr\n(ctorch\nTensor\n" + text("x") + b"K\x01tR."


def broken() -> Iterator[tuple[str, bytes]]:
    """Pickles that call nothing and ask for too much, or end too early."""
    yield "no stop", HEAD + b"}"
    yield "empty", b""
    yield "a stack that underflows", HEAD + b"0."
    yield "a memo that is not there", HEAD + b"h\x07."
    yield "a text of 2^62 bytes", b"\x80\x04\x8d" + (2**62).to_bytes(8, "little") + b"x."
    yield "bytes of 2^62 bytes", b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b"x."
    yield "an integer of a negative length", HEAD + b"\x8b" + b"\xff\xff\xff\xff" + b"."
    yield (
        "an integer of 10^6 bytes",
        HEAD + b"}" + text("format") + b"\x8b" + (10**6).to_bytes(4, "little") + b"\x7f" * 10**6 + b"s.",
    )
    yield "a bytearray of 10^11 bytes", HEAD + b"cbuiltins\nbytearray\n" + whole(10**11) + b"\x85R."
    yield "bytearrays of 10^9 bytes", HEAD + b"]" + (b"cbuiltins\nbytearray\n" + whole(10**9) + b"\x85Ra") * 8 + b"."
    yield "a codec by name", HEAD + b"c_codecs\nencode\n" + text("x") + text("zlib_codec") + b"\x86R."
    yield "lists 10^6 deep", HEAD + b"]" * 10**6 + b"a" * (10**6 - 1) + b"."
    yield "a list inside itself", HEAD + b"}" + text("format") + b"K\x01s" + text("state") + b"]q\x05h\x05as."
    laughs = b"".join(
        b"(" + b"h" + bytes([n]) + b"h" + bytes([n]) + b"lq" + bytes([n + 1]) + b"0" for n in range(1, 60)
    )
    yield (
        "lists of lists, doubled 60 times",
        HEAD + b"]q\x010" + laughs + b"}" + text("format") + b"K\x01s" + text("state") + b"h\x3cs.",
    )
    yield "protocol 255", b"\x80\xff}."
    yield "an out-of-band buffer", b"\x80\x05\x97\x98."


def tensors(content: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Archives whose tensors lie about their storage, shape, strides or place."""
    plain = {"format": 1, "a": torch.arange(8.0)}
    code = next(data for name, data in parts_of(archive(plain)).items() if name.endswith("data.pkl"))
    size, view = b"K\x08tq\x08Q", b"K\x00K\x08\x85q\x09K\x01\x85q"
    assert size in code
    assert view in code
    for name, declared in {"2^20": 2**20, "2^40": 2**40, "2^62": 2**62, "-8": -8, "0": 0}.items():
        yield (
            f"a storage that declares {name} elements",
            with_pickle(code.replace(size, whole(declared) + size[2:]), plain),
        )
    views = {
        "a view beyond its storage": (0, 2**20, 1),
        "an offset beyond its storage": (4, 8, 1),
        "a negative offset": (-8, 8, 1),
        "a negative shape": (0, -8, 1),
        "a negative stride": (7, 8, -1),
        "an offset that overflows": (2**62, 8, 1),
        "a shape that overflows": (0, 2**62, 1),
        "a stride that overflows": (0, 3, 2**62),
        "2^61 elements in one": (0, 2**61, 0),
        "2^31 elements in one": (0, 2**31, 0),
    }
    for name, (offset, length, stride) in views.items():
        forged = whole(offset) + whole(length) + b"\x85q\x09" + whole(stride) + b"\x85q"
        yield name, with_pickle(code.replace(view, forged), plain)
    overlapping = torch.arange(16.0).as_strided((4, 4), (1, 1), 9)
    yield "overlapping strides at the end of a storage", archive({**content, "more": overlapping})
    yield (
        "a device that is not there",
        with_pickle(code.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:9"), plain),
    )
    yield "a storage class that is none", with_pickle(code.replace(b"ctorch\nFloatStorage\n", b"ctorch\nnn\n"), plain)
    yield (
        "a storage whose name leads out",
        with_pickle(code.replace(b"X\x01\x00\x00\x000", text("../../../etc/passwd")), plain),
    )


def containers(content: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Archives that are odd as archives; made when they are called, since some take a second."""
    data = archive(content)
    parts = parts_of(data)
    numbers = next(name for name in parts if "/data/" in name)
    yield "not an archive", lambda: b"not an archive"
    yield "an archive without members", lambda: zipped({})
    yield "an archive of absolute names", lambda: zipped({"/" + name: part for name, part in parts.items()})
    yield (
        "an archive of names that lead out",
        lambda: zipped({f"../../../{name}": part for name, part in parts.items()}),
    )
    yield "a member that leads out besides", lambda: zipped({**parts, "../../../ran": b"x", "/tmp/ran": b"x"})
    yield "compressed members", lambda: zipped(parts, zipfile.ZIP_DEFLATED)
    yield "members twice", lambda: zipped_twice(parts)
    yield "no pickle", lambda: zipped({name: part for name, part in parts.items() if not name.endswith("data.pkl")})
    yield "no numbers", lambda: zipped({name: part for name, part in parts.items() if name != numbers})
    yield (
        "a script archive",
        lambda: zipped({**parts, "archive/constants.pkl": b"\x80\x02).", "archive/code/x.py": b"import os"}),
    )
    yield "another byte order", lambda: zipped({**parts, "archive/byteorder": b"big"})
    yield "no byte order there is", lambda: zipped({**parts, "archive/byteorder": b"\xff\x00"})
    yield "a version far ahead", lambda: zipped({**parts, "archive/version": b"9" * 400})
    yield (
        "20,000 empty members",
        lambda: zipped({**parts, **{f"archive/data/x{number}": b"" for number in range(20_000)}}),
    )
    for name, place, value in (("size", 24, 2**32 - 2), ("offset", 42, 2**32 - 2), ("method", 10, 99), ("flag", 8, 1)):
        yield f"a directory with an absurd {name}", partial(patched, data, place, value)
    yield "a comment of 60,000 bytes", lambda: data[:-2] + (60_000).to_bytes(2, "little") + bytes(60_000)
    yield "an archive behind another", lambda: zipped({"a": b"x"}) + data
    yield "the older format", lambda: legacy(content)
    yield (
        "a member compressed from 400 MB",
        lambda: zipped({**parts, numbers: bytes(400_000_000)}, zipfile.ZIP_DEFLATED),
    )


def zipped_twice(parts: Mapping[str, bytes]) -> bytes:
    """Every member twice, the second time empty."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, data in parts.items():
            made.writestr(name, data)
        made.filelist += [*made.filelist]
    return buffer.getvalue()


def patched(data: bytes, place: int, value: int) -> bytes:
    """`data` with the field at `place` of its first directory entry changed."""
    start, width = data.index(b"PK\x01\x02") + place, 4 if value > 99 else 2
    return data[:start] + value.to_bytes(width, "little") + data[start + width :]


def legacy(content: object) -> bytes:
    """What `torch.save` made before it made archives."""
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def written(path: Path, data: bytes) -> None:
    """`data` at `path` as a new file, with the right digest."""
    path.unlink(missing_ok=True)
    seal(path, data)
