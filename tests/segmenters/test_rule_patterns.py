"""Regular expressions in rules: what is found is the same in Python, polars and DuckDB."""

import warnings

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames import as_kind, columns_of
from segkit import RuleSegmenter
from segkit.exceptions import SegkitValueError, SegkitWarning

TEXTS = [
    "Web", "web shop", "WEB\n", "Web\n", "a.com", "acom", "x@y.com", "tel 040", "٣", "naïve", "é",
    "A_1", "1-2", "[x]", "a]b", "tab\there", "nbsp\u00a0x", "ß", "C++", "$5", "back\\slash", "",
    " ", "Ünder cover", "cover", "aaa", "aa", "i", "I", "İstanbul", "ı", "ſ", "\u212a",
    "ẞ", "ς", "a<b>",
]  # fmt: skip

PATTERNS = [
    "Web", "^Web", "Web$", "(?i)web$", r"\.com$", r"\d", r"\D", r"[^\d]", r"\w+\s\w+", r"^\w+$",
    r"\W", r"\s", r"\S\s", r"\bcover", r"\bn", r"e\b", "[]x]", "[^]a]", r"[\]\[]", r"a{3}", "a{2,}",
    "^a{0,2}$", "(?:a|W)eb?", "^.$", "^$", r"C\+\+", r"\$5", r"\\", r"[\\$]", "(?i)É", "[a-c]{2}",
    "n.?ï", r"[\w.]+@[\w.]+", "(a)(a)", "x|^$", r"[\s-]", "(?s)W.b.",
    "(?i)i", "(?i)İ", "(?i)ı", "(?i)[a-z]", r"^(?i:\w)$", "(?i)^[^i]$", "(?i)s", "(?i)k", "(?i)ß",
    "(?i)Σ", r"[\<\>]", r"\<b\>", r"[\#\-\ ]", "(a{10}){100}", "(?i:i)I", r"[a\]-]", "a.{1000}",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_finds_the_same_texts_everywhere(pattern):
    frame = pd.DataFrame({"text": TEXTS})
    rules = [{"name": "found", "when": {"column": "text", "matches": pattern}}]
    segmenter = RuleSegmenter(rules).fit(frame)
    found = segmenter.predict_segments(frame).tolist()
    assert [segmenter.predict_one({"text": text}) for text in TEXTS] == found
    for kind in ("polars lazy", "duckdb", "polars", "pyarrow"):
        assert columns_of(segmenter.assign(as_kind(frame, kind)))["rule_segment"] == found, kind


# By hand, from the definitions: ASCII digits and words, and the end of the text.
KNOWN = {
    r"\d": ["tel 040", "A_1", "1-2", "$5"],
    "Web$": ["Web"],
    r"\bcover": ["Ünder cover", "cover"],
    r"^\w+$": ["Web", "acom", "A_1", "cover", "aaa", "aa", "i", "I"],
}


@pytest.mark.parametrize("pattern", KNOWN)
def test_classes_are_of_ascii_and_the_dollar_is_the_end(pattern):
    frame = pd.DataFrame({"text": TEXTS})
    rules = [{"name": "found", "when": {"column": "text", "matches": pattern}}]
    found = RuleSegmenter(rules).fit(frame).predict(frame) == 0
    assert [text for text, is_found in zip(TEXTS, found, strict=True) if is_found] == KNOWN[pattern]


# By hand, from the simple case folding of Unicode: ſ is an s, the Kelvin sign a k, and the dotted
# capital and the dotless small i are letters of their own.
FOLDED = {
    "(?i)^i$": ["i", "I"],
    "(?i)^İ": ["İstanbul"],
    "(?i)^ı": ["ı"],
    "(?i)^s$": ["ſ"],
    "(?i)^k$": ["\u212a"],
    "(?i)^Σ": ["ς"],
    "(?i)ß": ["ß", "ẞ"],
}


@pytest.mark.parametrize("pattern", FOLDED)
def test_letters_are_alike_but_for_case_by_simple_case_folding(pattern):
    frame = pd.DataFrame({"text": TEXTS})
    rules = [{"name": "found", "when": {"column": "text", "matches": pattern}}]
    found = RuleSegmenter(rules).fit(frame).predict(frame) == 0
    matched = [text for text, is_found in zip(TEXTS, found, strict=True) if is_found]
    assert matched == FOLDED[pattern]


PIECES = st.sampled_from(
    [*"aiIkKsSİıſßΣς_-^<>.|$", r"\<", r"\>", r"\#", r"\-", r"\d", r"\W", r"\b", "[a-z]", "[^i]",
     "[h-jS]", r"[\<\>]", "(?i:i)", "(?i:[^k])", "(a)", "*", "?", "{2}", "{0,3}"]
)  # fmt: skip


@settings(max_examples=150)
@given(
    st.lists(st.text(alphabet="aiIkKsSİıſKßẞΣς_-<> 1\n", max_size=4), min_size=5, max_size=15),
    st.lists(PIECES, max_size=5),
    st.sampled_from(["", "(?i)", "(?is)"]),
)
def test_a_pattern_that_ignores_case_means_the_same_everywhere(texts, pieces, flags):
    frame = pd.DataFrame({"text": texts})
    rules = [{"name": "found", "when": {"column": "text", "matches": flags + "".join(pieces)}}]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        try:
            segmenter = RuleSegmenter(rules).fit(frame)
        except SegkitValueError:
            return
    found = segmenter.predict_segments(frame).tolist()
    for kind in ("polars lazy", "duckdb"):
        assert columns_of(segmenter.assign(as_kind(frame, kind)))["rule_segment"] == found, kind


@settings(max_examples=60)
@given(
    st.text(alphabet="ab1 .-", max_size=6), st.text(alphabet=r"ab.\dws[]^-$|()?*+{1,}", max_size=7)
)
def test_a_pattern_that_is_taken_means_the_same_everywhere(text, pattern):
    frame = pd.DataFrame({"text": [text, "a1 b", "-.-"]})
    rules = [{"name": "found", "when": {"column": "text", "matches": pattern}}]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        try:
            segmenter = RuleSegmenter(rules).fit(frame)
        except SegkitValueError:
            return
    found = segmenter.predict_segments(frame).tolist()
    for kind in ("polars lazy", "duckdb"):
        assert columns_of(segmenter.assign(as_kind(frame, kind)))["rule_segment"] == found, kind


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?P<x>a)(?P=x)", "a++", "a*+", "(?>a)",
     "[[:alpha:]]", "[a&&b]", r"\Aa", r"a\Z", r"\pL", "a(?i)b", "(?m)^a", r"[\D]", "a{,2}", "\\",
     "(a{1000}){1000}", "((a{20}){20}){20}", "(a{0}){2000}", r"(?:\W{1000}){1}\W{1000}\W{1000}",
     "[b-a]", "[a", "a)", "(a", "\ud800"],
)  # fmt: skip
def test_what_engines_do_not_read_alike_is_refused(pattern):
    rules = [{"name": "found", "when": {"column": "text", "matches": pattern}}]
    with pytest.raises(SegkitValueError, match="cannot be searched for on every kind of frame"):
        RuleSegmenter(rules).fit(pd.DataFrame({"text": TEXTS}))
