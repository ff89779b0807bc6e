"""SVG made on the server: numbers in, markup out.

No chart contains a name or a reason; words stand beside it as HTML, where they wrap, can be selected and read out.
Bars have percentages for coordinates, so they stretch with the page while their height and corners stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, pairwise
from typing import Final

from markupsafe import Markup

from handraise.faces.report.texts import number

WIDTH: Final = 420
HEIGHT: Final = 200
LEFT, RIGHT, TOP, BOTTOM = 38, 10, 12, 28
SPARK_WIDTH: Final = 120
SPARK_HEIGHT: Final = 28
SPARK_MARGIN: Final = 3
MOST_TICKS: Final = 5
LEAST_DAYS: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One band of a stacked chart.

    Attributes:
        shade: 1 (darkest) to 4, a colour class of the style sheet.
        values: One count per day.
    """

    shade: int
    values: tuple[int, ...]


def waterfall(points: Sequence[int]) -> tuple[Markup, ...]:
    """One bar for each step from 0 to the sum, then the bar of the sum itself."""
    after = [0, *accumulate(points)]
    low, high = min(after), max(after)
    span = (high - low) or 1

    def place(value: int) -> float:
        return 100 * (value - low) / span

    zero = _rule("axis", place(0), 0, 100)
    bars = []
    for start, end in pairwise(after):
        links = _rule("link", place(start), 0, 50) + _rule("link", place(end), 50, 100)
        bars.append(_bar_svg(zero + links + _step("loss" if end < start else "gain", (start, end), place)))
    total = _rule("link", place(after[-1]), 0, 50)
    bars.append(_bar_svg(zero + total + _step("total", (0, after[-1]), place)))
    return tuple(bars)


def bar(part: int, whole: int, shade: int) -> Markup:
    """One horizontal bar on a track, as long as the part of the whole."""
    share = 100 * part / whole if whole > 0 else 0.0
    track = Markup('<rect class="track" x="0" y="50%" width="100%" height="14" rx="3" transform="translate(0,-7)"/>')
    filled = Markup(
        '<rect class="shade-{}" x="0" y="50%" width="{:.3f}%" height="14" rx="3" transform="translate(0,-7)"/>'
    ).format(shade, share)
    return _bar_svg(track + filled if part else track)


def sparkline(values: Sequence[int]) -> Markup | None:
    """The course of one count, scaled to its own largest value; None for fewer than two days."""
    if len(values) < LEAST_DAYS:
        return None
    top = max(*values, 1)
    across = (SPARK_WIDTH - 2 * SPARK_MARGIN) / (len(values) - 1)
    tall = SPARK_HEIGHT - 2 * SPARK_MARGIN
    dots = [(SPARK_MARGIN + i * across, SPARK_MARGIN + tall * (1 - v / top)) for i, v in enumerate(values)]
    return Markup(
        '<svg class="spark" viewBox="0 0 {w} {h}" width="{w}" height="{h}" aria-hidden="true" focusable="false">'
        '<polyline points="{line}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="2.6"/></svg>'
    ).format(w=SPARK_WIDTH, h=SPARK_HEIGHT, line=_path(dots), x=dots[-1][0], y=dots[-1][1])


def trend(days: Sequence[date], layers: Sequence[Layer], ends: tuple[str, str], label: str) -> Markup | None:
    """Stacked areas over time, the first layer at the bottom, where its shape is undistorted.

    Args:
        days: Distinct days, oldest first; the distance between them is drawn to scale.
        layers: From the bottom up.
        ends: How the first and the last day are written.
        label: What the chart says, for those who cannot see it.

    Returns:
        None when there are fewer than two days, or nothing to stack.
    """
    if len(days) < LEAST_DAYS or not layers:
        return None
    sums = [[0] * len(days)]
    for layer in layers:
        sums.append([below + value for below, value in zip(sums[-1], layer.values, strict=True)])
    step = _tick_step(max(*sums[-1], 1))
    top = step * -(-max(*sums[-1], 1) // step)
    across = [LEFT + (WIDTH - LEFT - RIGHT) * (d - days[0]).days / (days[-1] - days[0]).days for d in days]
    edges = [list(zip(across, [_height(v, top) for v in line], strict=True)) for line in sums]
    areas = Markup("").join(
        Markup('<polygon class="shade-{}" points="{} {}"/>').format(layer.shade, _path(upper), _path(lower[::-1]))
        for layer, (lower, upper) in zip(layers, pairwise(edges), strict=True)
    )
    return Markup(
        '<svg class="trend" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}<polyline class="edge" points="{}"/>{}</svg>'
    ).format(WIDTH, HEIGHT, label, _grid(step, top), areas, _path(edges[-1]), _day_labels(ends))


def _bar_svg(content: Markup) -> Markup:
    return Markup('<svg class="bar" width="100%" height="100%" aria-hidden="true" focusable="false">{}</svg>').format(
        content
    )


def _rule(kind: str, x: float, top: int, bottom: int) -> Markup:
    return Markup('<line class="{0}" x1="{1:.3f}%" x2="{1:.3f}%" y1="{2}%" y2="{3}%"/>').format(kind, x, top, bottom)


def _step(kind: str, ends: tuple[int, int], place: Callable[[int], float]) -> Markup:
    """A bar of a waterfall from one running sum to the next; its tooltip names both."""
    left, right = sorted(map(place, ends))
    return Markup(
        '<rect class="{}" x="{:.3f}%" y="50%" width="{:.3f}%" height="16" rx="2" transform="translate(0,-8)">'
        "<title>{} → {}</title></rect>"
    ).format(kind, left, right - left, number(ends[0]), number(ends[1]))


def _height(value: int, top: int) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)


def _path(dots: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)


def _tick_step(largest: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … that gives at most MOST_TICKS lines."""
    scale = 1
    while True:
        for leading in (1, 2, 5):
            if largest <= leading * scale * (MOST_TICKS - 1):
                return leading * scale
        scale *= 10


def _grid(step: int, top: int) -> Markup:
    return Markup("").join(
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text x="{}" y="{:.1f}" text-anchor="end">{}</text>'
        ).format(LEFT, WIDTH - RIGHT, y := _height(value, top), y, LEFT - 6, y + 4, number(value))
        for value in range(0, top + 1, step)
    )


def _day_labels(ends: tuple[str, str]) -> Markup:
    return Markup('<text x="{}" y="{}">{}</text><text x="{}" y="{}" text-anchor="end">{}</text>').format(
        LEFT, HEIGHT - 8, ends[0], WIDTH - RIGHT, HEIGHT - 8, ends[1]
    )
