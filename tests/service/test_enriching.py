"""Providers are asked over a real connection: about whom, how often, and what becomes of every kind of answer."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handraise.errors import NotFoundError, ProjectError
from handraise.ledger import enriching as kept
from handraise.ledger.audit import list_audit
from handraise.ledger.suppression import suppress
from handraise.records.enrichment import ProviderRun
from handraise.service import enriching
from handraise.service.deciding import refresh_and_decide
from handraise.service.enriching import Asking, Wanted
from handraise.service.folder import DATA_FOLDER, DATABASE, create_project
from handraise.service.known_values import list_conflicts, look_over, values_of
from handraise.service.person_data import data_of
from handraise.service.project import Project, open_project
from net.loopback import Loopback, Seen, serving
from support import DAY, HOUR, T, before, ev, load_folder, write

NOON = datetime(2026, 10, 27, 12, tzinfo=UTC)
SECRET = "Bearer s3cret-value"  # noqa: S105
EVERYBODY_SELLS = "selling_bands: [hot, warm, emerging, none]\n"


@dataclass
class Clock:
    """Made-up time: only waiting makes it pass."""

    at: datetime = NOON
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)


def known(seen: Seen) -> tuple[int, dict[str, str], bytes]:
    """A provider that knows companies that begin with `a`."""
    if "/a" not in seen.path:
        return 404, {}, b"no"
    return 200, {}, json.dumps({"company": {"name": "Ac\u202eme", "size": "51-200", "geo": ["DE"]}}).encode()


def provider(server: Loopback, more: str = "") -> str:
    return f"""
enrichment:
  providers:
    acme_data:
      url: {server.url}/v1/{{domain}}
      headers_env: {{Authorization: ACME_KEY}}
      fields: {{name: /company/name, employees: /company/size, country: /company/geo/0}}
      per_second: 4
      allow_private: [127.0.0.1/32]
{more}"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann (of a.com) asked for sales, and so did bob (of b.com) and fay, who has a free-mail address; cy did nothing."""
    folder = tmp_path_factory.mktemp("asked")
    asked = [ev("contact_sales", HOUR, who, ws) for who, ws in (("ann", "w1"), ("bob", "w2"), ("fay", "w4"))]
    people = {"ann": "ann@a.com", "bob": "bob@b.com", "cy": "cy@c.com", "fay": "fay@gmail.com"}
    tables = {
        "events": [*asked, *(ev("open", 3 * DAY, who, f"w{n}") for n, who in enumerate(people, 1))],
        "people": [
            {"person_id": who, "email": email, "created_at": before(40 * DAY), "title": ""}
            for who, email in people.items()
        ],
    }
    write(folder / "files", tables)
    create_project(folder / "p", EVERYBODY_SELLS)
    with open_project(folder / "p") as project:
        load_folder(project, folder / "files")
        refresh_and_decide(project, [T], now=NOON)
    return folder / "p"


@pytest.fixture
def folder(loaded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(loaded, tmp_path / "p"))


@contextmanager
def company(folder: Path, playbook: str) -> Iterator[Project]:
    (folder / "handraise.yaml").write_text(EVERYBODY_SELLS + playbook, encoding="utf-8")
    with open_project(folder) as project:
        yield project


def run(project: Project, clock: Clock, wanted: Wanted = Wanted()) -> ProviderRun:  # noqa: B008 - frozen
    asking = Asking(
        environment={"ACME_KEY": SECRET}, now=clock.now, actor="test", monotonic=clock.monotonic, sleep=clock.sleep
    )
    [done] = enriching.enrich(project, asking, wanted)
    return done


def test_only_who_is_worth_it_is_asked_about_once_and_paid_for_once(folder: Path) -> None:
    clock = Clock()
    with serving(known) as server, company(folder, provider(server)) as project:
        planned = run(project, clock, Wanted(dry_run=True))
        assert (planned.worth, planned.due, planned.asked, server.seen) == (2, 2, 0, [])
        done = run(project, clock)
        assert (done.asked, done.found, done.missed, done.failed, done.stopped) == (2, 1, 1, 0, "")
        assert sorted(seen.path for seen in server.seen) == ["/v1/a.com", "/v1/b.com"], (
            "no free-mail, nobody without cause"
        )
        assert {seen.headers["authorization"] for seen in server.seen} == {SECRET}
        assert clock.waits[1] == pytest.approx(0.25), "four in a second"
        assert run(project, clock).asked == 0
        refresh_and_decide(project, [T], now=clock.at)
        values = {
            (one.field, one.value, one.source, one.is_used) for one in values_of(project, "company", "domain:a.com", T)
        }
        assert values == {
            (f, v, "acme_data", True) for f, v in (("name", "Acme"), ("employees", "51"), ("country", "DE"))
        }
        [row] = [r for r in look_over(project, now=clock.at).coverage if r.field == "employees"]
        assert (row.source, row.known, row.used) == ("acme_data", 1, 1)
        clock.at += timedelta(days=31)
        assert [run(project, clock).asked, server.seen[-1].path] == [1, "/v1/b.com"], "nothing known lasts less long"
        clock.at += timedelta(days=60)
        assert run(project, clock).asked == 2
        assert "s3cret" not in (folder / DATA_FOLDER / "ledger.sqlite").read_bytes().decode("latin-1")
        with enriching.ledger_of(project) as ledger, ledger.reading() as connection:
            rows = [one for one in list_audit(connection) if one.action == "enrichment.ask"]
        assert [dict(one.details) for one in rows][-1] == {"asked": 2, "found": 1, "missed": 1}


def test_answers_outlive_the_data(folder: Path, loaded: Path) -> None:
    with serving(known) as server:
        with company(folder, provider(server)) as project:
            run(project, Clock())
        (folder / DATA_FOLDER / DATABASE).unlink()
        with company(folder, provider(server)) as project:
            load_folder(project, loaded.parent / "files")
            refresh_and_decide(project, [T], now=NOON)
            assert {one.field for one in values_of(project, "company", "domain:a.com", T)} == {
                "name",
                "employees",
                "country",
            }
        assert len(server.seen) == 2


def test_a_budget_ends_a_run_and_the_next_day_goes_on(folder: Path) -> None:
    clock = Clock()
    with serving(known) as server, company(folder, provider(server, "      per_day: 1\n")) as project:
        done = run(project, clock)
        assert (done.due, done.asked, done.budget.day) == (2, 1, 0)
        again = run(project, clock)
        assert (again.asked, again.stopped) == (0, "the budget is spent")
        clock.at += timedelta(days=1)
        assert run(project, clock).asked == 1
        assert len(server.seen) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_who_says_wait_is_not_asked_before(status: int, folder: Path) -> None:
    clock = Clock()
    answer = lambda _: (status, {"Retry-After": "7200"}, b"")  # noqa: E731
    with serving(answer) as server:
        with company(folder, provider(server)) as project:
            done = run(project, clock)
            assert (done.asked, done.failed) == (1, 1)
            assert "left alone until 2026-10-27 14:00Z" in done.stopped
        clock.at += timedelta(minutes=119)
        with company(folder, provider(server)) as project:
            assert "left alone" in run(project, clock).stopped
            assert len(server.seen) == 1, "also after a restart"
            clock.at += timedelta(minutes=2)
            run(project, clock)
            assert len(server.seen) == 2
            assert run(project, clock, Wanted(resume=True)).asked == 1, "somebody may know better"


def test_a_key_that_is_refused_ends_the_run(folder: Path) -> None:
    with serving(lambda _: (401, {}, b"")) as server, company(folder, provider(server)) as project:
        done = run(project, Clock())
        assert (done.asked, done.stopped) == (1, "it answers 401; left alone until 2026-10-27 13:00Z")


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b""), (200, {}, b"<html>"), (200, {}, b"[" * 100_000), (302, {"Location": "http://127.0.0.1:1/x"}, b""),
        (200, {}, b"x" * 300_000), (200, {"Content-Encoding": "gzip"}, b"\x1f\x8bnot"), (202, {}, b"{}"),
    ],
    ids=["500", "html", "deep", "redirect", "huge", "packed", "later"],
)  # fmt: skip
def test_what_is_no_answer_is_not_kept_and_asked_again(answer: tuple[int, dict[str, str], bytes], folder: Path) -> None:
    clock = Clock()
    with serving(lambda _: answer) as server, company(folder, provider(server)) as project:
        runs = [run(project, clock) for _ in range(3)]
        assert [one.asked for one in runs] == [2, 2, 1], "the fifth failure in a row leaves it alone"
        assert "again and again: left alone until" in runs[-1].stopped
        assert (runs[0].found, runs[0].missed, runs[0].failed) == (0, 0, 2)
        assert run(project, clock).asked == 0
        assert len(server.seen) == 5


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/{domain}", "http://169.254.169.254/latest/{domain}", "http://[::1]/{domain}"]
)
def test_an_address_of_ones_own_network_is_not_called(url: str, folder: Path) -> None:
    playbook = f"enrichment: {{providers: {{inside: {{url: '{url}', fields: {{name: /n}}}}}}}}\n"
    with company(folder, playbook) as project:
        done = run(project, Clock())
    assert (done.found, done.failed) == (0, 1)
    assert "not a public address" in done.stopped


def test_without_its_secret_nobody_is_asked(folder: Path) -> None:
    with serving(known) as server, company(folder, provider(server)) as project:
        asking = Asking(environment={}, now=lambda: NOON, actor="test")
        with pytest.raises(ProjectError, match="ACME_KEY"):
            enriching.enrich(project, asking, Wanted())
        assert server.seen == []
        with pytest.raises(NotFoundError, match="nobody"):
            enriching.enrich(project, asking, Wanted(only="nobody"))


PEOPLE = """
enrichment:
  worth: {tiers: []}
  providers:
    people_data:
      about: person
      url: %s/people/{email}
      fields: {title: /title, seniority: /seniority}
      per_second: 50
      allow_private: [127.0.0.1/32]
"""


def chief(_: Seen) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, b'{"title": "Chief Buyer", "seniority": "director"}'


def test_people_are_asked_about_only_where_a_provider_is_for_them_and_never_once_erased(folder: Path) -> None:
    clock = Clock()
    with serving(chief) as server, company(folder, PEOPLE % server.url) as project:
        with enriching.ledger_of(project) as ledger, ledger.transaction() as connection:
            suppress(connection, ["BOB@b.com"], reason="erasure", actor="t", now=NOON, random=lambda n: b"x" * n)
        done = run(project, clock)
        asked = {seen.path for seen in server.seen}
        assert asked == {"/people/ann%40a.com"}, "of a selling band, with a work address, and not erased"
        assert (done.found, done.budget.day) == (1, 199), "nothing is spent on whoever was erased"
        refresh_and_decide(project, [T], now=clock.at)
        people = project.warehouse.rows(project.warehouse.table("scored_people")).to_pylist()
        assert {row["person_id"] for row in people if row["is_buyer"]} == {"ann"}
        assert data_of(project, "ann")["enrichment"][0]["title"] == "Chief Buyer"
        assert list_conflicts(project, about=None, limit=5, now=clock.at) == []


def test_whoever_is_erased_while_a_question_is_under_way_is_not_kept(folder: Path) -> None:
    erase: list[Callable[[], object]] = []

    def answer(seen: Seen) -> tuple[int, dict[str, str], bytes]:
        erase.pop()()
        return chief(seen)

    with serving(answer) as server, company(folder, PEOPLE % server.url) as project:
        with enriching.ledger_of(project) as ledger:

            def forget() -> None:
                with ledger.transaction() as connection:
                    suppress(connection, ["ann"], reason="erasure", actor="t", now=NOON, random=lambda n: b"x" * n)

            erase += [forget] * 3
            run(project, Clock())
            with ledger.reading() as connection:
                assert kept.names_kept(connection) & {"ann", "ann@a.com"} == set()
        assert len(server.seen) >= 1
