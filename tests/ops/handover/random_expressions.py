"""Random expressions that Terraform can evaluate, short and long, as people and cdktf write them."""

import random
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")

LOCALS: dict[str, Any] = {
    "name": "bridge",
    "text": 'a "quoted" ${1 + 1} text, {[(',
    "list": ["a", "b", "c"],
    "map": {"k": "v", "a b": "w"},
    "objects": [{"name": "x", "size": 1}, {"name": "y", "size": 2}],
    "yes": True,
    "three": 3,
}

_LITERALS = (
    '"text"',
    '"a, b"',
    '"}{)(]["',
    '"say \\"x\\" \\\\ \\n \\u00e9"',
    '"$${x} %%{y} $ %"',
    '"架け橋 é"',
    '"# no // comment /* */"',
    '""',
    '"' + "long " * 15 + '"',
)


class Expressions:
    """A source of random expressions, by the type of their values."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def any(self, depth: int = 4) -> str:
        return self._one_of(self.string, self.number, self.truth, self.list, self.map)(depth)

    def string(self, depth: int) -> str:
        if depth <= 0:
            return self._one_of("local.name", "local.text", 'local.map["k"]', "local.objects[1].name", *_LITERALS)
        d = depth - 1
        return self._made_by(
            lambda: f"upper({self.string(d)})",
            lambda: f'join(", ",{self._space()}{self.list(d)})',
            lambda: f"{self.truth(d)} ? {self.string(d)} : {self.string(d)}",
            lambda: f"({self.string(d)})",
            lambda: f'"<${{{self.string(d)}}}>${{ {self.number(d)} }}"',
            lambda: f'"%{{ if {self.truth(d)} }}a%{{ else }}${{{self.string(d)}}}%{{ endif }}"',
            lambda: f'"%{{ for x in {self.list(d)} ~}} ${{x}} %{{ endfor ~}}"',
            lambda: f'format("%s-%s", ({self.list(d)})[0], {self.string(d)})',
            lambda: 'format("%s%s%s", local.list...)',
            lambda: f"try({self.map(d)}.k, {self.string(d)})",
            lambda: f"({self.list(d)})[0]",
            lambda: f'coalesce({self.string(d)},\n  {self.string(d)}, "z")',
            lambda: self.string(0),
        )

    def number(self, depth: int) -> str:
        if depth <= 0:
            return self._one_of("1", "2.5", "1e3", "12E-1", "local.three", "length(local.list)")
        d = depth - 1
        return self._made_by(
            lambda: f"{self.number(d)} {self._one_of(*'+-*')} {self.number(0)}",
            lambda: f"-({self.number(d)})",
            lambda: f"length({self.list(d)})",
            lambda: f"max({self.number(d)}, {self.number(d)}, local.objects[*].size...)",
            lambda: f"({self.truth(d)} ? {self.number(d)} : {self.number(d)})",
            lambda: self.number(0),
        )

    def truth(self, depth: int) -> str:
        if depth <= 0:
            return self._one_of("true", "false", "local.yes", "!local.yes")
        d = depth - 1
        return self._made_by(
            lambda: f"{self.truth(d)} && {self.truth(d)}",
            lambda: f"{self.truth(d)} || {self.truth(0)}",
            lambda: f"({self.string(d)}) == ({self.string(d)})",
            lambda: f"({self.number(d)}) {self._one_of('<', '>=', '!=')} {self.number(0)}",
            lambda: f"!contains({self.list(d)}, {self.string(d)})",
            lambda: f"alltrue([for x in {self.list(d)} : x != {self.string(0)}])",
            lambda: self.truth(0),
        )

    def list(self, depth: int) -> str:
        """A list of strings that is not empty."""
        if depth <= 0:
            return self._one_of("local.list", "local.objects[*].name", "local.objects.*.name", "keys(local.map)")
        d = depth - 1
        return self._made_by(
            lambda: "[" + ", ".join(self.string(d) for _ in range(self._chance.randint(1, 4))) + self._comma() + "]",
            lambda: f'[ for key, val in {self.list(d)}: "${{key}}-${{val}}" ]',
            lambda: f"[for it in {self.list(d)} : {self.string(d)} if it != null]",
            lambda: f"concat({self.list(d)}, {self.list(d)}{self._comma()})",
            lambda: "[for it in local.objects : it.name]",
            lambda: f"values({self.map(d)})",
            lambda: self.list(0),
        )

    def map(self, depth: int) -> str:
        """A map of strings that has the key `k`."""
        if depth <= 0:
            return "local.map"
        d = depth - 1
        return self._made_by(
            lambda: f'{{ k = {self.string(d)}, "a b" = {self.string(d)} }}',
            lambda: f'{{ ("k") = {self.string(d)}\n  other : {self.string(d)} }}',
            lambda: f"{{for key, val in {self.map(d)} : key => upper(val) if {self.truth(0)} || true}}",
            lambda: f"merge({self.map(d)}, {self.map(d)})",
            lambda: self.map(0),
        )

    def _one_of(self, *choices: _T) -> _T:
        return self._chance.choice(choices)

    def _made_by(self, *makers: Callable[[], str]) -> str:
        return self._chance.choice(makers)()

    def _space(self) -> str:
        return self._one_of(" ", "", "\n", " /* , */ ", " # )\n")

    def _comma(self) -> str:
        return self._one_of("", "", ",")
