"""The language of `--where`: `val.accuracy > 0.9 and not (status == failed or optimizer.lr >= 1e-2)`.

condition = all { "or" all }        all = each { "and" each }        each = "not" each | "(" condition ")" | chain
chain = operand { operator operand }        operator = "==" | "=" | "!=" | "<" | "<=" | ">" | ">="
operand = number | "text" | true | false | name
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from loopwright.catalogue.where import Both, Chain, Condition, Literal, Name, Not, Operand
from loopwright.errors import UsageError

TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|nan)\b)(?![\w.])
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<name>[^\W\d][\w./-]*)
    |(?P<operator>==|!=|<=|>=|=|<|>)
    |(?P<bracket>[()])
    )""",
    re.VERBOSE,
)
DEEPEST = 50
EXAMPLE = 'as in "val.accuracy > 0.9 and optimizer.lr < 1e-2"'


def parse(text: str) -> Condition:
    """The condition that `text` states. Raises UsageError, with the place, where it states none."""
    return Parser(text).whole()


class Parser:
    """Reads a condition from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self.split())
        self.place = 0
        self.depth = 0

    def split(self) -> Iterable[tuple[str, str, int]]:
        """Kind, text and position of each piece."""
        position, end = 0, len(self.text.rstrip())
        while position < end:
            token = TOKEN.match(self.text, position)
            if token is None:
                raise self.wrong(end - len(self.text[position:end].lstrip()))
            kind = str(token.lastgroup)
            yield kind, token[kind], token.start(kind)
            position = token.end()

    def wrong(self, position: int) -> UsageError:
        """What is raised where the text goes wrong."""
        found = repr(self.text[position : position + 20]) if position < len(self.text) else "its end"
        return UsageError(f"--where {self.text!r}: not understood at {found}; write comparisons {EXAMPLE}")

    def peek(self) -> tuple[str, str, int]:
        """The next piece; an empty one at the end."""
        return self.tokens[self.place] if self.place < len(self.tokens) else ("", "", len(self.text))

    def take(self, *texts: str, kind: str = "") -> str | None:
        """The next piece, if it is one of these texts, or of this kind."""
        found, text, _ = self.peek()
        if (text in texts and found != "text") or (kind and found == kind):
            self.place += 1
            return text
        return None

    def whole(self) -> Condition:
        """All of the text."""
        condition = self.condition()
        if self.place < len(self.tokens):
            raise self.wrong(self.peek()[2])
        return condition

    def condition(self) -> Condition:
        """Parts with `or` between them."""
        parts = [self.all()]
        while self.take("or"):
            parts.append(self.all())
        return parts[0] if len(parts) == 1 else Both(tuple(parts), True)

    def all(self) -> Condition:
        """Parts with `and` between them."""
        parts = [self.each()]
        while self.take("and"):
            parts.append(self.each())
        return parts[0] if len(parts) == 1 else Both(tuple(parts), False)

    def each(self) -> Condition:
        """One part."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise UsageError(f"--where: more than {DEEPEST} levels deep; write it simpler")
        if self.take("not"):
            condition: Condition = Not(self.each())
        elif self.take("("):
            condition = self.condition()
            if not self.take(")"):
                raise self.wrong(self.peek()[2])
        else:
            condition = self.chain()
        self.depth -= 1
        return condition

    def chain(self) -> Condition:
        """Operands with comparisons between them."""
        operands: list[Operand] = [self.operand()]
        operators: list[str] = []
        while sign := self.take(kind="operator"):
            operators.append(sign)
            operands.append(self.operand())
        return Chain(tuple(operands), tuple(operators))

    def operand(self) -> Operand:
        """A number, a text or a name."""
        _, _, position = self.peek()
        if number := self.take(kind="number"):
            return Literal(float(number))
        if quoted := self.take(kind="text"):
            return Literal(quoted[1:-1])
        name = None if self.peek()[1] in ("and", "or", "not") else self.take(kind="name")
        if name is None:
            raise self.wrong(position)
        return Literal(name == "true") if name in ("true", "false") else Name(name)
