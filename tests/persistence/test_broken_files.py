"""A file that is not as it was saved is refused in the same way, whatever is wrong with it."""

import copy
import json
import random
import warnings

import numpy as np
import pytest
from sklearn.base import clone

import segkit
from persistence.files import OF_ARRAYS, SEGMENTERS, sealed
from segkit import RFMScorer, ValueTierer
from segkit.exceptions import SegkitError, SegkitTypeError, SegkitValueError, SegmenterFileError


@pytest.fixture
def path(customers, tmp_path):
    """The file of a fitted scorer."""
    path = tmp_path / "scorer.json"
    RFMScorer().fit(customers).save(path)
    return path


@pytest.fixture
def document(path):
    """What the file says."""
    return json.loads(path.read_text("utf-8"))


def refusal(path, **options):
    """Return the message with which a file is refused."""
    with pytest.raises(SegmenterFileError) as caught:
        segkit.load(path, **options)
    return str(caught.value)


def test_the_error_is_one_of_segkit_and_of_values():
    assert issubclass(SegmenterFileError, SegkitValueError)


def test_a_file_that_is_cut_off_is_refused_wherever_it_ends(saved):
    _, path = saved
    content = path.read_bytes()
    for place in np.linspace(0, len(content) - 2, 50).astype(int):
        path.write_bytes(content[:place])
        assert "no complete JSON file" in refusal(path)


def test_a_byte_that_flips_is_noticed(saved, customers):
    segmenter, path = saved
    content = path.read_bytes()
    names = list(segmenter.predict_segments(customers))
    rng = random.Random(0)
    noticed = 0
    for _ in range(40):
        place, bit = rng.randrange(len(content)), 1 << rng.randrange(8)
        flipped = bytearray(content)
        flipped[place] ^= bit
        path.write_bytes(flipped)
        try:
            loaded = segkit.load(path)
        except SegmenterFileError:
            noticed += 1
        else:  # white space has become other white space
            assert content[place : place + 1].isspace()
            assert list(loaded.predict_segments(customers)) == names
    assert noticed > 30


def test_line_breaks_and_spaces_may_change(path, document, customers):
    before = segkit.load(path).predict(customers)
    for text in (json.dumps(document), json.dumps(document, indent=7).replace("\n", "\r\n")):
        path.write_bytes(text.encode())
        np.testing.assert_array_equal(segkit.load(path).predict(customers), before)


def test_a_threshold_that_was_changed_is_noticed(path, document):
    document["learned"]["columns"][0]["edges"][0] += 1e-9
    path.write_text(json.dumps(document), "utf-8")
    assert "its checksum does not fit" in refusal(path)


def test_two_segments_that_changed_places_are_noticed(path, document):
    boxes = document["learned"]["segment_map"]["$segment_map"]
    boxes["segments"] = dict(reversed(boxes["segments"].items()))
    path.write_text(json.dumps(document), "utf-8")
    assert "its checksum does not fit" in refusal(path)


def test_a_newer_format_is_refused_with_both_versions(path, document):
    path.write_text(sealed({**document, "format_version": 2, "segkit_version": "9.1"}), "utf-8")
    message = refusal(path)
    assert "format 2, written by segkit 9.1" in message
    assert "up to 1. Upgrade segkit" in message


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.0, None, [1]])
def test_a_version_is_a_whole_number(path, document, version):
    path.write_text(sealed({**document, "format_version": version}), "utf-8")
    assert '"format_version" must be a whole number' in refusal(path)


@pytest.mark.parametrize("text", ["{}", "[]", "null", '"segkit segmenter"', "12", '{"format": 1}'])
def test_other_json_is_no_segmenter(path, text):
    path.write_text(text, "utf-8")
    assert "holds no segmenter" in refusal(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 50,
        b"\xff\xfe{\x00}\x00",
        b'{"format": "\xe9"}',
        b"\x80\x04\x95\x00",
        b'{"format": "segkit segmenter", "format": "segkit segmenter"}',
        b'{"format": NaN}',
        b'{"format": 1e999}',
        b'{"format": ' + b"9" * 100_000 + b"}",
        b'{"format": "segkit segmenter"} and more',
    ],
    ids=["empty", "zeros", "utf-16", "latin-1", "pickle", "twice", "nan", "huge", "digits", "more"],
)
def test_what_is_no_json_is_refused_without_being_quoted(path, content):
    path.write_bytes(content)
    message = refusal(path)
    assert "no complete JSON file" in message
    assert len(message) < 300


@pytest.mark.parametrize("brackets", ["[]", ['{"a":', "}"]], ids=["lists", "objects"])
@pytest.mark.parametrize("depth", [900, 100_000])
def test_what_nests_deep_is_refused(path, document, brackets, depth):
    opened, closed = brackets
    inner = opened * depth + "1" + closed * depth
    text = json.dumps({**document, "learned": 0}).replace('"learned": 0', f'"learned": {inner}')
    for content in (inner, text):
        path.write_text(content, "utf-8")
        refusal(path)


def test_a_file_is_read_up_to_a_size(path, monkeypatch):
    monkeypatch.setattr("segkit._storage._document._MOST_BYTES", 1_000)
    assert "more than 1,000 bytes" in refusal(path)


def test_what_is_too_large_is_not_saved(customers, path, monkeypatch):
    monkeypatch.setattr("segkit._storage._document._MOST_BYTES", 1_000)
    before = path.read_bytes()
    with pytest.raises(SegkitValueError, match=r"takes [\d,]+ bytes, and a file holds"):
        RFMScorer().fit(customers).save(path)
    assert path.read_bytes() == before


def test_a_folder_is_no_file_and_none_is_not_found(tmp_path):
    assert "is a folder" in refusal(tmp_path)
    with pytest.raises(FileNotFoundError):
        segkit.load(tmp_path / "none.json")
    with pytest.raises(SegkitValueError, match="no path"):
        segkit.load("a\0b.json")


# Classes, and code.


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "segkit.segmenters._rfm.RFMScorer",
        "segkit.base.SegmenterMixin",
        "segkit.segmenters.RFMScorer.__init__",
        "sklearn.ensemble.RandomForestClassifier",
        "RFMScorer",
        "",
        "this",
        None,
        ["segkit.segmenters.RFMScorer"],
        "x" * 10_000,
    ],
    ids=str,
)
def test_a_class_that_is_not_known_is_refused_and_nothing_imported(path, document, name, capsys):
    path.write_text(sealed({**document, "class": name}), "utf-8")
    message = refusal(path)
    assert len(message) < 500
    assert capsys.readouterr().out == ""  # the module this prints a poem


def test_a_class_written_wrongly_is_suggested(path, document):
    path.write_text(sealed({**document, "class": "segkit.segmenters.RFMScorr"}), "utf-8")
    assert "Did you mean 'segkit.segmenters.RFMScorer'?" in refusal(path)


def test_an_estimator_that_is_no_segmenter_is_refused(path, document):
    changed = {**document, "class": "sklearn.cluster.KMeans", "parameters": {}}
    changed = {
        name: changed[name] for name in changed if name not in ("reads", "segments", "learned")
    }
    path.write_text(sealed(changed), "utf-8")
    assert "holds KMeans, which is no segmenter" in refusal(path)


def test_a_segmenter_that_is_not_fitted_is_refused(path, document):
    rest = {k: v for k, v in document.items() if k not in ("reads", "segments", "learned")}
    path.write_text(sealed(rest), "utf-8")
    assert "not fitted" in refusal(path)


@pytest.mark.parametrize(
    "tag",
    ["$reduce", "$pickle", "$object", "$py/object", "$", "$estimator", "$type", "$eval", "$kinds"],
)
def test_a_tag_that_is_not_known_is_refused(path, document, tag):
    document["parameters"]["missing"] = {tag: ["os.system", "echo pwned"]}
    path.write_text(sealed(document), "utf-8")
    refusal(path)


@pytest.mark.parametrize("name", ["__reduce__", "__class__", "__dict__", "_codes", "predict", "x"])
def test_what_is_no_parameter_of_the_class_is_refused(path, document, name):
    document["parameters"][name] = "os.system"
    path.write_text(sealed(document), "utf-8")
    assert "no parameters" in refusal(path)


@pytest.mark.parametrize("name", ["__class__", "_codes", "predict", "segments_", "columns", "save"])
def test_methods_of_a_segmenter_of_ones_own_are_not_replaced(customers, tmp_path, name):
    from persistence.test_round_trip import MedianSegmenter

    path = tmp_path / "own.json"
    MedianSegmenter().fit(customers).save(path)
    document = json.loads(path.read_text("utf-8"))
    document["learned"][name] = 3
    path.write_text(sealed(document), "utf-8")
    assert "no part of what was learned" in refusal(path, classes=[MedianSegmenter])


def test_a_segmenter_of_ones_own_has_to_be_passed(customers, tmp_path):
    from persistence.test_round_trip import MedianSegmenter

    MedianSegmenter().fit(customers).save(tmp_path / "own.json")
    assert "pass segkit.load(path, classes=[MedianSegmenter])" in refusal(tmp_path / "own.json")
    for wrong in (MedianSegmenter(), int, "MedianSegmenter"):
        with pytest.raises(SegkitTypeError, match="classes must hold classes that inherit"):
            segkit.load(tmp_path / "own.json", classes=[wrong])


# Files with a checksum that fits, but changed on purpose.

STRANGE = [
    None, True, 0, -1, 7, 10**9, 10**30, 1.5, -2.5, 1e300, "", "x", "monetary", "\ud800", [], {},
    [1], ["a"], [[]], {"a": 1}, {"$float": "nan"}, {"$float": "inf"}, {"$tuple": [1]},
    {"$array": {"dtype": "float64", "shape": [2], "values": [1.0, 2.0]}},
]  # fmt: skip


def places_of(node, place=()):
    """Yield where each value stands in a file."""
    yield place
    inside = node.items() if isinstance(node, dict) else enumerate(node[:40])
    for key, value in inside:
        if isinstance(value, dict | list):
            yield from places_of(value, (*place, key))
        else:
            yield (*place, key)


def changed_at(document, place, rng):
    """Return a document with something else at a place, or nothing."""
    document = copy.deepcopy(document)
    node = document
    for key in place[:-1]:
        node = node[key]
    act, key = rng.random(), place[-1]
    if act < 0.15:
        del node[key]
    elif act < 0.3 and isinstance(node[key], list) and node[key]:
        node[key].pop()
    else:
        node[key] = copy.deepcopy(rng.choice(STRANGE))
    return document


def n_refused(segmenter, path, rng, customers, rows):
    """Change the file of a segmenter in many ways, use what is loaded, and count what is not."""
    segmenter.save(path)
    document = json.loads(path.read_text("utf-8"))
    fixed = ("checksum", "format", "format_version", "segkit_version")
    places = [place for place in places_of(document) if place and place[0] not in fixed]
    refused = 0
    for _ in range(40):
        path.write_text(sealed(changed_at(document, rng.choice(places), rng)), "utf-8")
        try:
            loaded = segkit.load(path)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                loaded.predict(customers)
                loaded.transform(customers)
                if hasattr(customers, "columns"):
                    loaded.assign(customers)
                for row in rows:
                    loaded.predict_one(row)
        except SegkitError:
            refused += 1
    return refused


@pytest.mark.parametrize("name", SEGMENTERS)
def test_a_file_changed_on_purpose_raises_nothing_but_errors_of_segkit(
    name, fitted_ones, customers, tmp_path
):
    some = customers.head(8)
    rows = some.to_dict("records")
    path = tmp_path / "changed.json"
    assert n_refused(fitted_ones[name], path, random.Random(name), some, rows) > 10


@pytest.mark.filterwarnings("ignore::segkit.exceptions.SegkitWarning")
@pytest.mark.parametrize("name", OF_ARRAYS)
def test_and_so_does_one_of_an_array(name, customers, tmp_path):
    columns = ["recency_days", "frequency", "monetary", "order_days", "tenure_days"]
    array = customers[columns].to_numpy(np.float64)
    segmenter = clone(OF_ARRAYS[name]).fit(array)
    rows = [{**dict(enumerate(row)), "x1": row[1]} for row in array[:8].tolist()]
    path = tmp_path / "changed.json"
    assert n_refused(segmenter, path, random.Random(name), array[:8], rows) > 10


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (["learned", "columns", 0, "edges"], [1.0, 2.0], r"columns\[0\].edges must be a list of 4"),
        (["learned", "columns", 0, "edges"], [4.0, 3.0, 2.0, 1.0], "each at least the one before"),
        (["learned", "columns", 1, "n_bins"], 1, r"columns\[1\].n_bins must be at least 2"),
        (["learned", "columns", 2, "column"], "spend", "columns must be those that are read"),
        (["reads", "columns", 2], "spend", "feature_names must be the columns that are read"),
        (["segments", 0], "Best", "segment_map must be a map to the segments"),
        (["segments"], None, "segments must be list, got NoneType"),
        (["parameters"], [], "parameters must be an object, got list"),
    ],
)
def test_a_message_says_where_what_was_expected_and_what_there_is(
    path, document, place, value, message
):
    node = document
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    path.write_text(sealed(document), "utf-8")
    with pytest.raises(SegmenterFileError, match=rf"^segkit.load: 'scorer.json'.*{message}"):
        segkit.load(path)


def test_no_message_shows_names_of_customers(customers, path):
    groups = np.array(["ann@example.com", "bob@example.com"])[np.arange(len(customers)) % 2]
    RFMScorer(groups="who", n_bins=2).fit(customers.assign(who=groups)).save(path)
    document = json.loads(path.read_text("utf-8"))
    document["learned"]["groups"] = ["ann@example.com", "ann@example.com"]
    path.write_text(sealed(document), "utf-8")
    assert "ann@" not in refusal(path)


@pytest.mark.parametrize("names", [["A", "A", "C", "D"], ["A", "unassigned", "C", "D"]])
def test_names_of_segments_are_told_apart(customers, tmp_path, names):
    path = tmp_path / "tiers.json"
    ValueTierer().fit(customers).save(path)
    document = json.loads(path.read_text("utf-8"))
    path.write_text(sealed({**document, "segments": names}), "utf-8")
    assert "segments must be different names other than 'unassigned'" in refusal(path)


def test_a_table_of_a_segment_map_is_not_made_however_large_it_says_it_is(path, document):
    document["learned"]["segment_map"]["$segment_map"]["n_bins"] = [10**6, 10**6]
    path.write_text(sealed(document), "utf-8")
    refusal(path)


def test_tiers_of_two_columns_are_refused(customers, tmp_path):
    path = tmp_path / "tiers.json"
    ValueTierer().fit(customers).save(path)
    document = json.loads(path.read_text("utf-8"))
    document["reads"] |= {"columns": ["a", "b"], "feature_names": ["a", "b"], "n_features": 2}
    path.write_text(sealed(document), "utf-8")
    assert "those of one column" in refusal(path)
