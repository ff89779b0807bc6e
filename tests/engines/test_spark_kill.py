"""A run on Spark that is killed in the middle of its roll-ups: Spark takes nothing back, and the next run is right all the same.

Every run is a process of its own, with a catalog that outlives it, as a company's nightly job has it.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engines.company import PLAYBOOK, company
from engines.test_spark import by_file
from handraise.service import project as projects

DEFAULTS = """
spark.ui.enabled false
spark.ui.showConsoleProgress false
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.sql.shuffle.partitions 2
spark.sql.adaptive.enabled false
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""
# Puts the company's tables into the catalog, and dies as soon as one of the three tables of a day is stored.
KILLED = """
import os, signal, sys
from pathlib import Path
from pyspark.sql import SparkSession
from engines.company import company
from engines.test_spark import put
from handraise.service import project as projects
from support import NOW, T
put(SparkSession.builder.master("local[2]").enableHiveSupport().getOrCreate(), company(count=20))
def die(step):
    if step.name == "person_days":
        os.kill(os.getpid(), signal.SIGKILL)
with projects.open_project(Path(sys.argv[1]), environment={"OUR_SPARK": "local[2]"}) as project:
    project.warehouse.on_step = die
    projects.read_sources(project)
    projects.refresh(project, [T], now=NOW)
"""
FINISHED = """
import pickle, sys
from pathlib import Path
from engines.test_spark import exported
from handraise.service import project as projects
from support import NOW, T
with projects.open_project(Path(sys.argv[1]), environment={"OUR_SPARK": "local[2]"}) as project:
    assert project.warehouse.interrupted
    projects.read_sources(project)
    projects.refresh(project, [T], now=NOW)
    sys.stdout.buffer.write(b"EXPORTS" + pickle.dumps(exported(project)))
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """A Python process whose catalog of tables is in the folder."""
    (folder / "conf").mkdir(exist_ok=True)
    (folder / "conf" / "spark-defaults.conf").write_text(DEFAULTS, encoding="utf-8")
    paths = os.pathsep.join([str(Path(projects.__file__).parents[2]), str(Path(__file__).parents[1])])
    return subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", code, str(folder / "p")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "SPARK_CONF_DIR": str(folder / "conf")},
        stdout=subprocess.PIPE,
        check=False,
        timeout=900,
    )


def test_a_run_that_is_killed_is_completed_by_the_next(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17, which is not here")
    import pickle

    tables = company(count=20)
    listed = "".join(f"    {name}: own.{name}\n" for name in tables if name != "events")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "handraise.yaml").write_text(
        f"{PLAYBOOK}\nwarehouse:\n  engine: spark\n  connection: OUR_SPARK\n  sources:\n"
        f"    events: {{table: own.events, columns: {{timestamp: at}}}}\n{listed}",
        encoding="utf-8",
    )
    assert run(KILLED, tmp_path).returncode == -signal.SIGKILL
    finished = run(FINISHED, tmp_path)
    assert finished.returncode == 0
    found = pickle.loads(finished.stdout.partition(b"EXPORTS")[2])  # noqa: S301 - our own process wrote it
    assert found == by_file(tmp_path / "files", tables)
