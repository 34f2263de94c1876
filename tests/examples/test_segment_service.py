"""The web service of the examples, started for real: right answers or a clean refusal."""

import http.client
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

import pytest

from fitted_segmenters import NAMES, fitted
from fitted_segmenters import customers as fitted_customers
from segkit import RFMScorer, summarize_transactions
from segkit.datasets import make_transactions

pytest.importorskip("flask", reason="the example needs Flask")
pytest.importorskip("waitress", reason="the example needs waitress")

CHECKOUT = Path(__file__).parents[2]
SERVICE = CHECKOUT / "examples" / "segment_service.py"
PAGE = CHECKOUT / "docs" / "user_guide" / "service.md"
FIELDS = ["recency_days", "frequency", "monetary"]
JSON = {"Content-Type": "application/json"}
# In CI a hundred thousand; elsewhere as many as take a few seconds.
N_REQUESTS = 100_000 if os.environ.get("CI") else 5_000
N_CLIENTS = 8

GOOD = {"recency_days": 5, "frequency": 12, "monetary": 80.0}
# Whatever is said of a customer, this must not be repeated.
SECRET = "ann@example.com"


@pytest.fixture(scope="module")
def customers():
    """The customers of the page."""
    log = make_transactions(2_000, random_state=0)
    return summarize_transactions(log, order_id="order_id", as_of="2026-01-01")


@pytest.fixture(scope="module")
def scorer(customers):
    return RFMScorer().fit(customers)


@pytest.fixture(scope="module")
def service(scorer, tmp_path_factory):
    """The port of the service, which runs in a process of its own; its errors must be none."""
    folder = tmp_path_factory.mktemp("service")
    scorer.save(folder / "rfm.json")
    with (folder / "errors.txt").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", SERVICE, folder / "rfm.json", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        said = process.stdout.readline()
        assert said.startswith("Listening on http://127.0.0.1:"), (
            folder / "errors.txt"
        ).read_text()
        yield int(said.rsplit(":", 1)[1])
        assert process.poll() is None, "the service ended by itself"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert (folder / "errors.txt").read_text() == ""


class Client:
    """A connection that is kept open."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, body, headers=JSON, *, path="/segment", method="POST"):
        """Return the status and the JSON of an answer."""
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        said = answer.read()
        assert answer.getheader("Content-Type") == "application/json", said
        return answer.status, json.loads(said)


@pytest.fixture
def client(service):
    client = Client(service)
    yield client
    client.connection.close()


def with_values(**values):
    """Return the body of a good customer with other values."""
    return json.dumps({**GOOD, **values}).encode()


def without(field):
    """Return the body of a good customer without a field."""
    return json.dumps({name: value for name, value in GOOD.items() if name != field}).encode()


# What is sent, the status that it must get, and a word of the reason.
BAD = {
    "no body": (b"", 400, "no JSON"),
    "cut off": (b'{"recency_days": 5, "freq', 400, "no JSON"),
    "text": (SECRET.encode(), 400, "no JSON"),
    "a number": (b"5", 400, "JSON object"),
    "null": (b"null", 400, "JSON object"),
    "a list of customers": (json.dumps([GOOD]).encode(), 400, "JSON object"),
    "text as JSON": (json.dumps(SECRET).encode(), 400, "JSON object"),
    "NaN": (with_values(monetary=float("nan")), 400, "NaN is no JSON"),
    "Infinity": (with_values(monetary=float("inf")), 400, "Infinity is no JSON"),
    "a field twice": (b'{"frequency": 1, "frequency": 2}', 400, "twice"),
    "a field twice, deep": (with_values()[:-1] + b', "x": {"y": 1, "y": 2}}', 400, "twice"),
    "no UTF-8": (b'{"recency_days": "\xff\xfe"}', 400, "UTF-8"),
    "UTF-16": (json.dumps(GOOD).encode("utf-16"), 400, "UTF-8"),
    "half a character": (with_values(frequency="\ud800"), 422, "'frequency' must be a number"),
    "a byte order mark": (b"\xef\xbb\xbf" + with_values(), 400, "no JSON"),
    "nested deeply": (b'{"a":' * 2_500 + b"1" + b"}" * 2_500, 400, "nested"),
    "lists nested deeply": (b"[" * 16_000, 400, "nested"),
    "too many digits": (b'{"frequency": ' + b"9" * 5_000 + b"}", 400, "digits"),
    "no fields": (b"{}", 422, "'recency_days'"),
    "one field less": (without("monetary"), 422, "'monetary'"),
    "a field in another case": (without("monetary")[:-1] + b', "Monetary": 1}', 422, "'monetary'"),
    "a missing value": (with_values(monetary=None), 422, "'monetary' contains NaN"),
    "text for a number": (with_values(frequency=SECRET), 422, "'frequency' must be a number"),
    "a number as text": (with_values(frequency="12"), 422, "'frequency' must be a number"),
    "emoji for a number": (with_values(frequency="🎉"), 422, "'frequency' must be a number"),
    "true for a number": (with_values(frequency=True), 422, "'frequency' must be a number"),
    "a list for a number": (with_values(frequency=[12]), 422, "'frequency' must be a number"),
    "an object for a number": (with_values(frequency={"n": 12}), 422, "'frequency' must be"),
    "a negative count": (with_values(frequency=-1), 422, "'frequency' is negative"),
    "more than a float": (with_values(monetary=10**400), 422, "'monetary' must be a number"),
    "as much as infinite": (with_values()[:-5] + b"1e999}", 422, "'monetary' contains infinity"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_its_reason_and_nothing_of_the_customer(client, case):
    body, status, reason = BAD[case]
    found, answer = client.ask(body)
    assert found == status, answer
    assert list(answer) == ["error"]
    assert reason in answer["error"]
    assert SECRET not in answer["error"]


@pytest.mark.parametrize("size", [16_384, 1_000_000])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_body_of_more_than_a_customer_can_have_is_refused(service, size, in_chunks):
    body = json.dumps({**GOOD, "note": SECRET * size}).encode()[: size + 1]
    connection = http.client.HTTPConnection("127.0.0.1", service, timeout=30)
    with suppress(ConnectionError):  # it does not listen to the end
        connection.request("POST", "/segment", iter([body]) if in_chunks else body, JSON)
    answer = connection.getresponse()
    assert answer.status == 413
    assert SECRET.encode() not in answer.read()
    connection.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Content-Type": "application/vnd.customer+json"}, 200),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({}, 415),
    ],
)
def test_only_json_is_read(client, headers, status):
    assert client.ask(with_values(), headers)[0] == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/segment", 405),
        ("PUT", "/segment", 405),
        ("POST", "/health", 405),
        ("POST", "/segment/", 404),
        ("GET", "/../rfm.json", 404),
        ("GET", "/s%C3%A9gment", 404),
    ],
)
def test_other_addresses_are_refused_in_json(client, method, path, status):
    found, answer = client.ask(b"", {}, path=path, method=method)
    assert (found, list(answer)) == (status, ["error"])


def test_health_names_fields_and_segments(client, scorer):
    assert client.ask(None, {}, path="/health", method="GET") == (
        200,
        {"segmenter": "RFMScorer", "fields": FIELDS, "segments": scorer.segments_.tolist()},
    )


def test_further_fields_are_ignored_whatever_they_hold(client, scorer):
    # The best in each of three columns, by the definition of the standard map.
    best = {"recency_days": 0, "frequency": 10**6, "monetary": 1e300}
    further = {"e-mail": SECRET, "🎉": None, "": {"a": [1, {"b": "ü"}]}, "segment": "Lost"}
    assert client.ask(json.dumps({**best, **further})) == (
        200,
        {"segment": "Champions", "code": 0},
    )


def test_the_answers_on_the_page_are_those_of_the_service(client):
    shown = re.findall(
        r"^\$ curl localhost:8000/segment --json '(.*)'\n(.*)$", PAGE.read_text(), re.M
    )
    assert len(shown) == 5
    assert [client.ask(body)[1] for body, _ in shown] == [json.loads(said) for _, said in shown]


def test_a_customer_who_sends_half_a_request_keeps_nobody_waiting(service, client):
    # One more than there are threads.
    stalled = [socket.create_connection(("127.0.0.1", service)) for _ in range(5)]
    for connection in stalled:
        connection.sendall(
            b"POST /segment HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b'Content-Length: 500\r\n\r\n{"recency_days": 5'
        )
    assert client.ask(with_values())[0] == 200
    for connection in stalled:
        connection.close()
    assert client.ask(with_values())[0] == 200


@pytest.mark.parametrize("length", [b"-5", b"five", b"9" * 30, b"1, 2"])
def test_a_length_that_is_none_is_refused(service, length):
    with socket.create_connection(("127.0.0.1", service), timeout=30) as connection:
        connection.sendall(
            b"POST /segment HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: " + length + b"\r\n\r\n" + with_values()
        )
        status = connection.recv(1_000).split()[1]
    assert status in (b"400", b"413")


def test_a_body_in_chunks_is_read(client):
    body = with_values()
    status, answer = client.ask(iter([body[:10], body[10:]]))
    assert (status, list(answer)) == (200, ["segment", "code"])


def test_every_request_of_several_threads_gets_its_own_answer(service, customers, scorer):
    rows = customers[FIELDS].to_dict("records")
    # What a frame of all customers gives.
    names, codes = scorer.predict_segments(customers).tolist(), scorer.predict(customers).tolist()
    requests = [
        (json.dumps({**row, "note": "é🎉"}).encode(), 200, {"segment": name, "code": code})
        for row, name, code in zip(rows, names, codes, strict=True)
    ]
    refused = [(body, status, None) for body, status, _ in BAD.values()]
    # After every fourth customer comes one that is refused.
    mixed = [one for four in zip(*[iter(requests)] * 4, cycle(refused)) for one in four]
    statuses, wrong = Counter(), []

    def ask_in_turn(first):
        client = Client(service)
        found = Counter()
        for body, status, expected in islice(cycle(mixed), first, first + N_REQUESTS // N_CLIENTS):
            got, answer = client.ask(body)
            found[got] += 1
            if got != status or (expected is not None and answer != expected):
                wrong.append((got, answer, status, expected))
        client.connection.close()
        statuses.update(found)

    clients = [threading.Thread(target=ask_in_turn, args=(17 * k,)) for k in range(N_CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    assert wrong == []
    assert sum(statuses.values()) == N_REQUESTS
    assert set(statuses) == {200, 400, 422}


# Values that JSON can hold, in whatever field.
VALUES = [None, True, False, 0, -1, 1, 12.5, 2**63, 10**30, 10**400, 1e308, -1e308, 5e-324]
VALUES += ["", "12", "Web", "NaN", "🎉", "\ud800", "x" * 9_000, [], [1], [[1], {}], {}, {"a": None}]
# Those that no file of JSON holds.
NOT_SAVED = {"stages, alive", "tiers, predicted", "clusters, mixture"}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_SAVED])
def test_every_kind_of_segmenter_is_served(name, tmp_path):
    segmenter = fitted(name)
    segmenter.save(tmp_path / "segmenter.json")
    spec = importlib.util.spec_from_file_location("segment_service", SERVICE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    client = module.create_app(tmp_path / "segmenter.json").test_client()
    table = fitted_customers()
    fields = [str(field) for field in segmenter.feature_names_in_]
    # The rows as pandas writes them as JSON, missing values as null.
    rows = json.loads(table.head(50)[fields].to_json(orient="records"))
    said = [client.post("/segment", json=row) for row in rows]
    known = [k for k, answer in enumerate(said) if answer.status_code == 200]
    assert len(known) > 30
    expected = segmenter.predict_segments(table.iloc[known]).tolist()
    assert [said[k].json["segment"] for k in known] == expected
    for field in fields:
        for value in VALUES:
            answer = client.post("/segment", json={**rows[0], field: value})
            assert answer.status_code in (200, 422), (field, value)
            assert list(answer.json) in (["segment", "code"], ["error"])


@pytest.mark.parametrize(
    ("written", "reason"),
    [(None, "No such file"), (b"", ""), (b'{"format": "x"}', ""), (b"\x80\x04cos\nsystem\n.", "")],
)
def test_a_file_that_is_none_of_a_segmenter_ends_the_service_with_its_reason(
    tmp_path, written, reason
):
    file = tmp_path / "rfm.json"
    if written is not None:
        file.write_bytes(written)
    ran = subprocess.run(
        [sys.executable, SERVICE, file, "--port", "0"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("segment_service: ")
    assert "Traceback" not in ran.stderr
    assert reason in ran.stderr
