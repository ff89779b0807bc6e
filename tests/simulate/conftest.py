"""One small simulated company, shared by the tests that only look at it."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest

from handraise.simulate import SimulationSummary, simulate

ACCOUNTS, DAYS, SEED = 600, 60, 11


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """A simulated company on disk and how many rows each of its files should have."""

    directory: Path
    summary: SimulationSummary

    def table(self, name: str) -> pa.Table:
        """Read one file by its name without the ending; CSV columns come as text."""
        parquet = self.directory / f"{name}.parquet"
        if parquet.exists():
            return pq.read_table(parquet)
        path = self.directory / f"{name}.csv"
        columns = path.read_text(encoding="utf-8").partition("\n")[0].split(",")
        return arrow_csv.read_csv(
            path,
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string())),
        )


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Return a company of 600 accounts over 60 days."""
    directory = tmp_path_factory.mktemp("simulated")
    summary = simulate(directory, accounts=ACCOUNTS, days=DAYS, seed=SEED)
    return Simulated(directory=directory, summary=summary)
