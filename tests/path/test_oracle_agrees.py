"""Every number of the exports equals that of an independent scorer, on simulated companies."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from handraise.simulate import simulate
from support import Scores, differences, events_as_csv, load_folder, memory_project, receipts_that_do_not_add_up, scores

END = date(2026, 9, 1)
# The last day, one in the middle, one whose windows reach before the first event, and one with nothing before it.
AS_OFS = [END, END - timedelta(days=17), END - timedelta(days=52), END - timedelta(days=60)]
PLAYBOOKS = {
    "as shipped": ("", {}),
    "the letter of the source": (
        "rollup: {firmographics: per_person, floor: null}\nindustries: [logistics, retail]\n"
        "signals: {account: {volume: {measure: {kind: volume, role: feature, threshold: 20}}}}\n",
        {
            "firmographics": "per_person",
            "floor": None,
            "industries": frozenset({"logistics", "retail"}),
            "volume": ("feature", 20),
        },
    ),
}


@pytest.fixture(scope="module", params=[(3, "as shipped"), (5, "the letter of the source")], ids=["seed 3", "seed 5"])
def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scores, dict]:
    seed, playbook = request.param
    folder = tmp_path_factory.mktemp("company")
    simulate(folder, accounts=45, days=60, seed=seed, end=END)
    events_as_csv(folder)
    text, options = PLAYBOOKS[playbook]
    with memory_project(text, threads=2) as project:
        counts = load_folder(project, folder)
        assert not [count for count in counts if count.quarantined]
        return folder, scores(project, *AS_OFS), options


@pytest.mark.parametrize("as_of", AS_OFS, ids=str)
def test_every_exported_number_equals_the_oracles(company: tuple[Path, Scores, dict], as_of: date) -> None:
    folder, found, options = company
    assert differences(found, folder, as_of, **options) == []


def test_the_companies_are_worth_comparing(company: tuple[Path, Scores, dict]) -> None:
    """A comparison of empty lists or zeros would prove nothing."""
    _, found, _ = company
    people = [row for (day, *_), row in found.people.items() if day == END]
    assert len(people) > 100
    silent = {column for column in people[0] if not any(row[column] for row in people)}
    assert silent <= {"target_industry", "enterprise_request", "external_share", "billing_question"}
    accounts = [row for (day, _), row in found.accounts.items() if day == END]
    assert {row["tier"] for row in accounts} >= {2, 3, 4}
    assert {row["band"] for row in people} == {"hot", "warm", "emerging", "none"}


def test_every_score_is_the_sum_of_its_receipt(company: tuple[Path, Scores, dict]) -> None:
    assert receipts_that_do_not_add_up(company[1]) == []
