"""What is measured of lifecycle stages and value tiers: ``assign`` in query engines, and fits."""

from typing import Any

from ._case import Case, Contestant
from ._targets import memory_at_most, seconds_at_most

_ENGINES = {"polars": "polars lazy", "duckdb": "DuckDB"}
_TWO_YEARS = (0, 730)
_LEARNED = {"RFMScorer": "scores", "ValueTierer": "tiers", "LifecycleStager": "stages"}


def buyers(n_rows: int) -> dict[str, dict[str, Any]]:
    """Return the arguments of ``write_buyers`` for the data of these cases."""
    return {
        "shoppers": {"n_customers": n_rows, "tenure": _TWO_YEARS},
        "tenth_of_shoppers": {"n_customers": max(n_rows // 10, 1), "tenure": _TWO_YEARS},
    }


def stage_cases(n_rows: int) -> list[Case]:
    """Return the cases of stages and tiers."""
    return [
        _in_engine("stages-in-engine", "lifecycle stages", "LifecycleStager"),
        _in_engine("tiers-in-engine", "value tiers", "ValueTierer"),
        _fits(n_rows),
        *(_fit_in_engine(*learned) for learned in _LEARNED.items()),
    ]


def _in_engine(name: str, what: str, segmenter: str) -> Case:
    data, options = {"customers": "shoppers"}, {"segmenter": segmenter}

    def ours(name: str, job: str, *, compared: bool = True, **more: str) -> Contestant:
        job = f"_jobs_stages.{job}"
        return Contestant(name, job, data, {**options, **more}, compared=compared)

    engines = []
    for engine, called in _ENGINES.items():
        engines += [
            ours(called, "assign_in_engine", engine=engine),
            ours(f"{called}, assign alone", "assign_alone", engine=engine),
            ours(f"{called}, file to file", "assign_file_to_file", engine=engine),
        ]
    return Case(
        name,
        f"Customer table to {what} inside query engines, without collecting it",
        [
            ours("pandas", "assign_eager"),
            Contestant("reading a column", "_jobs_pandas.read_column", data),
            *engines,
        ],
        [
            target
            for called in _ENGINES.values()
            for target in (
                seconds_at_most(f"{called}, assign alone", 0.05),
                memory_at_most(f"{called}, assign alone", 20),
            )
        ],
        [
            f"{segmenter}().assign with its defaults, fitted to the first 100,000 rows; a "
            "table of ten million customers and five columns takes 400 MB. pandas, polars lazy and "
            "DuckDB start from a table in memory and end with the customers of each label and the "
            "sums of the numbers that assign adds, so that all of it is computed.",
            "assign alone returns a LazyFrame or a DuckDBPyRelation, which the job makes sure of, "
            "and executes nothing: its time and memory show that no input is collected.",
            "file to file: scan_parquet, assign, sink_parquet, and read_parquet, assign, "
            "write_parquet, with all columns; the sums are of the file written.",
        ],
    )


def _fits(n_rows: int) -> Case:
    sizes = {"shoppers": n_rows, "tenth_of_shoppers": max(n_rows // 10, 1)}
    return Case(
        "stages-fit",
        "Customer table to fitted stages and tiers",
        [
            Contestant(
                f"{segmenter}, {size:,} customers",
                "_jobs_stages.fit",
                {"customers": data},
                {"segmenter": segmenter},
            )
            for segmenter in ("LifecycleStager", "ValueTierer")
            for data, size in sizes.items()
        ],
        notes=["With their defaults; `labels_` of every customer included."],
    )


def _fit_in_engine(segmenter: str, what: str) -> Case:
    data, options = {"customers": "shoppers"}, {"segmenter": segmenter}
    return Case(
        f"{what}-fit-in-engine",
        f"Customer table in Parquet to fitted {what}, inside query engines",
        [
            Contestant(called, "_jobs_stages.fit_file", data, {**options, "engine": engine})
            for engine, called in {"pandas": "pandas", **_ENGINES}.items()
        ],
        notes=[
            f"{segmenter}().fit of a scan of the file; pandas reads it first, and only the columns "
            "that are learned from. The sums are of all that was learned."
        ],
    )
