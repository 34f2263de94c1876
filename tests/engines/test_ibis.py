"""The customer table and the segments of ibis tables, and the SQL that they become."""

import io
import math
import warnings

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest
from sklearn.base import clone

from frames import rows_of
from segkit import (
    ClusterSegmenter,
    CrossSegmenter,
    LifecycleStager,
    RFMScorer,
    RuleSegmenter,
    ValueTierer,
    summarize_transactions,
)
from segkit._ibis_tables import legible
from segkit.datasets import make_transactions
from segkit.exceptions import SegkitWarning

ibis = pytest.importorskip("ibis", reason="ibis is not installed")
sqlglot = pytest.importorskip("sqlglot")

DIALECTS = ("duckdb", "bigquery", "snowflake", "postgres")
POSTGRES_TYPES = {
    "int64": "bigint",
    "double": "float8",
    "string": "text",
    "bool": "boolean",
    "timestamp[us]": "timestamp",
}
NUMBERS = ["recency_days", "frequency", "monetary", "tenure_days", "order_days"]

LOG = make_transactions(400, random_state=5)
CUSTOMERS = summarize_transactions(LOG, extras="last_gap").assign(
    country=lambda table: np.resize(["DE", "FR", "Côte d'Ivoire", "US"], len(table)),
    opted_out=lambda table: np.resize([False, False, True], len(table)),
)

RULES = [
    {"name": "Left", "when": {"column": "opted_out", "equals": True}},
    {"name": "Can't say", "when": {"column": "monetary", "missing": True}},
    {
        "name": "Francophone spenders",
        "when": {
            "all": [
                {"column": "country", "in": ["FR", "Côte d'Ivoire"]},
                {"column": "monetary", "at_least": 100, "below": 1_000},
            ]
        },
    },
    {"name": "Once", "when": {"not": {"column": "frequency", "at_least": 2}}},
]
SEGMENTERS = {
    "rfm": RFMScorer(missing="unassigned"),
    "rfm by country": RFMScorer(groups="country", missing="unassigned", n_bins=3),
    "rfm nested": RFMScorer(binning="nested", missing="unassigned"),
    "stages": LifecycleStager(),
    "stages by days": LifecycleStager(method="fixed"),
    "tiers": ValueTierer(missing="unassigned"),
    "tiers by quantiles": ValueTierer(method="quantile", missing="unassigned"),
    "rules": RuleSegmenter(RULES),
    "crossing": CrossSegmenter(
        [RFMScorer(missing="unassigned"), ValueTierer(missing="unassigned")], max_segments=8
    ),
    "clusters": ClusterSegmenter(
        n_segments=4, columns=["recency_days", "frequency", "monetary"], random_state=0
    ),
}


#: Those that ask for more than the customer table has.
NEED_MORE = ("rfm by country", "rules")


@pytest.fixture(scope="module", params=SEGMENTERS)
def fitted(request):
    return quietly_fitted(SEGMENTERS[request.param], CUSTOMERS)


def quietly_fitted(segmenter, customers):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        return clone(segmenter).fit(customers)


def hostile() -> pa.Table:
    """Customers with ties, nulls, NaN, infinities, negative zeros and values beyond the data."""
    money = [None, np.nan, np.inf, -0.0, 0.0, 1.0, 1.0, 5e-324, 1e300, -np.inf, -1e300, -1.0]
    days = [None, np.nan, np.inf, -0.0, 0.0, 1.0, 1.0, 1e9]
    rng = np.random.default_rng(0)
    columns = {"customer_id": pa.array(range(600))}
    for name in NUMBERS:
        drawn = CUSTOMERS[name].sample(600, replace=True, random_state=1).tolist()
        values = (money if name == "monetary" else days) * 5
        places = rng.choice(600, size=len(values), replace=False)
        for place, value in zip(places, values, strict=True):
            drawn[place] = value
        columns[name] = pa.array(drawn, type=pa.float64())
    # Nobody is inactive for longer than they are known.
    columns["tenure_days"] = pc.max_element_wise(columns["tenure_days"], columns["recency_days"])
    gaps = pa.array([None, 3.0, 40.0, np.nan, 300.0] * 120, type=pa.float64())
    columns["last_gap_days"] = pc.min_element_wise(columns["tenure_days"], gaps, skip_nulls=False)
    columns["country"] = pa.array(["DE", None, "FR", "Côte d'Ivoire", "XX"] * 120)
    columns["opted_out"] = pa.array([False, None, True, False, False] * 120)
    return pa.table(columns)


def connected(table, name="customers"):
    """Return a DuckDB connection that holds a table."""
    connection = duckdb.connect()
    connection.execute("CREATE MACRO ieee_divide(one, other) AS one / other")  # of BigQuery
    connection.register("given", table)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
    return connection


OPTIONS = {"as_of": "2025-06-30", "extras": ["returns", "clv", "last_gap"], "order_id": "order_id"}


def awkward_log() -> pa.Table:
    """Return a log with returns, free orders, customers with bad rows, and a leap day."""
    log = LOG.copy()
    log.loc[::13, "amount"] *= -1
    log.loc[::29, "amount"] = 0
    log.loc[:2, "timestamp"] = pd.Timestamp("2024-02-29 23:59:59")
    table = pa.Table.from_pandas(log, preserve_index=False)
    bad = pa.table(
        {
            "customer_id": pa.array([1, 2, 3, 4, None, -1]),
            "timestamp": pa.array([*log["timestamp"][:3], None, *log["timestamp"][3:5]]).cast(
                "timestamp[us]"
            ),
            "amount": pa.array([None, np.nan, np.inf, 10.0, 10.0, 1e12]),
            "order_id": pa.array([1, 2, 3, 4, 5, 6]),
        }
    )
    return pa.concat_tables([table, bad.cast(table.schema)])


def expected_table(log):
    """Return what pandas makes of the customers without bad rows, and nulls for the others."""
    is_bad = [1, 2, 3, 4]
    frame = log.to_pandas()
    rows = rows_of(
        summarize_transactions(
            frame[~frame["customer_id"].isin(is_bad) & frame["customer_id"].notna()].astype(
                {"customer_id": "int64"}
            ),
            **OPTIONS,
        ),
        "customer_id",
    )
    nothing = dict.fromkeys(rows[0])
    bad = [{**nothing, "customer_id": one} for one in [*is_bad, None]]
    return sorted(rows + bad, key=by_id)


def by_id(row):
    return row["customer_id"] is None, row["customer_id"]


def test_the_customer_table_is_that_of_pandas():
    log = awkward_log()
    table = ibis.duckdb.from_connection(connected(log, "log")).table("log")
    found = summarize_transactions(table, **OPTIONS)
    assert isinstance(found, ibis.Table)
    assert_same_rows(rows_of(found, "customer_id"), expected_table(log))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sql_gives_the_customer_table_of_python_row_by_row(dialect):
    log = awkward_log()
    (read,) = sqlglot.transpile(table_sql(log, dialect), read=dialect, write="duckdb")
    found = rows_of(connected(log, "log").sql(read), "customer_id")
    assert_same_rows(found, expected_table(log))


def test_postgres_gives_the_customer_table_of_python_row_by_row(postgres):
    log = awkward_log()
    in_postgres(postgres, log, "log")
    found = pd.read_csv(
        io.StringIO(postgres.sql(table_sql(log, "postgres"))),
        parse_dates=["first_order", "last_order"],
    )
    assert_same_rows(rows_of(found, "customer_id"), expected_table(log))


def table_sql(log, dialect):
    """Return the SQL of a customer table, written without a connection."""
    table = summarize_transactions(ibis.table(log.schema, name="log"), **OPTIONS)
    return str(ibis.to_sql(table, dialect=dialect))


def assert_same_rows(found, expected):
    assert [list(row) for row in found] == [list(row) for row in expected]
    for one, other in zip(found, expected, strict=True):
        for name, value in one.items():
            same = value == other[name] or value == pytest.approx(other[name], rel=1e-12)
            assert same, (name, value, other[name])


def test_segments_are_those_of_pandas(fitted):
    table = ibis.duckdb.from_connection(connected(CUSTOMERS)).table("customers")
    found = rows_of(fitted.assign(table), "customer_id")
    assert_same_rows(found, rows_of(fitted.assign(CUSTOMERS), "customer_id"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sql_gives_the_segments_of_python_row_by_row(fitted, dialect):
    table = hostile()
    written = sql_of(fitted, table, dialect)
    (read,) = sqlglot.transpile(written, read=dialect, write="duckdb")
    assert_as_in_python(fitted, table, rows_of(connected(table).sql(read), "customer_id"))


def test_postgres_gives_the_segments_of_python_row_by_row(fitted, postgres):
    table = hostile()
    in_postgres(postgres, table)
    found = pd.read_csv(
        io.StringIO(postgres.sql(sql_of(fitted, table, "postgres"))), dtype={"rfm_cell": "str"}
    )
    assert_as_in_python(fitted, table, rows_of(found, "customer_id"))


def in_postgres(postgres, table, name="customers"):
    columns = ", ".join(f"{field.name} {POSTGRES_TYPES[str(field.type)]}" for field in table.schema)
    rows = pa.BufferOutputStream()
    pa.csv.write_csv(table, rows, pa.csv.WriteOptions(include_header=False))
    postgres.sql(f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({columns})")
    postgres.sql(f"COPY {name} FROM STDIN (FORMAT csv)", given=rows.getvalue().to_pybytes())


def sql_of(fitted, table, dialect):
    """Return the SQL of segments, written without a connection."""
    assigned = fitted.assign(ibis.table(table.schema, name="customers"))
    return str(ibis.to_sql(assigned, dialect=dialect))


def assert_as_in_python(fitted, table, found):
    """Compare what assign adds; whoever has an infinite number is unassigned in engines."""
    customers = table.to_pandas()
    used = [name for name in NUMBERS if name in fitted.feature_names_in_]
    infinite = np.isinf(customers[used]).any(axis=1).set_axis(customers["customer_id"])
    expected = rows_of(fitted.assign(customers[~infinite.to_numpy()]), "customer_id")
    added = [name for name in expected[0] if name not in table.column_names]
    finite = [row for row in found if not infinite[row["customer_id"]]]
    assert_same_rows(
        [{name: row[name] for name in added} for row in finite],
        [{name: row[name] for name in added} for row in expected],
    )
    label = fitted._label_column
    others = [row[label] for row in found if infinite[row["customer_id"]]]
    assert others == ["unassigned"] * infinite.sum()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sql_is_short_flat_and_has_the_names(fitted, dialect):
    table = hostile()
    (read,) = sqlglot.parse(sql_of(fitted, table, dialect), read=dialect)
    added = [name for name in fitted.assign(CUSTOMERS) if name not in CUSTOMERS]
    assert read.named_selects == [*table.column_names, *added]
    texts = {literal.this for literal in read.find_all(sqlglot.exp.Literal) if literal.is_string}
    assert {*fitted.segments_, "unassigned"} <= texts
    # The table, its clean columns, scores or up to three steps of distances, codes, names; a
    # crossing has those of its parts.
    assert len(list(read.find_all(sqlglot.exp.Select))) <= 8
    cases = list(read.find_all(sqlglot.exp.Case))
    assert not any(isinstance(case.args.get("default"), sqlglot.exp.Case) for case in cases)


def test_upper_case_columns_of_a_warehouse_are_renamed_on_the_way():
    stored = ibis.table({"CUSTOMER_ID": "int64", "MONETARY": "decimal(12, 2)"}, name="CUSTOMERS")
    tierer = ValueTierer().fit(CUSTOMERS)
    assigned = tierer.assign(stored.rename("snake_case"))
    written = str(ibis.to_sql(assigned, dialect="snowflake"))
    (read,) = sqlglot.transpile(written, read="snowflake", write="duckdb")
    connection = duckdb.connect()
    connection.execute('CREATE TABLE "CUSTOMERS" ("CUSTOMER_ID" BIGINT, "MONETARY" DECIMAL(12, 2))')
    money = CUSTOMERS["monetary"].round(2).head(50)
    for one, value in enumerate(money):
        connection.execute('INSERT INTO "CUSTOMERS" VALUES (?, ?)', [one, value])
    found = rows_of(connection.sql(read), "customer_id")
    assert [row["value_tier"] for row in found] == tierer.predict_segments(
        money.to_frame()
    ).tolist()


def test_simpler_expressions_have_the_same_values():
    rows = pa.table({"x": [None, 0.5, 1.0, 4.0], "seen": [None, True, False, None]})
    table = ibis.duckdb.from_connection(connected(rows, "rows")).table("rows")
    x, seen = table["x"], table["seen"]
    nested = ibis.cases((x > 3, 1), else_=ibis.cases((x > 0.7, 2), else_=ibis.cases((x > 0, 3))))
    by_constants = ibis.cases((ibis.literal(4) != 0, 1), else_=2.5)
    columns = {
        "nested": nested,
        "known": ~(x == x).isnull(),  # noqa: PD003
        "chosen": by_constants,
    }
    columns["log"] = x.log(ibis.literal(math.e))
    expressions = [
        table.mutate(**columns),
        table.aggregate(any=seen.any().cast("int8")),
        table.filter(x > 9).aggregate(any=seen.any().cast("int8")),  # null: there is no row
    ]
    for expression in expressions:
        simpler = legible(expression)
        assert simpler.schema() == expression.schema()
        assert_same_rows(
            rows_of(simpler, simpler.columns[0]), rows_of(expression, simpler.columns[0])
        )


@pytest.fixture(scope="module")
def shoppers(online_retail):
    """Return the log of Online Retail without rows of nobody, and its customer table."""
    log = online_retail.dropna(subset="customer_id").astype({"customer_id": "int64"})
    return log, summarize_transactions(log, order_id="order_id", as_of="2011-12-10")


@pytest.mark.realdata
def test_online_retail_is_summarized_in_ibis_and_in_postgres_as_in_pandas(shoppers, postgres):
    log, customers = shoppers
    columns = ["customer_id", "timestamp", "amount", "order_id"]
    rows = pa.Table.from_pandas(log[columns], preserve_index=False)
    rows = rows.set_column(1, "timestamp", rows["timestamp"].cast("timestamp[us]"))
    rows = rows.set_column(3, "order_id", rows["order_id"].cast("string"))
    options = {"order_id": "order_id", "as_of": "2011-12-10"}
    written = summarize_transactions(ibis.table(rows.schema, name="log"), **options)
    in_postgres(postgres, rows, "log")
    from_postgres = pd.read_csv(
        io.StringIO(postgres.sql(str(ibis.to_sql(written, dialect="postgres")))),
        parse_dates=["first_order", "last_order"],
    )
    bound = ibis.duckdb.from_connection(connected(rows, "log")).table("log")
    expected = rows_of(customers, "customer_id")
    assert_same_rows(rows_of(from_postgres, "customer_id"), expected)
    assert_same_rows(rows_of(summarize_transactions(bound, **options), "customer_id"), expected)


@pytest.mark.realdata
@pytest.mark.parametrize("name", [name for name in SEGMENTERS if name not in NEED_MORE])
def test_sql_gives_the_segments_of_online_retail_row_by_row(name, shoppers, postgres):
    customers = shoppers[1]
    table = pa.Table.from_pandas(customers, preserve_index=False)
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(place, field.name, table[place].cast("timestamp[us]"))
    fitted = quietly_fitted(SEGMENTERS[name], customers)
    connection = connected(table)
    for dialect in DIALECTS:
        written = sql_of(fitted, table, dialect)
        (read,) = sqlglot.transpile(written, read=dialect, write="duckdb")
        assert_as_in_python(fitted, table, rows_of(connection.sql(read), "customer_id"))
    in_postgres(postgres, table)
    found = postgres.sql(sql_of(fitted, table, "postgres"))
    read = pd.read_csv(io.StringIO(found), dtype={"rfm_cell": "str"})
    assert_as_in_python(fitted, table, rows_of(read, "customer_id"))
