"""The syntax of patterns: the part of Python's `re` that describes regular languages, checked place by place."""

from __future__ import annotations

import re
from typing import NoReturn

from loopwright.errors import ConfigError

LENGTH = 1000
"""The most characters of a pattern."""

DEPTH = 50
"""The most groups within groups: the parsers go down by calling themselves."""

REPEATS = 500
"""The most copies that braces may ask for."""

TOKEN = re.compile(
    r"(?P<symbols>[^\W_]|\[[^\W_]+\])|[|.)]|\((?:\?:|(?!\?))"
    r"|(?P<repeat>[*+?]|\{(?P<exactly>[0-9]+)\}|\{(?P<least>[0-9]*),(?P<most>[0-9]*)\})"
)
"""One token of a pattern. A symbol is a letter or a digit."""

WHOLE = "leave the anchor out: a pattern always matches whole strings"
CLASS = "a class is [ and ] around symbols, each of them written out: no ranges, no negation"
BRACE = "a brace that is no repetition: these are {m}, {m,n}, {m,} and {,n}"
REFUSED = {
    "\\": "escapes and backreferences are not in the syntax: symbols are letters and digits",
    "^": WHOLE,
    "$": WHOLE,
    "(": "of all that begins with (? only (?: ) is in the syntax",
    "[": CLASS,
    "]": CLASS,
    "{": BRACE,
    "}": BRACE,
    " ": "a space is not in the syntax: symbols are letters and digits",
}


def check_alphabet(alphabet: str) -> None:
    """Raise ConfigError unless the symbols are letters and digits, each of them once."""
    for symbol in alphabet:
        if not symbol.isalnum():
            raise ConfigError(f"alphabet {alphabet!r}: {symbol!r} is neither a letter nor a digit, as symbols must be")
    if not alphabet or len(set(alphabet)) != len(alphabet):
        raise ConfigError(f"alphabet {alphabet!r}: it needs one symbol at least, each of them once")


def normalize(pattern: str, alphabet: str) -> str:
    """The pattern as greenery reads it: any repetition in braces as `{m,n}` or `{m,}`.

    Raises ConfigError, showing the place, for what is malformed or not in the syntax, or a symbol that is not in
    `alphabet`; and for a pattern that is too long, too deep or repeats too often.
    """
    if len(pattern) > LENGTH:
        raise ConfigError(f"pattern {pattern[:20]!r}… has {len(pattern)} characters: the most is {LENGTH}")
    tokens = scan(pattern, alphabet)
    check_structure(pattern)
    return "".join(map(rewritten, tokens))


def scan(pattern: str, alphabet: str) -> list[re.Match[str]]:
    """The tokens of a pattern. Raises ConfigError at the first that is not in the syntax, or not where it stands."""
    tokens: list[re.Match[str]] = []
    place = depth = 0
    while place < len(pattern):
        token = TOKEN.match(pattern, place)
        if token is None:
            refuse(pattern, place, REFUSED.get(pattern[place], f"{pattern[place]!r} is not in the syntax"))
        for offset, symbol in enumerate(token["symbols"] or ""):
            if symbol not in f"[{alphabet}]":
                refuse(pattern, place + offset, f"symbol {symbol!r} is not in the alphabet {alphabet!r}")
        if token.group() in ("?", "+") and tokens and tokens[-1]["repeat"]:
            refuse(pattern, place, "lazy and possessive repetition (as in a*? and a*+) is not in the syntax")
        if max(bounds(token), default=0) > REPEATS:
            refuse(pattern, place, f"a repetition has {REPEATS} at most")
        depth += token.group().startswith("(") - token.group().startswith(")")
        if depth > DEPTH:
            refuse(pattern, place, f"at most {DEPTH} groups within groups")
        tokens.append(token)
        place = token.end()
    return tokens


def check_structure(pattern: str) -> None:
    """Raise ConfigError for tokens that make no expression: `re` finds it, and says where."""
    try:
        re.compile(pattern)
    except re.error as error:
        refuse(pattern, error.pos or 0, error.msg)


def bounds(token: re.Match[str]) -> list[int]:
    """The numbers that a repetition in braces has."""
    return [int(number) for number in token.group("exactly", "least", "most") if number]


def rewritten(token: re.Match[str]) -> str:
    """A token as greenery reads it."""
    if token["exactly"]:
        return f"{{{int(token['exactly'])},{int(token['exactly'])}}}"
    if token["most"] is not None:
        return f"{{{int(token['least'] or 0)},{token['most'] and int(token['most'])}}}"
    return token.group()


def refuse(pattern: str, place: int, reason: str) -> NoReturn:
    """Raise ConfigError with the pattern and a caret under the place."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in pattern)
    raise ConfigError(f"place {place} of the pattern: {reason}\n    {shown}\n    {' ' * place}^")
