"""Files that are not what the readers of public data expect, and objects that are no segmenter."""

import gzip
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np

from hostile_cases import Case
from hostile_judge import check_codes, judged
from hostile_parameters import ODD
from segkit.datasets import load_cdnow, load_online_retail
from segkit.segmenters import SegmentMap, ValueTierer
from segkit.testing import check_segmenter

_CDNOW = b" 00001 19970105  1   12.50\n 00002 19970214  3   40.25\n 00002 19970315  1    9.99\n"
_RETAIL = (
    b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    b"536365,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
    b"C536379,D,Discount,-1,2010-12-01 09:41:00,27.5,14527,United Kingdom\n"
)
_WAYS = ("cut", "flipped", "replaced", "doubled", "empty", "noise", "mark", "gzip", "broken gzip")
_ODD_TEXTS = ("", "-", "1e400", "٣", "NaN", "\0", "9" * 30, "2024-02-30", '"', ",", "\n", "💥")
READERS = {
    "load_cdnow": (load_cdnow, _CDNOW, "CDNOW.txt"),
    "load_online_retail": (load_online_retail, _RETAIL, "Online Retail.csv"),
}


@st.composite
def spoiled_files(draw: Any, reader: str) -> tuple[bytes, str]:
    """Draw the bytes of a file, and its name."""
    _, content, name = READERS[reader]
    for way in draw(st.lists(st.sampled_from(_WAYS), min_size=1, max_size=3)):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        if way == "cut":
            content = content[:place]
        elif way == "flipped":
            content = content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1 :]
        elif way == "replaced":
            put = draw(st.sampled_from(_ODD_TEXTS)).encode()
            content = content[:place] + put + content[place + 3 :]
        elif way == "doubled":
            content += content[place:]
        elif way == "empty":
            content = b"\n" * draw(st.integers(0, 2))
        elif way == "noise":
            content = draw(st.binary(max_size=40))
        elif way == "mark":
            content = b"\xef\xbb\xbf" + content
        elif way == "gzip":
            content, name = gzip.compress(content), f"{name}.gz"
        else:
            content, name = content[: place + 1], f"{name}.gz"
    return content, name


def check_reader(reader: str, content: bytes, path: Path) -> None:
    """Write a file and read it."""
    path.write_bytes(content)
    outcome = judged(
        f"datasets.{reader}", lambda: READERS[reader][0](path), culprits=[reader, "CDNOW", "Retail"]
    )
    if outcome.answered:
        log = outcome.value
        assert np.isfinite(log["amount"]).all()
        assert log["timestamp"].notna().all()


def check_odd_path(reader: str, odd: str) -> None:
    """Read from what is no path, or from where no file is."""
    judged(
        f"datasets.{reader}(path)",
        lambda: READERS[reader][0](ODD[odd]),
        culprits=[reader, "path"],
        also=(FileNotFoundError,),
    )


_MAP = SegmentMap({"Recent": {"recency": (2, 3)}, "Gone": {"recency": 1}}, n_bins=3)


def check_segment_map(case: Case) -> None:
    """Look up the scores of the case."""
    outcome = judged(
        "segmenters.SegmentMap.codes",
        lambda: _MAP.codes(case.given),
        given=[case.given],
        culprits=["SegmentMap"],
    )
    if outcome.answered:
        check_codes(np.asarray(outcome.value, dtype=np.int64), len(outcome.value), 2)


def check_suite(case: Case) -> None:
    """Give the conformance suite customers that are none."""
    judged(
        "testing.check_segmenter",
        lambda: check_segmenter(ValueTierer(), customers=case.given),
        given=[case.given],
        culprits=["check_segmenter", "ValueTierer", "monetary", "customers"],
        also=(AssertionError,),
    )


def check_suite_of_odd(odd: str) -> None:
    """Give the conformance suite what is no segmenter."""
    judged(
        "testing.check_segmenter(estimator)",
        lambda: check_segmenter(ODD[odd]),
        culprits=["check_segmenter", "estimator", "segmenter", type(ODD[odd]).__name__],
        also=(AssertionError,),
    )
