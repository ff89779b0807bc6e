"""On Spark every table of every format is translated to the rows that DuckDB makes of it."""

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from engines.vendors import SAMPLES, vendor_tables
from handraise.events.formats.batches import LINE
from handraise.events.translated import parts_of, table_of, tables_among
from handraise.warehouse.engines.duckdb import DuckDBEngine
from handraise.warehouse.engines.protocol import Engine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
NAMES = sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir())


def rows_of(engine: Engine, name: str, table: str, columns: tuple[str, ...], sql: str) -> dict[str, list[str]]:
    """Input → its rows as sorted texts, for one table of a format."""
    kind = table_of(name, table, columns)
    assert kind is not None
    found = {}
    for input_name, part in parts_of(name, kind, table, engine.theirs(f"source_of_{table}"[:40], sql)).items():
        rows = part.rows.drop(LINE)
        fetched = engine.fetch(engine.sql(rows), rows.schema()).to_pylist()
        found[input_name] = sorted(str({c: plain(c, value) for c, value in row.items()}) for row in fetched)
    return found


def plain(column: str, value: Any) -> Any:
    """White space in JSON means nothing."""
    return json.loads(value, object_pairs_hook=list) if column == "properties" and value else value


def test_translations_are_those_of_duckdb(spark: "SparkSession") -> None:
    from handraise.warehouse.engines.spark import SparkEngine

    engine = SparkEngine(spark, "handraise_formats")
    spark.sql("CREATE DATABASE IF NOT EXISTS app")
    here = DuckDBEngine.open(None)
    for name in NAMES:
        for table, data in vendor_tables(name, SAMPLES / name).items():
            columns = tuple(data.column_names)
            # Words of a table's own are made plain here: Spark has no catalog for every sample.
            lent = f"{name}_{table}"
            engine.lend(lent, data)
            here.lend(lent, data)
            on_spark = rows_of(engine, name, table, columns, f"SELECT * FROM {lent}")  # noqa: S608
            assert on_spark == rows_of(here, name, table, columns, f"SELECT * FROM {lent}"), lent  # noqa: S608
    spark.createDataFrame(
        pa.table({"id": ["1"], "user_id": ["u"], "received_at": ["x"], "context_ip": [""]})
    ).selectExpr("*", "'e' AS event").write.mode("overwrite").saveAsTable("app.tracks")
    assert tables_among("segment", "app", engine.tables_in("app")) == {"tracks": "tracks"}
    assert engine.their_name("app", "tracks") == "`app`.`tracks`"
    here.close()
