r"""Regular expressions that mean the same in Python and in the engines.

Those of polars, Arrow and DuckDB run in linear time (RE2, and Rust's ``regex``), and so know no
lookaround and no back references. ``\d``, ``\w`` and ``\s`` are of ASCII in one and of Unicode in
another, ``$`` may stand before a last line break or not, and ``(?i)`` differs in which letters are
each other's capitals: such signs are written out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TypeAlias

# Characters from the first to the last.
Span: TypeAlias = tuple[str, str]

_CLASSES: dict[str, list[Span]] = {
    "d": [("0", "9")],
    "w": [("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z")],
    "s": [("\t", "\r"), (" ", " ")],
}
# Groups that all of them know: not captured, or with flags.
_GROUP = re.compile(r"\(\?(:|[ims]+:|[ims]+\))")
_REPETITION = re.compile(r"\{[0-9]+(,[0-9]*)?\}")
# RE2 repeats no more often, in all that is repeated around a sign, and both have a limit of memory.
_MOST_REPEATED = 1_000
_MOST_SIGNS = 10_000
# Signs that mean themselves after a backslash, and control characters.
_ESCAPED = set(r"\.+*?()|[]{}^$-/ #&~'\"!%,:;<=>@`_")
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
# Signs that mean something, and so get a backslash: outside of brackets, and within.
_SPECIAL = set(r"\.+*?()|[]{}^$")
_SPECIAL_IN_BRACKETS = set(r"\]^-[&~|")
# The words of Java are those of Unicode, or of ASCII, by its release.
_WORD = "[0-9A-Z_a-z]"
_JAVA_BOUNDARY = f"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))"
# The last letter with another case; it is of the Adlam script.
_LAST_CASED = 0x1E943


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

    @cached_property
    def for_spark(self) -> str:
        """The expression as Java reads it, to which the lines of a text may end in other signs."""
        return "(?d)" + _translated(self.given, end=r"\z", word_boundary=_JAVA_BOUNDARY)

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
    try:
        pattern.encode()
    except UnicodeEncodeError:
        raise PatternError("it holds half a character, which no text of an engine does") from None
    return _Translation(pattern, end, word_boundary).text()


@dataclass
class _Group:
    """An open group: whether it ignores case, how many signs it has, and what could be repeated.

    That is the last sign or group in it, with its number of signs, and how often a sign in it is
    repeated.
    """

    ignores_case: bool
    n_signs: int = 0
    last_signs: int = 0
    last_repeated: int = 1
    most_repeated: int = 1


@dataclass
class _Translation:
    """A pattern that is read sign by sign and written as all engines read it."""

    pattern: str
    end: str
    word_boundary: str
    place: int = 0
    parts: list[str] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=lambda: [_Group(ignores_case=False)])

    def text(self) -> str:
        """Return what is written."""
        while self.place < len(self.pattern):
            sign, following = self._sign(0), self._sign(1)
            if sign == "\\":
                self._escape(following)
            elif sign == "[":
                self._brackets()
            elif sign == "(":
                self._open(has_flags=following == "?")
            elif sign == ")":
                self._close()
            elif sign in "*+?":
                if following == "+":
                    raise PatternError("query engines know no possessive repetition")
                self._write(sign, 1)
            elif sign in "{}":
                self._repeat()
            elif sign == "$":
                self._item(self.end, 1)
            elif sign in ".^|":
                self._item(sign, 1)
            else:
                self._letter(sign, 1)
        return "".join(self.parts)

    def _sign(self, ahead: int) -> str:
        place = self.place + ahead
        return self.pattern[place : place + 1]

    def _write(self, text: str, step: int) -> None:
        self.parts.append(text)
        self.place += step

    def _item(self, text: str, step: int, n_signs: int = 1) -> None:
        """Write what can be repeated."""
        group = self.groups[-1]
        group.n_signs += n_signs
        group.last_signs, group.last_repeated = n_signs, 1
        self._write(text, step)

    def _letter(self, sign: str, step: int) -> None:
        cases = _with_cases([(sign, sign)]) if self.groups[-1].ignores_case else []
        if cases and cases != [(sign, sign)]:
            self._among(cases, step)
        else:
            self._item(f"\\{sign}" if sign in _SPECIAL else sign, step)

    def _escape(self, sign: str) -> None:
        if sign in _CLASSES:
            self._among(_CLASSES[sign], 2)
        elif sign and sign.lower() in _CLASSES:
            self._among(_CLASSES[sign.lower()], 2, outside=True)
        elif sign == "b":
            self._item(self.word_boundary, 2)
        else:
            self._letter(_escaped(sign), 2)

    def _among(self, spans: Sequence[Span], step: int, *, outside: bool = False) -> None:
        """Write one sign of some spans, or of none of them."""
        members = [
            _plain(low) if low == high else f"{_plain(low)}-{_plain(high)}" for low, high in spans
        ]
        self._item(f"[{'^' if outside else ''}{''.join(members)}]", step, len(members) + outside)

    def _brackets(self) -> None:
        outside = self._sign(1) == "^"
        self.place += 2 if outside else 1
        spans: list[Span] = []
        while self._sign(0) != "]" or not spans:
            first = self._member()
            if self._sign(0) != "-" or self._sign(1) in ("]", ""):
                spans += first
                continue
            self.place += 1
            last = self._member()
            (low, low_end), (high, high_end) = first[0], last[0]
            if len(first) > 1 or len(last) > 1 or low != low_end or high != high_end or high < low:
                raise PatternError("a range within brackets is from one sign to a later one")
            spans.append((low, high))
        if self.groups[-1].ignores_case:
            spans = _with_cases(spans)
        self._among(spans, 1, outside=outside)

    def _member(self) -> list[Span]:
        """Read one sign within brackets, or one class of them."""
        sign, following = self._sign(0), self._sign(1)
        if not sign:
            raise PatternError("a bracket is not closed")
        if sign == "\\":
            self.place += 2
            if following in _CLASSES:
                return _CLASSES[following]
            sign = _escaped(following)
        elif sign == "[" or sign + following in ("&&", "--", "~~", "||"):
            raise PatternError(rf"write \{sign} within brackets")
        else:
            self.place += 1
        return [(sign, sign)]

    def _open(self, *, has_flags: bool) -> None:
        ignores_case = self.groups[-1].ignores_case
        if not has_flags:
            self.groups.append(_Group(ignores_case))
            self._write("(", 1)
            return
        found = _GROUP.match(self.pattern, self.place)
        if found is None or (found[0].endswith(")") and self.place):
            raise PatternError(
                "query engines know no lookaround, no back references and no names of groups, "
                "and flags stand at the beginning, as in (?i)web"
            )
        flags = found[1][:-1]
        if "m" in flags:
            raise PatternError("the flag m is not read alike everywhere")
        ignores_case |= "i" in flags
        dots = "s" if "s" in flags else ""
        if found[0].endswith(")"):
            self.groups[-1].ignores_case = ignores_case
            self._write(f"(?{dots})" if dots else "", len(found[0]))
        else:
            self.groups.append(_Group(ignores_case))
            self._write(f"(?{dots}:", len(found[0]))

    def _close(self) -> None:
        if len(self.groups) < 2:
            raise PatternError("a parenthesis is closed that was not opened")
        closed, group = self.groups.pop(), self.groups[-1]
        group.n_signs += closed.n_signs
        group.last_signs = closed.n_signs
        group.last_repeated = closed.most_repeated
        group.most_repeated = max(group.most_repeated, closed.most_repeated)
        self._write(")", 1)

    def _repeat(self) -> None:
        repetition = _REPETITION.match(self.pattern, self.place)
        if repetition is None or self.pattern[repetition.end() : repetition.end() + 1] == "+":
            raise PatternError(r"repetitions are {2}, {2,} and {0,3}, and braces are \{ and \}")
        times = max(map(int, re.findall(r"\d+", repetition[0])))
        group = self.groups[-1]
        group.last_repeated *= max(times, 1)
        group.n_signs += group.last_signs * max(times - 1, 0)
        group.last_signs *= times
        group.most_repeated = max(group.most_repeated, group.last_repeated)
        if group.last_repeated > _MOST_REPEATED:
            raise PatternError(
                f"query engines repeat at most {_MOST_REPEATED:,} times, repetitions of "
                "repetitions multiplied"
            )
        if group.n_signs > _MOST_SIGNS:
            raise PatternError(
                f"with its repetitions written out it has more than {_MOST_SIGNS:,} signs, for "
                "which query engines lack memory"
            )
        self._write(repetition[0], len(repetition[0]))


def _escaped(sign: str) -> str:
    """Return the character that a backslash and a sign stand for."""
    if sign not in _ESCAPED and sign not in _CONTROLS:
        raise PatternError(f"\\{sign} is not read alike everywhere")
    return _CONTROLS.get(sign, sign)


def _plain(sign: str) -> str:
    return f"\\{sign}" if sign in _SPECIAL_IN_BRACKETS else sign


def _with_cases(spans: Iterable[Span]) -> list[Span]:
    """Return the spans and, of each letter in them, those that differ in case alone."""
    spans = list(spans)
    alike = _alike_but_for_case()
    for low, high in list(spans):
        letters = [low] if low == high else [one for one in alike if low <= one <= high]
        spans += [(other, other) for one in letters for other in alike.get(one, ())]
    joined: list[Span] = []
    for low, high in sorted(spans):
        if joined and ord(low) <= ord(joined[-1][1]) + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


@cache
def _alike_but_for_case() -> dict[str, list[str]]:
    """Return for each letter those that differ from it in case alone, itself among them.

    One letter for one, as in Unicode's simple case folding: the dotted capital I and the dotless
    small one of Turkish are alike to none.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for letter in map(chr, range(_LAST_CASED + 1)):
        alike[letter.casefold()].append(letter)
    return {one: letters for letters in alike.values() if len(letters) > 1 for one in letters}
