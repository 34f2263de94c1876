r"""Regular expressions that mean the same in Python and in the engines of polars, Arrow and DuckDB.

Those run in linear time (RE2, and Rust's ``regex``), and so know no lookaround and no back
references. ``\d``, ``\w`` and ``\s`` are of ASCII in one and of Unicode in another, ``$`` may stand
before a last line break or not: such signs are written out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

# What stands for a class of characters, outside of brackets and within.
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r" \t\n\r\f\v"}
# Groups that all of them know: not captured, or with flags.
_GROUP = re.compile(r"\(\?(:|[ims]+:|[ims]+\))")
_REPETITION = re.compile(r"\{[0-9]+(,[0-9]*)?\}")
_MOST_REPEATED = 1_000
# Signs that mean themselves after a backslash, and control characters.
_ESCAPED = set(r"\.+*?()|[]{}^$-/ #&~'\"!%,:;<=>@`_") | set("nrtfv")


class PatternError(ValueError):
    """A regular expression that not all of them read, or not alike."""


@dataclass(frozen=True)
class Pattern:
    """A regular expression, which is searched for anywhere in a text."""

    given: str

    def found_in(self, text: str | AnyText) -> bool:
        """Tell whether it is found in a text."""
        if isinstance(text, AnyText):
            return self in text.found
        return self._compiled.search(text) is not None

    @cached_property
    def for_engines(self) -> str:
        """The expression as engines read it."""
        return _translated(self.given, end=r"\z", word_boundary=r"\b")

    @cached_property
    def for_polars(self) -> str:
        """The expression as polars reads it, whose words are else those of Unicode."""
        return _translated(self.given, end=r"\z", word_boundary=r"(?-u:\b)")

    def check(self) -> None:
        """Raise PatternError, which says why."""
        try:
            _ = self._compiled
        except re.error as error:
            raise PatternError(f"it is no regular expression ({error})") from None

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(_translated(self.given, end=r"\Z", word_boundary=r"(?a:\b)"))

    def __getstate__(self) -> dict[str, str]:
        return {"given": self.given}


@dataclass(frozen=True)
class AnyText:
    """Any text in which just these of some patterns are found."""

    found: frozenset[Pattern]


def _translated(pattern: str, *, end: str, word_boundary: str) -> str:
    parts: list[str] = []
    place, in_brackets = 0, False
    while place < len(pattern):
        sign = pattern[place]
        following = pattern[place + 1 : place + 2]
        step = 1
        if sign == "\\":
            parts.append(_escape(following, word_boundary, in_brackets=in_brackets))
            step = 2
        elif in_brackets:
            if sign == "[" or pattern[place : place + 2] in ("&&", "--", "~~", "||"):
                raise PatternError(rf"write \{sign} within brackets")
            in_brackets = sign != "]"
            parts.append(sign)
        elif sign == "[":
            in_brackets = True
            opening = re.match(r"\[\^?\]?", pattern[place:])
            assert opening is not None
            parts.append(opening[0].replace("]", r"\]"))
            step = len(opening[0])
        elif sign == "(" and following == "?":
            found = _GROUP.match(pattern, place)
            if found is None or (found[0].endswith(")") and place):
                raise PatternError(
                    "query engines know no lookaround, no back references and no names of groups, "
                    "and flags stand at the beginning, as in (?i)web"
                )
            if "m" in found[1]:
                raise PatternError("the flag m is not read alike everywhere")
            parts.append(found[0])
            step = len(found[0])
        elif sign in "*+?" and following == "+":
            raise PatternError("query engines know no possessive repetition")
        elif sign in "{}":
            repetition = _REPETITION.match(pattern, place)
            if repetition is None or pattern[repetition.end() : repetition.end() + 1] == "+":
                raise PatternError(r"repetitions are {2}, {2,} and {0,3}, and braces are \{ and \}")
            if max(map(int, re.findall(r"\d+", repetition[0]))) > _MOST_REPEATED:
                raise PatternError(f"query engines repeat at most {_MOST_REPEATED:,} times")
            parts.append(repetition[0])
            step = len(repetition[0])
        else:
            parts.append(end if sign == "$" else sign)
        place += step
    return "".join(parts)


def _escape(sign: str, word_boundary: str, *, in_brackets: bool) -> str:
    if sign in _CLASSES:
        return _CLASSES[sign] if in_brackets else f"[{_CLASSES[sign]}]"
    if not in_brackets and sign and sign.lower() in _CLASSES:
        return f"[^{_CLASSES[sign.lower()]}]"
    if not in_brackets and sign == "b":
        return word_boundary
    if sign not in _ESCAPED:
        raise PatternError(f"\\{sign} is not read alike everywhere")
    # Signs that need no backslash get none, because engines differ in which may have one.
    return sign if sign in " #&~'\"!%,:;<=>@`_/" and not in_brackets else f"\\{sign}"
