"""A web service that tells a customer's segment, from the file of a fitted segmenter.

::

    pip install flask waitress
    python segment_service.py rfm.json --port 8000

``POST /segment`` takes one customer as a JSON object and answers ``{"segment": ..., "code": ...}``;
further fields are ignored, and ``null`` stands for a missing value. ``GET /health`` names the
fields and the segments. What cannot be answered gets ``{"error": ...}`` and 400 (no JSON object),
413 (too large), 415 (no JSON) or 422 (no customer). No answer repeats what was sent.
"""

import argparse
import json
import logging
import sys
from typing import Any, NoReturn

import waitress
from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

import segkit
from segkit.exceptions import SegkitError

MOST_BYTES = 16_384


def create_app(path: str) -> Flask:
    """Return the service for a file, for any WSGI server."""
    segmenter = segkit.load(path)
    fields = [str(name) for name in getattr(segmenter, "feature_names_in_", ())]
    if not fields:
        raise SegkitError("the segmenter was fitted on an array, which names no fields")
    segments = [str(name) for name in segmenter.segments_]
    code_of = {name: code for code, name in enumerate(segments)}

    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.json.sort_keys = False

    @app.get("/health")
    def health() -> dict[str, Any]:
        kind = type(segmenter).__name__
        return {"segmenter": kind, "fields": fields, "segments": segments}

    @app.post("/segment")
    def segment() -> dict[str, Any]:
        if not request.is_json:
            abort(415, "Send JSON, with the header Content-Type: application/json.")
        customer = customer_in(request.get_data())
        if absent := [name for name in fields if name not in customer]:
            abort(422, f"The customer has no {absent[0]!r}; null stands for a missing value.")
        try:
            name = segmenter.predict_one({field: customer[field] for field in fields})
        except SegkitError as error:
            abort(422, str(error))
        return {"segment": name, "code": code_of.get(name, -1)}

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        refusal = error.get_response()
        refusal.data = json.dumps({"error": error.description})
        refusal.content_type = "application/json"
        return refusal

    return app


def customer_in(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, or refuse with 400."""
    try:
        customer = json.loads(
            body.decode(), parse_constant=refuse_constant, object_pairs_hook=without_doubles
        )
    except json.JSONDecodeError as error:
        abort(400, f"The body is no JSON: {error}.")
    except (ValueError, RecursionError):
        abort(400, "The body is no UTF-8, nested too deeply, or has a number of too many digits.")
    if not isinstance(customer, dict):
        abort(400, "The body must be one customer: a JSON object of fields and values.")
    return customer


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON does not know."""
    abort(400, f"{name} is no JSON; null stands for a missing value.")


def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of an object, of which none may be there twice."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        abort(400, "A field is there twice.")
    return fields


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Tells customers' segments over HTTP.")
    parser.add_argument("file", help="what segmenter.save(file) wrote")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes one that is free")
    parser.add_argument("--threads", type=int, default=4)
    given = parser.parse_args()
    try:
        app = create_app(given.file)
    except (OSError, SegkitError) as error:
        sys.exit(f"segment_service: {error}")
    server = waitress.create_server(
        app,
        host=given.host,
        port=given.port,
        threads=given.threads,
        max_request_body_size=MOST_BYTES,
    )
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a short queue is no news
    # A name like localhost may stand for several addresses, which have no one port.
    port = getattr(server, "effective_port", given.port)
    print(f"Listening on http://{given.host}:{port}", flush=True)
    server.run()


if __name__ == "__main__":
    main()
