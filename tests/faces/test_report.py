"""The report is one safe, complete document, and its drawings add up to the scores they explain."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from string import Formatter

import pytest

from handraise.faces.report import render_report
from handraise.faces.report.charts import bar, sparkline, trend, waterfall
from handraise.faces.report.page import card_of, reasons_of, risen_of, steps_of, tiers_of
from handraise.faces.report.texts import MINUS, TEXTS, counted, known_language, number, percent, signed, word
from handraise.records import AccountScore, ReceiptLine, TierCount

from .report_sample import AS_OF, EN_REASONS, HOSTILE, RTL, WORDY, account, nothing, person, sample

VOID = {"meta", "link", "br", "img", "hr", "input"}
SVG = {"svg", "rect", "line", "polyline", "polygon", "circle", "path", "text", "title"}
TAGS = {
    *SVG,
    *("html", "head", "body", "style", "meta", "link", "header", "footer", "main", "nav", "section", "article", "div"),
    *("h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "dl", "dt", "dd", "details", "summary"),
    *("a", "strong", "b", "span", "small", "bdi", "time", "code", "abbr"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
}
NOT_IN_P = {"p", "ul", "ol", "dl", "div", "table", "h1", "h2", "h3", "h4", "section", "article", "details"}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])
PAGES = {
    "rich": sample(),
    "rich in Chinese": sample("zh"),
    "nothing": nothing(),
    "nothing in Chinese": nothing("zh"),
    "an unknown language": replace(sample(), language="tlh"),
    "one day": replace(sample(), tiers=sample().tiers[-4:]),
    "no account for sales": replace(sample(), top=sample().top[-2:], risen=()),
}


class Page(HTMLParser):
    """A strict reading of a document: every tag is closed where it was opened."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(document)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not ("p" in self.open and tag in NOT_IN_P), f"<{tag}> inside <p>"
        assert not ("a" in self.open and tag == "a")
        assert len(dict(attrs)) == len(attrs)
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SVG, f"<{tag}/> is not closed by its slash in HTML"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def values(self, *names: str) -> list[str]:
        return [value for _, attrs in self.tags for name, value in attrs.items() if name in names]


@pytest.fixture(params=PAGES.values(), ids=list(PAGES))
def page(request: pytest.FixtureRequest) -> Page:
    return Page(render_report(request.param))


def test_every_tag_is_one_of_ours_and_nothing_can_run(page: Page) -> None:
    assert {tag for tag, _ in page.tags} <= TAGS
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]


def test_nothing_is_fetched_from_anywhere(page: Page) -> None:
    targets = page.values("href", "src", "action", "xlink:href", "srcset", "poster")
    assert all(target.startswith("#") or target == "data:," for target in targets)
    document = render_report(nothing())
    assert not re.search(r"url\(|@import|//", document)


def test_the_policy_forbids_everything_but_inline_styles(page: Page) -> None:
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_ids_are_unique_and_every_link_and_label_has_its_target(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    targets = [target[1:] for target in page.values("href") if target.startswith("#")]
    assert set(targets) | set(page.values("aria-labelledby")) <= set(ids)


def test_headings_step_down_one_level_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_landmarks_are_there_and_every_table_is_labelled(page: Page) -> None:
    tags = [tag for tag, _ in page.tags]
    assert {"main", "nav", "footer", "header"} <= set(tags)
    assert tags.count("main") == 1
    assert tags.count("table") == tags.count("caption")
    assert all(attrs.get("scope") in {"col", "row"} for tag, attrs in page.tags if tag == "th")


@LANGUAGES
def test_the_document_says_its_language(language: str) -> None:
    document = render_report(sample(language))
    assert document.startswith("<!doctype html>\n")
    assert f'<html lang="{language}">' in document


def test_a_regional_language_is_its_language_and_an_unknown_one_is_english() -> None:
    assert known_language("zh-CN") == "zh"
    assert known_language("tlh") == "en"


def test_both_languages_have_the_same_keys_and_the_same_blanks() -> None:
    english, chinese = TEXTS["en"], TEXTS["zh"]
    assert english.keys() == chinese.keys()
    blanks = {
        language: {key: {blank for _, blank, _, _ in Formatter().parse(text) if blank} for key, text in texts.items()}
        for language, texts in TEXTS.items()
    }
    for key in english:
        one = key.endswith("_one")
        assert chinese[key].strip()
        assert one or blanks["en"][key] == blanks["zh"][key], key


def test_the_chinese_page_has_no_english_sentence_of_ours() -> None:
    text = Page(render_report(sample("zh"))).text
    found = [t for k, t in TEXTS["en"].items() if " " in t and "{" not in t and t in text and TEXTS["zh"][k] != t]
    assert found == []


def test_hostile_text_stays_text_and_is_shown_as_it_is() -> None:
    document = render_report(sample())
    assert "<script" not in document
    assert "<img" not in document
    page = Page(document)
    assert HOSTILE in page.texts
    assert WORDY in page.texts
    assert RTL in page.texts


def test_foreign_text_is_isolated_from_the_direction_of_the_page() -> None:
    document = render_report(sample())
    assert document.count(RTL) == document.count(f"<bdi>{RTL}</bdi>") > 0


def test_every_id_appears() -> None:
    overview = sample()
    page = Page(render_report(overview))
    accounts = {a.account_id for a in (*overview.top, *overview.risen) if a.risen is None or a.risen > 0}
    accounts |= {a.account_id for a in overview.top} | {p.account_id for p in overview.top_people}
    people = {p.person_id for a in overview.top for p in a.people} | {p.person_id for p in overview.top_people}
    assert accounts | people | {overview.playbook_hash} <= set(page.texts)


def test_the_headline_counts_the_accounts_of_the_selling_tiers() -> None:
    text = Page(render_report(sample())).text
    assert "25 accounts deserve a salesperson today" in text
    assert "5 more than on 21 Oct." in text
    assert "今天有 25 个账户值得销售跟进" in Page(render_report(sample("zh"))).text


def test_simulated_data_is_said_and_real_data_is_not_called_simulated() -> None:
    assert "Simulated data" in render_report(sample())
    assert "Simulated data" not in render_report(replace(sample(), simulated=False))


def test_an_empty_overview_says_so_in_every_section() -> None:
    text = Page(render_report(nothing())).text
    empty = ("headline_empty", "tiers_empty", "top_empty", "receipts_empty", "risen_empty", "top_people_empty")
    for key in (*empty, "blind_empty"):
        assert TEXTS["en"][key] in text


def test_one_day_gives_no_trend_and_no_change() -> None:
    overview = replace(sample(), tiers=sample().tiers[-4:])
    text = Page(render_report(overview)).text
    assert TEXTS["en"]["trend_empty"] in text
    assert "since" not in text
    assert tiers_of(overview).change_for_sales is None


def test_changes_compare_with_the_day_before_and_ignore_later_days() -> None:
    later = TierCount(as_of=AS_OF + timedelta(days=7), tier=1, accounts=99)
    tiers = tiers_of(replace(sample(), tiers=(*sample().tiers, later)))
    assert [row.accounts for row in tiers.rows] == [8, 17, 74, 1134]
    assert [row.change for row in tiers.rows] == [2, 3, 4, 44]
    assert tiers.previous == AS_OF - timedelta(days=7)


def test_a_tier_without_a_count_holds_nobody() -> None:
    tiers = tiers_of(replace(sample(), tiers=(TierCount(as_of=AS_OF, tier=2, accounts=3),)))
    assert [(row.tier, row.accounts) for row in tiers.rows] == [(1, 0), (2, 3), (3, 0), (4, 0)]


def test_the_playbook_says_which_tiers_sell() -> None:
    tiers = tiers_of(replace(sample(), selling_tiers=(1, 3)))
    assert [row.tier for row in tiers.rows if row.sells] == [1, 3]


def bars(drawing: str) -> list[tuple[float, float]]:
    found = re.findall(r'<rect class="\w+" x="([\d.]+)%" y="50%" width="([\d.]+)%"', drawing)
    return [(float(x), float(width)) for x, width in found]


@pytest.mark.parametrize("points", [(148, 30, 25, -20), (5,), (10, -30, 5), (-10, -20), (40, -40), ()])
def test_a_waterfall_walks_from_zero_to_its_total(points: tuple[int, ...]) -> None:
    drawings = waterfall(points)
    assert len(drawings) == len(points) + 1
    sums = [0]
    for value in points:
        sums.append(sums[-1] + value)
    low, span = min(sums), (max(sums) - min(sums)) or 1
    for drawing, start, end in zip(drawings, (*sums[:-1], 0), (*sums[1:], sums[-1]), strict=True):
        ((x, width),) = bars(drawing)
        assert x * span / 100 + low == pytest.approx(min(start, end), abs=0.01)
        assert width * span / 100 == pytest.approx(abs(end - start), abs=0.01)


@pytest.mark.parametrize("shown", sample().top, ids=lambda a: a.account_id[:12])
def test_the_steps_of_every_receipt_add_up_to_the_score(shown: AccountScore) -> None:
    *steps, total = steps_of(shown)
    assert sum(step.points for step in steps) == shown.score == total.points
    if steps:
        assert steps[-1].after == shown.score


def test_points_on_the_page_add_up_to_the_score_on_the_page() -> None:
    document = render_report(sample())
    receipts = re.findall(r'<ol class="waterfall">(.*?)</ol>', document, re.DOTALL)
    assert len(receipts) == len([a for a in sample().top if a.score])
    for receipt in receipts:
        *steps, total = (
            int(text.replace(MINUS, "-").replace(",", "")) for text in re.findall(r'class="points">(.*?)</b>', receipt)
        )
        assert sum(steps) == total


def test_points_without_a_line_are_shown_as_such() -> None:
    short = account(0, EN_REASONS)
    short = replace(short, receipt=short.receipt[:3])
    rest = steps_of(short)[-2]
    assert (rest.kind, rest.line) == ("rest", None)
    assert "not itemised" in render_report(replace(sample(), top=(short,)))


def test_a_blind_line_adds_nothing_and_is_named_in_the_table() -> None:
    blind = ReceiptLine(signal="volume", category="adoption", value=None, points=None, because="no threshold set")
    seeing = account(0, EN_REASONS)
    card = card_of(replace(seeing, receipt=(*seeing.receipt, blind)), 1)
    assert card.blind == (blind,)
    assert len(card.steps) == len(seeing.receipt) + 1


def test_reasons_put_the_telling_signals_before_the_sum_of_the_people() -> None:
    assert [line.signal for line in reasons_of(account(0, EN_REASONS))] == [
        *("departments", "people_growth", "active_people"),
    ]
    only = account(0, EN_REASONS)
    assert [line.signal for line in reasons_of(replace(only, receipt=only.receipt[:1]))] == ["people"]


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({}, "talk"),
        ({"people": ()}, "pqls"),
        ({"people": (), "pqls": 0}, "find_buyer"),
        ({"segment_sells": False}, "hand"),
        ({"is_pqa": False}, "none"),
    ],
)
def test_advice_names_the_person_only_where_sales_may_talk(changes: dict[str, object], advice: str) -> None:
    card = card_of(account(0, EN_REASONS, **changes), 1)
    assert card.advice == advice
    assert TEXTS["en"]["advice_hand"] not in render_report(replace(sample(), top=(card.account,))) or advice == "hand"


def test_accounts_that_fell_are_not_listed_as_risen() -> None:
    assert [a.risen for a in risen_of(sample())] == [85, 64, None]


def test_a_person_without_a_name_is_shown_by_the_id() -> None:
    nameless = person(2, "acc_1")
    page = Page(render_report(replace(nothing(), accounts=1, top_people=(nameless,))))
    assert "Name not known" in page.texts
    assert nameless.person_id in page.texts


def test_charts_stay_silent_without_a_course() -> None:
    assert sparkline((3,)) is None
    assert trend((AS_OF,), (), ("", ""), "") is None
    assert bars(bar(0, 0, 1)) == []


@pytest.mark.parametrize("largest", [0, 1, 4, 7, 25, 999, 1_000_000])
def test_a_trend_fits_its_frame_for_any_count(largest: int) -> None:
    first = AS_OF - timedelta(days=7)
    tiers = (TierCount(as_of=first, tier=1, accounts=0), TierCount(as_of=AS_OF, tier=1, accounts=largest))
    drawing = re.search(r'<svg class="trend".*?</svg>', render_report(replace(sample(), tiers=tiers)), re.DOTALL)
    assert drawing
    heights = [float(y) for y in re.findall(r"[\d.]+,([\d.]+)", " ".join(re.findall('points="(.*?)"', drawing[0])))]
    assert 0 <= min(heights) <= max(heights) <= 200


def test_numbers_are_written_for_reading() -> None:
    assert [number(1234567), number(-20), number(0.5), number(1 / 3)] == ["1,234,567", f"{MINUS}20", "0.5", "0.33"]
    assert [signed(7), signed(0), signed(-7)] == ["+7", "0", f"{MINUS}7"]
    assert [percent(0, 0), percent(1, 1000), percent(1, 3)] == ["0%", "<1%", "33%"]
    assert counted(TEXTS["en"], "pqls", 0) == "no PQL"
    assert [word("mid_market", "en"), word("mid_market", "zh"), word("own_name", "zh")] == [
        *("Mid-market", "中型企业", "Own name"),
    ]
