"""An overview becomes one HTML document that needs nothing else: no network, no script, no font."""

from __future__ import annotations

from functools import cache, partial

from jinja2 import Environment

from handraise.faces.report import texts as words
from handraise.faces.report.page import bands_of, card_of, reasons_of, risen_of, tiers_of, title_of, trend_of
from handraise.faces.report.pages import isolated, page_templates
from handraise.records import Overview


def render_report(overview: Overview) -> str:
    """A complete, self-contained HTML document in the overview's language; English where the language is unknown.

    Names, titles, ids and reasons are foreign text: all are escaped, isolated from the writing direction of the
    page, and may be of any length.
    """
    language = words.known_language(overview.language)
    texts = words.TEXTS[language]
    tiers = tiers_of(overview)
    cards = tuple(card_of(account, place) for place, account in enumerate(overview.top, start=1))
    return (
        _environment()
        .get_template("report.html")
        .render(
            language=language,
            t=texts,
            overview=overview,
            tiers=tiers,
            trend=trend_of(tiers, texts, language),
            cards=cards,
            calls=[card for card in cards if card.account.is_pqa],
            anchors={card.account.account_id: card.anchor for card in cards},
            titles={a.account_id: title_of(a) for a in (*overview.risen, *overview.top)},
            risen=risen_of(overview),
            bands=bands_of(overview),
            counted=partial(words.counted, texts),
            word=partial(words.word, language=language),
            long_day=partial(words.long_day, language=language),
            short_day=partial(words.short_day, language=language),
        )
    )


@cache
def _environment() -> Environment:
    return page_templates(
        sentence=words.sentence,
        number=words.number,
        signed=words.signed,
        percent=words.percent,
        isolated=isolated,
        reasons_of=reasons_of,
    )
