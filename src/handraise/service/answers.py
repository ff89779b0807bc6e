"""Answer what another process asks of a project that this one serves."""

from __future__ import annotations

from handraise.errors import NotFoundError
from handraise.service import selling_questions as _selling  # noqa: F401 - its questions are answered here too
from handraise.service.host import Host
from handraise.service.orders import ORDER, ORDERS
from handraise.service.questions import QUESTIONS
from handraise.service.wire import encode, keywords_of


def answer(host: Host, name: str, content: bytes) -> bytes:
    """The answer to a question or an order, as bytes.

    Args:
        host: What is served.
        name: Of the question; of an order with `order.` before it, as some have the name of a question.
        content: Its keywords as JSON.

    Raises:
        HandraiseError: As the question says, or there is none of this name.
    """
    kind, _, own = name.rpartition(".")
    order, question = (ORDERS.get(own), None) if kind == ORDER else (None, QUESTIONS.get(name))
    if order:
        return encode(order(host, **keywords_of(order, content)))
    if question is None:
        raise NotFoundError(f"the server knows no question {name!r}.", todo="Use the same version for both.")
    given = keywords_of(question.answer, content)
    if question.changes:
        return encode(host.follower.ask(lambda project: question.answer(project, **given)))
    with host.reading() as project:
        return encode(question.answer(project, **given))
