"""Spark gives the bytes that DuckDB gives, on a cluster of more than one executor, from tables that stay where they are.

Spark takes its time with many small steps, so one company goes through everything in one test.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engines.company import PLAYBOOK, arrow, company, edges_of
from handraise.events import in_place
from handraise.playbook.load import parse_playbook
from handraise.scores import history
from handraise.service import project as projects
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.tables import create_missing
from support import DAY, NOW, T, Tables, ev, export_bytes, load_folder, memory_project, write

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Spark's Python side leaves its sockets to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def put(spark: "SparkSession", tables: Tables) -> None:
    """Tables of the company in the catalog, in several files each."""
    spark.sql("CREATE DATABASE IF NOT EXISTS own")
    for name, rows in tables.items():
        frame = spark.createDataFrame(arrow(rows))
        if name == "events":
            frame = frame.selectExpr("*", "CAST(timestamp AS TIMESTAMP) AS at").drop("timestamp").repartition(2)
        frame.write.mode("overwrite").format("parquet").saveAsTable(f"own.{name}")


def project_on(spark: "SparkSession", tables: Tables) -> projects.Project:
    """A project of warehouse mode on the cluster."""
    from handraise.warehouse.engines.spark import SparkEngine

    listed = "".join(f"    {name}: own.{name}\n" for name in tables if name != "events")
    text = (
        f"{PLAYBOOK}\nwarehouse:\n  engine: spark\n  connection: OUR_SPARK\n  sources:\n"
        f"    events: {{table: own.events, columns: {{timestamp: at}}}}\n{listed}"
    )
    warehouse = Warehouse(engine=SparkEngine(spark, "handraise"))
    in_place.make_tables(warehouse)
    create_missing(warehouse)
    history.make_tables(warehouse)
    loaded = parse_playbook(text, name="handraise.yaml", path=None)
    return projects.Project(folder=Path(), loaded=loaded, warehouse=warehouse)


def exported(project: projects.Project) -> dict[str, bytes]:
    # Spark puts the column that a table is parted by last.
    columns = ("as_of", "person_id", "account_id", "score", "label", "points")
    rows = project.warehouse.table("person_history").select(*columns).order_by(*columns[:3])
    return {**export_bytes(project), "history": str(project.warehouse.rows(rows).to_pylist()).encode()}


def by_file(folder: Path, tables: Tables) -> dict[str, bytes]:
    """The same company loaded from files into DuckDB."""
    with memory_project(PLAYBOOK) as project:
        load_folder(project, write(folder, tables))
        projects.refresh(project, [T], now=NOW)
        return exported(project)


def test_the_same_company_on_a_cluster_and_in_files(spark: "SparkSession", tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    tables = company(count=60)
    put(spark, tables)
    project = project_on(spark, tables)
    assert spark.sparkContext.master.startswith("local-cluster[2")
    projects.read_sources(project)
    assert projects.refresh(project, [T], now=NOW).days_rolled_up > 30
    assert exported(project) == by_file(tmp_path / "files", tables)
    with memory_project(PLAYBOOK) as in_files:
        load_folder(in_files, tmp_path / "files")
        projects.refresh(in_files, [T], now=NOW)
        assert edges_of(project) == edges_of(in_files), "the same triggers fire"
    # A late event and a correction: their days are made anew, the others are left as they are.
    late = {**ev("export", 33 * DAY, "p1", "w1"), "event_id": "late"}
    kept = tables["events"]
    changed = {**tables, "events": [{**kept[0], "name": "limit_reached"}, *kept[1:], late]}
    put(spark, changed)
    projects.read_sources(project)
    assert 0 < projects.refresh(project, [T], now=NOW).days_rolled_up < 10
    assert exported(project) == by_file(tmp_path / "files_now", changed)
