"""The file of an estimator: JSON with a format, a version and a checksum, written in one go."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from itertools import repeat
from pathlib import Path
from uuid import uuid4

from segkit._storage._values import Json
from segkit._version import __version__
from segkit.exceptions import SegkitValueError, SegmenterFileError

#: What the first line of a file says.
FORMAT = "segkit segmenter"
#: The version of the format that is written, and the newest that is read.
FORMAT_VERSION = 1

# What every customer of a company would not fill: no segmenter is so large.
_MOST_BYTES = 100_000_000
_WIDTH = 100


def write_document(fields: dict[str, Json], path: Path, *, owner: str) -> None:
    """Write a file, which is there as a whole or not at all."""
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "segkit_version": __version__,
        **fields,
    }
    try:
        document["checksum"] = _checksum(document)
        text = _readable(document) + "\n"
    except RecursionError:
        raise _too_deep(owner) from None
    try:
        content = text.encode()
    except UnicodeEncodeError:  # half a character, which JSON can write in another way
        content = json.dumps(document, indent=1).encode()
    if len(content) > _MOST_BYTES:
        raise SegkitValueError(
            f"{owner}.save: what was learned takes {len(content):,} bytes, and a file holds at "
            f"most {_MOST_BYTES:,}. Save it with skops or joblib."
        )
    _replace(Path(os.path.realpath(path)), content)


def read_document(path: Path) -> dict[str, Json]:
    """Return what a file says, without its format and checksum, which are looked at."""
    where = f"segkit.load: {path.name!r}"
    if path.exists() and not path.is_file():
        raise SegmenterFileError(f"{where} is a folder or a device, not a file of a segmenter.")
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise SegmenterFileError(
            f"{where} has more than {_MOST_BYTES:,} bytes; it is no segmenter."
        )
    try:
        document = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_without_doubles,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        raise SegmenterFileError(f"{where} nests deeper than any segmenter does.") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise SegmenterFileError(
            f"{where} is no complete JSON file ({_reason(error)}). Was it cut off, or saved by "
            "something else than segmenter.save? Save the segmenter anew."
        ) from None
    return _checked(document, where)


def _checked(document: Json, where: str) -> dict[str, Json]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SegmenterFileError(
            f'{where} holds no segmenter: "format" must be {FORMAT!r}. Pass a file that '
            "segmenter.save wrote."
        )
    version = document.get("format_version")
    if type(version) is not int or version < 1:
        raise SegmenterFileError(f'{where}: "format_version" must be a whole number from 1.')
    if version > FORMAT_VERSION:
        raise SegmenterFileError(
            f"{where} has format {version}, written by segkit "
            f"{str(document.get('segkit_version'))[:20]}; this segkit reads formats up to "
            f"{FORMAT_VERSION}. Upgrade segkit, or save the segmenter with this version."
        )
    checksum = document.pop("checksum", None)
    try:
        expected = _checksum(document)
    except RecursionError:
        raise SegmenterFileError(f"{where} nests deeper than any segmenter does.") from None
    if checksum != expected:
        raise SegmenterFileError(
            f"{where} was changed since it was saved: its checksum does not fit. Save the "
            "segmenter anew; to change a threshold, set the parameter and fit again."
        )
    return document


def _checksum(document: dict[str, Json]) -> str:
    """Return a hash of what a file says, whatever its line breaks and spaces."""
    canonical = json.dumps(document, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _readable(value: Json, indent: str = "", name: str = "") -> str:
    """Return JSON in which whatever fits on a line has one, after the name that it stands under."""
    line = json.dumps(value, ensure_ascii=False)
    is_short = indent and len(indent) + len(name) + len(line) < _WIDTH
    if is_short or not isinstance(value, dict | list) or not value:
        return name + line
    deeper = indent + "  "
    if isinstance(value, dict):
        names = [f"{json.dumps(key, ensure_ascii=False)}: " for key in value]
        inside = map(_readable, value.values(), repeat(deeper), names)
        entries, (opened, closed) = list(inside), "{}"
    else:
        entries, (opened, closed) = [_readable(item, deeper) for item in value], "[]"
        if not any("\n" in entry or entry[0] == "{" for entry in entries):
            entries = _filled(entries, _WIDTH - len(deeper))
    return f"{name}{opened}\n{deeper}" + f",\n{deeper}".join(entries) + f"\n{indent}{closed}"


def _filled(entries: list[str], width: int) -> list[str]:
    """Join short entries, so that each line is full."""
    lines: list[str] = []
    for entry in entries:
        if lines and len(lines[-1]) + len(entry) + 3 < width:
            lines[-1] += f", {entry}"
        else:
            lines.append(entry)
    return lines


def _replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another, so that a reader sees one of them and nothing between."""
    beside = path.with_name(f".{path.name[:100]}.{uuid4().hex}")
    try:
        with beside.open("xb") as file:
            if path.exists():
                shutil.copymode(path, beside)  # who may read the one may read the other
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _too_deep(owner: str) -> SegkitValueError:
    return SegkitValueError(
        f"{owner}.save: a parameter or what was learned nests too deep, or holds itself."
    )


def _reason(error: Exception) -> str:
    """Return why a file could not be read, without quoting it."""
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}"
    return "it is not in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)[:80]


def _without_doubles(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number
