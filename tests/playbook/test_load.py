"""The playbook file: what is laid over the template, what every mistake says, and which name scores carry."""

import itertools
import math
import re
from functools import cache

import pytest

from handraise.errors import PlaybookError
from handraise.playbook.load import LoadedPlaybook, load_template, parse_playbook, template_text
from handraise.playbook.reading import read_yaml


def read(text: str) -> LoadedPlaybook:
    return parse_playbook(text, name="handraise.yaml", path=None)


def refusal(text: str) -> str:
    with pytest.raises(PlaybookError) as caught:
        read(text)
    return str(caught.value)


def in_person(body: str) -> str:
    return f"signals:\n  person:\n    {body}\n"


FULL = "category: x, measure: {kind: count, role: export}, points: {'>=1': 1}, because: x"

# What is written → the line it is said at, and what is said.
MISTAKES = {
    "a misspelt section": ("language: en\nsignalz: {}\n", 2, "the key 'signalz' is not known. Did you mean 'signals'?"),
    "a misspelt key of a signal": (
        in_person("invites:\n      windw: 7"), 4, "the key 'signals.person.invites.windw' is not known. Did you mean 'window'?"),
    "a misspelt key of a measure": (
        in_person("invites:\n      measure: {kind: sum, role: invite_sent, propertie: count}"), 4,
        "Did you mean 'property'?"),
    "a misspelt kind": (in_person("invites:\n      measure:\n        kind: cuont\n        role: export"), 4,
                        "'cuont' is no kind of measure. Did you mean 'count'?"),
    "a measure without kind": (in_person("invites:\n      measure: {role: export}"), 4, "a measure needs `kind`"),
    "an account's kind for a person": (in_person("invites:\n      measure: {kind: people_growth}"), 4,
                                       "'people_growth' is no kind of measure"),
    "a misspelt role": (in_person("invites:\n      measure:\n        kind: count\n        role: exprot"), 6,
                        "uses the role 'exprot', which `roles` does not have. Did you mean 'export'?"),
    "count of a role and an event": (
        in_person("invites:\n      measure: {kind: count, role: export, event: x}"), 4, "either `role` or `event`"),
    "count of nothing": (in_person("invites:\n      measure: {kind: count}"), 4, "either `role` or `event`"),
    "a rung that is none": (in_person("invites:\n      points: {atleast 3: 5}"), 4, "cannot read the rung 'atleast 3'"),
    "points that are no whole number": (in_person("invites:\n      points: {'>=1': 2.5}"), 4,
                                        "points of the rung '>=1' must be a whole number, not 2.5"),
    "points yes": (in_person("invites:\n      points: {'>=1': yes}"), 4, "must be a whole number"),
    "no rung": (in_person("invites:\n      points: {}"), 4, "a ladder needs at least one rung"),
    "a ladder both ways": (in_person("invites:\n      points: {'>=1': 2, '<9': 1}"), 4, "a ladder goes one way"),
    "points without rungs": (in_person("invites:\n      points: 10"), 4, "points is a ladder such as"),
    "a window of nothing": (in_person("invites:\n      window: 0"), 4, "greater than or equal to 1"),
    "a lifetime of what has none": (in_person("stickiness:\n      window: lifetime"), 3, "window: lifetime works with"),
    "a half-life of what has none": (in_person("stickiness:\n      half_life: 3"), 3, "half_life works with"),
    "switching off what is not there": (in_person("invitez: off"), 3,
                                        "there is no person signal 'invitez' to switch off. Did you mean 'invites'?"),
    "a signal's name in capitals": (in_person(f"Deals: {{{FULL}}}"), 3, "String should match pattern"),
    "a name for a person and an account": (in_person(f"departments: {{{FULL}}}"), None, "share a name: departments"),
    "a new signal without points": (in_person("deals: {category: x, measure: {kind: inactive}, because: x}"), 3,
                                    "the key 'signals.person.deals.points' is missing"),
    "a signal without words": (in_person("deals: {category: x, measure: {kind: inactive}, points: {true: 1}}"), 3,
                               "the key 'signals.person.deals.because' is missing"),
    "a selling band that is none": ("\nselling_bands: [boiling]\n", None, "selling_bands names no band of `bands`: boiling"),
    "a role's pattern with a misspelt key": ("roles:\n  export:\n    - {event: a, were: {x: 1}}\n", 3, "Did you mean 'where'?"),
    "a role's pattern of nothing": ("roles:\n  export:\n    - {}\n", 3, "an event pattern needs `event`, `where`, or both"),
    "an unknown language": ("language: de\n", 1, "Input should be 'en' or 'zh'"),
    "another version": ("version: 2\n", 1, "Input should be 1"),
    "an unknown roll-up": ("rollup:\n  people: average\n", 2, "'sum', 'top_k' or 'max'"),
    "top of nobody": ("rollup:\n  top_k: 0\n", 2, "greater than or equal to 1"),
    "a key twice": ("language: en\nbands: []\nlanguage: zh\n", 3, "the key 'language' is written twice"),
    "a signal twice": (in_person("invites: {window: 7}\n    invites: {window: 9}"), 4, "the key 'invites' is written twice"),
    "a list": ("- a\n- b\n", 1, "a playbook is a mapping of keys"),
    "no YAML": ("signals: [\n", 2, "this is not valid YAML"),
    "a tab": ("signals:\n\tperson: {}\n", 2, "this is not valid YAML"),
    "an unknown base": ("version: 1\nextends: mine\n", 2, "extends: 'mine' is not known. Write template or none."),
    "a base that is a list": ("version: 1\nextends: [template]\n", 2, "is not known"),
    "a date that is none": ("language: 2026-13-45\n", 1, ""),
    "a tag of YAML": ("language: !python/name:os.system x\n", 1, ""),
    "a key that is a list": ("version: 1\n? [a, b]\n: c\n", 2, ""),
    "a list inside itself": ("language: &x [*x]\n", 1, ""),
    "a rung twice": (in_person("invites:\n      points: {'>=1': 5, '>= 1.0': 7}"), 4, "twice"),
    "no tier takes the rest": ("tiers:\n  - {tier: 1, name: a, score_above: 9, action: x}\n", 1, ""),
    "no segment": ("\nsegments: []\n", 2, ""),
    "no tier": ("\ntiers: []\n", 2, ""),
}  # fmt: skip


@pytest.mark.parametrize("title", MISTAKES)
def test_a_mistake_names_file_line_and_key(title: str) -> None:
    text, line, said = MISTAKES[title]
    message = refusal(text)
    assert said in message
    assert "handraise.yaml" in message
    if line is not None:
        assert f"handraise.yaml:{line}:" in message


def test_all_mistakes_are_said_at_once() -> None:
    message = refusal("language: de\n" + in_person("invites: {windw: 7, points: {'>=1': 2.5}}"))
    assert len(message.splitlines()) == 3


@pytest.mark.parametrize("group_and_name", ["person team", "person a__b", "person score", "person band", "person person_id",
                                            "account people_points", "account is_pqa", "account as_of"])  # fmt: skip
def test_a_signal_cannot_take_the_name_of_an_export_column_or_of_a_helper(group_and_name: str) -> None:
    """Scoring with such names fails inside the engine, so the playbook has to be refused first (or they have to work)."""
    group, name = group_and_name.split()
    assert name in refusal(f"signals: {{{group}: {{{name}: {{{FULL}}}}}}}")


@pytest.mark.parametrize("text", ["", "# only words\n", "extends: template\n", "version: 1\n"])
def test_a_file_that_says_nothing_is_the_template(text: str) -> None:
    assert read(text).playbook == load_template().playbook
    assert read(text).content_hash == load_template().content_hash


def test_a_file_without_base_has_to_say_everything() -> None:
    message = refusal("extends: none\nversion: 1\n")
    assert "the key 'signals' is missing" in message
    assert read(template_text()).playbook == load_template().playbook


def test_the_template_holds_still_where_the_file_says_nothing() -> None:
    found = read(in_person("invites: {window: 7}\n    lonely: off")).playbook
    template = load_template().playbook
    assert list(found.signals.person) == [name for name in template.signals.person if name != "lonely"]
    assert found.signals.person["invites"].window == 7
    assert found.signals.person["invites"].points == template.signals.person["invites"].points
    assert found.signals.account == template.signals.account


@pytest.mark.parametrize("word", ["off", "Off", '"off"', "false", "null", "~", ""])
def test_off_in_every_spelling(word: str) -> None:
    assert "lonely" not in read(in_person(f"lonely: {word}")).playbook.signals.person


def test_a_ladder_is_replaced_whole() -> None:
    found = read(in_person("invites: {points: {'>=2': 7}}")).playbook
    assert found.signals.person["invites"].points == {">=2": 7}


@cache
def hash_of(text: str) -> str:
    return read(text).content_hash


SAME = {
    "a comment": "# hello\nlanguage: en # English\n",
    "another spelling of a list": "roles: {export: {event: export_done}}\n",
    "quotes": 'language: "en"\n',
    "an order of keys that means nothing": "rollup: {floor: 0, people: sum}\nlanguage: en\n",
    "rungs in another order": in_person("invites: {points: {'>=6': 30, '>=1': 10, '>=3': 20}}"),
    "spaces in a rung": in_person("invites: {points: {'>= 1': 10, ' >=3': 20, '>=6': 30}}"),
}


@pytest.mark.parametrize("title", SAME)
def test_the_hash_does_not_change_with(title: str) -> None:
    base = "roles: {export: [export_done]}\n" if "list" in title else ""
    assert hash_of(SAME[title]) == hash_of(base)


OTHER = {
    "points": in_person("invites: {points: {'>=1': 11, '>=3': 20, '>=6': 30}}"),
    "a threshold": in_person("invites: {points: {'>=1': 10, '>=3': 20, '>=7': 30}}"),
    "a window": in_person("invites: {window: 29}"),
    "a signal off": in_person("invites: off"),
    "a role's events": "roles: {export: [x]}\n",
    "a predicate": "roles: {export: [{event: x, where: {a: b}}]}\n",
    "the floor": "rollup: {floor: null}\n",
    "a band": "bands: [{name: hot, at_least: 81}, {name: warm, at_least: 50}, {name: none}]\n",
    "the passive list": "passive_events: []\n",
    "an industry": "industries: [retail]\n",
    "the words of a reason": in_person("invites: {because: x}"),
}


@pytest.mark.parametrize("title", OTHER)
def test_the_hash_changes_with(title: str) -> None:
    hashes = [hash_of(text) for text in ("", *OTHER.values())]
    assert hashes.count(hash_of(OTHER[title])) == 1
    assert re.fullmatch(r"[0-9a-f]{12}", hash_of(OTHER[title]))


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in itertools.pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    "text",
    [
        "roles:\n  <<: 3\n",
        'version: !!python/object/apply:os.system ["echo hi"]\n',
        "{a: " * 20_000,
        "[" * 500_000 + "]" * 500_000,
        "".join(f"{' ' * n}a:\n" for n in range(1_200)),
        BOMB,
        "a:\n\t- b\n",
        "a: \0\n",
    ],
    ids=["merge", "tag", "deep map", "deep list", "deep blocks", "aliases", "tab", "NUL"],
)
def test_yaml_that_no_one_means_is_refused_in_words(text: str) -> None:
    with pytest.raises(PlaybookError):
        parse_playbook(text, name="x", path=None)


def test_a_time_of_day_is_a_text_however_long_it_is() -> None:
    assert read_yaml("at: 1:30", "x")[0] == {"at": "1:30"}
    assert read_yaml("n: [12, -3, 0x1f, 1.5, .inf, yes]", "x")[0] == {"n": [12, -3, 31, 1.5, math.inf, True]}
    minutes = "1" + ":59" * 100_000
    assert read_yaml(f"at: {minutes}", "x")[0] == {"at": minutes}


MAIL = "alerts: {destinations: {team: {kind: email, host: mail.example.com, sender: '%s', to: [kim@acme.example]}}}"
SLACK = "alerts: {destinations: {team: {kind: slack, url_env: HOOK, %s}}}"
PROVIDER = "enrichment: {providers: {p: {url: 'https://x.example/{domain}', fields: {name: /n}, allow_private: [x]}}}"
MODEL = "rewriting: {url: 'https://x.example/v1', model: m, allow_private: [x]}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SLACK % "quiet: {start: '22:00Z', end: '23:00Z'}", "quiet.start: a time of day has no zone of its own"),
        (SLACK % "digest: ['09:00Z', '10:00']", "digest.0: a time of day has no zone of its own"),
        (SLACK % "timezone: Europe", "there is no time zone 'Europe'"),
        (SLACK % f"timezone: {'x' * 5000}", f"there is no time zone '{'x' * 60}'"),
        (SLACK % "allow_private: [x]", "write networks such as 10.1.0.0/16"),
        (MAIL % "a..b@x.y", "is no address that a mail can have"),
        (MAIL % "a@x..y", "is no address that a mail can have"),
        (PROVIDER, "write networks such as 10.1.0.0/16"),
        (MODEL, "write networks such as 10.1.0.0/16"),
    ],
    ids=[
        "quiet",
        "digest",
        "folder of zones",
        "long zone",
        "alerts",
        "local part",
        "domain",
        "enrichment",
        "rewriting",
    ],
)
def test_what_would_fail_only_when_it_is_used_is_refused_when_it_is_read(text: str, said: str) -> None:
    assert said in refusal(text)
