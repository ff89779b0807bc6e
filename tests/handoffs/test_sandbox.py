"""Templates that a team edits: what is allowed works, and what would reach further is refused before it runs."""

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handraise.errors import DraftError
from handraise.handoffs.citing import Absent, Fact, Facts
from handraise.handoffs.sandbox import LONGEST_TEMPLATE, LONGEST_TEXT, check_template, render

NAMES = {"company": (), "use": ("people", "features", "growth"), "person": ("name",)}
FACTS: dict[str, Any] = {
    "company": "Acme",
    "person": Facts({"name": "Ann"}),
    "use": Facts(
        {
            "people": Fact("use.people", "12", "12 people", value=12),
            "features": tuple(Fact("use.features", name, "x") for name in ("wiki", "tasks", "board")),
            "growth": Absent("use.growth"),
        }
    ),
}


def said(source: str, language: Any = "en") -> str:
    check_template(source, NAMES, where="x.txt")
    return render(source, FACTS, language, where="x.txt")


HOSTILE = [
    "{{ ''.__class__ }}",
    "{{ company.__class__.__mro__ }}",
    "{{ use.__init__ }}",
    "{{ use._values }}",
    "{{ use.people._cite }}",
    "{{ use.people.noting }}",
    "{{ use['__class__'] }}",
    "{{ use|attr('__class__') }}",
    "{{ company|attr('__class__') }}",
    "{{ self.__dict__ }}",
    "{{ self }}",
    "{{ request }}",
    "{{ config }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner() }}",
    "{{ namespace(x=1) }}",
    "{{ lipsum(10**6) }}",
    "{{ range(10**9)|join }}",
    "{% for a in range(10**9) %}x{% endfor %}",
    "{{ 'x' * 10**9 }}",
    "{{ 9**9**9 }}",
    "{{ 1/0 }}",
    "{{ -company }}",
    "{{ 'x'.join(use.features) }}",
    "{{ '{0.__class__}'.format(company) }}",
    "{{ '%s'|format(company) }}",
    "{{ '%999999999d' % 1 }}",
    "{{ company|center(10**9) }}",
    "{{ company|replace('', 'xxxxxxxxxx')|replace('', 'xxxxxxxxxx') }}",
    "{{ company|join('xxxxxxxxxx')|join('yyyyyyyyyy')|join('zzzzzzzzzz') }}",
    "{{ use.features|map('upper')|list }}",
    "{{ use.features|batch(10**9)|list }}",
    "{{ use.features|tojson }}",
    "{{ company|safe }}",
    "{{ company|urlize }}",
    "{{ company|indent(10**9) }}",
    "{{ company|wordwrap(1) }}",
    "{% set x = company ~ company %}{% set x = x ~ x %}{{ x }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'os' import system %}",
    "{% extends 'base' %}",
    "{% block x %}{% endblock %}",
    "{% call(x) company %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% autoescape false %}x{% endautoescape %}",
    "{% with x = 1 %}{{ x }}{% endwith %}",
    "{% for a in use.features %}{% for b in use.features %}{% for c in use.features %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in use.features recursive %}{{ loop(use.features) }}{% endfor %}",
    "{% for use in use.features %}x{% endfor %}",
    "{% for loop in use.features %}x{% endfor %}",
    "{% for a, b in use.features %}x{% endfor %}",
    "{% for a in use.features %}{{ a.people }}{% endfor %}",
    "{% for a in use.features %}{{ loop.cycle(1, 2) }}{% endfor %}",
    "{{ company[0:1] }}",
    "{{ [company] }}",
    "{{ {'a': company} }}",
    "{{ (company, company)|join }}",
    "{{ use.people is defined }}",
    "{{ use.people is sameas use }}",
    "{{ '" + "x" * 400 + "' }}",
    "{{ 99999999999999999999 }}",
    "{{ " + "(" * 300 + "1" + ")" * 300 + " }}",
    "{{ " + "not " * 3000 + "1 }}",
    "{% if 1 %}" * 200 + "{% endif %}" * 200,
    "{% if 1 %}" * 60,
    "{{ " + "9" * 5000 + " }}",
    "{{",
    "{% endif %}",
    "x" * (LONGEST_TEMPLATE + 1),
    "{{ use.peple }}",
    "{{ comapny }}",
    "{{ person }}{{ person.email }}",
    "{{ company|uper }}",
    "{{ company.name }}",
    "{{ use.features|listed('x') }}",
    "{{ use.features|join(company) }}",
    "{{ loop.last }}",
    "{{ use }}",
    "{{ use|upper }}",
    "{{ use ~ company }}",
    "{{ use if company else '' }}",
    "{{ company if use == 3 else '' }}",
    "{{ use|join }}",
    "{% for one in use %}x{% endfor %}",
    "{% for one in use.features %}{{ loop }}{% endfor %}",
]  # fmt: skip


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_what_reaches_further_is_refused_before_it_runs(source: str) -> None:
    started = time.perf_counter()
    with pytest.raises(DraftError) as refused:
        said(source)
    assert time.perf_counter() - started < 1
    assert refused.value.where.startswith("x.txt")
    assert refused.value.todo


def test_nearly_all_of_it_is_refused_before_anything_is_filled_in() -> None:
    later = 0
    for source in HOSTILE:
        try:
            check_template(source, NAMES, where="x.txt")
        except DraftError:
            continue
        later += 1
    assert later == 1, "a text that is joined as if it were a list is told by its value alone"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hello {{ person.name }} of {{ company }}", "Hello Ann of Acme"),
        ("{% if use.people >= 10 %}many{% else %}few{% endif %}", "many"),
        ("{% if use.people < 10 or not use.people %}few{% elif use.people == 12 %}twelve{% endif %}", "twelve"),
        ("{% if use.people <= 12 and use.people > 11 and use.people != 3 %}yes{% endif %}", "yes"),
        ("{{ use.features|listed }}", "wiki, tasks and board"),
        ("{{ use.features|join('; ') }}", "wiki; tasks; board"),
        ("{{ use.features|first|capitalize }}: {{ use.features|length }}", "Wiki: 3"),
        (
            "{% for one in use.features %}{{ one|upper }}{% if not loop.last %}/{% endif %}{% endfor %}",
            "WIKI/TASKS/BOARD",
        ),
        ("{{ 'yes' if use.growth else 'no' }}", "no"),
        ("{% if use.growth %}{{ use.growth }}{% endif %}", ""),
        ("{% if use and not (person and use.growth) %}known{% endif %}{{ '!' if use else '?' }}", "known!"),
        ("{{ company ~ '!' }}", "Acme!"),
        ("{{ company|lower }}{# nobody reads this #}", "acme"),
    ],
)
def test_what_is_allowed_says_what_it_should(source: str, text: str) -> None:
    assert said(source) == text


def test_lists_are_said_in_the_language_of_the_template() -> None:
    assert said("{{ use.features|listed }}", "zh") == "wiki、tasks 和 board"
    chinese = {**FACTS, "use": Facts({"features": (Fact("f", "市场部", ""), Fact("f", "研发部", ""))})}
    assert render("{{ use.features|listed }}", chinese, "zh", where="x") == "市场部和研发部"
    assert render("{{ use.features|listed }}", {**FACTS, "use": Facts({"features": ()})}, "en", where="x") == ""


def test_what_is_not_known_cannot_be_said_and_the_line_is_told() -> None:
    source = "\nfirst\n{{ company }} grew by {{ use.growth }}"
    check_template(source, NAMES, where="x.txt", first_line=5)
    with pytest.raises(DraftError) as refused:
        render(source, FACTS, "en", where="x.txt", first_line=5)
    assert "use.growth is not known" in refused.value.what
    assert refused.value.where == "x.txt:7"
    assert "{% if use.growth %}" in refused.value.todo


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("ok\n{{ use.peple }}", 2, "Did you mean use.people?"),
        ("ok\nok\n{{ comapny }}", 3, "Did you mean company?"),
        ("{{ company|uper }}", 1, "Did you mean upper?"),
        ("ok\n{% if %}", 2, ""),
        ("ok\n\n{{ range(3) }}", 3, ""),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_exists(source: str, line: int, words: str) -> None:
    with pytest.raises(DraftError) as refused:
        check_template(source, NAMES, where="x.txt")
    assert refused.value.where == f"x.txt:{line}"
    assert words in refused.value.todo


def test_a_text_that_grows_too_long_is_cut_off() -> None:
    facts = {**FACTS, "use": Facts({"features": tuple(Fact("f", "x" * 80, "") for _ in range(20))})}
    source = "{% for a in use.features %}{% for b in use.features %}{{ a }}{{ b }}{% endfor %}{% endfor %}"
    check_template(source, NAMES, where="x.txt")
    with pytest.raises(DraftError, match="too long"):
        render(source, facts, "en", where="x.txt")
    assert LONGEST_TEXT < 20 * 20 * 160


@pytest.mark.parametrize(
    "source", ["{{ use or company }}", "{{ use.people < 'x' }}", "{{ company > 3 }}", "{{ company|listed }}"]
)
def test_what_makes_no_sense_of_a_value_is_a_clear_error(source: str) -> None:
    check_template(source, NAMES, where="x.txt")
    with pytest.raises(DraftError, match="cannot be filled in"):
        render(source, FACTS, "en", where="x.txt")


def test_a_long_row_of_facts_is_long_and_nothing_else() -> None:
    assert said("{{ " + "company ~ " * 900 + "company }}") == "Acme" * 901


PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "if", "for", "in", "endif", "endfor", "use", ".people", ".features", "company", "one", "|join",
     "|listed", "(", ")", "'", "~", "+", "*", "10**9", "not", "range", "__class__", "{#", "#}", "\n", " ", "else", "loop.last"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map(" ".join))
def test_whatever_is_written_is_refused_or_ends_soon(source: str) -> None:
    started = time.perf_counter()
    with contextlib.suppress(DraftError):
        assert len(said(source)) <= LONGEST_TEXT
    assert time.perf_counter() - started < 1
