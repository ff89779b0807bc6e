"""Answer what another process asks of a project that this one serves."""

from __future__ import annotations

from handraise.errors import NotFoundError
from handraise.service.host import Host
from handraise.service.orders import ORDERS
from handraise.service.questions import QUESTIONS
from handraise.service.wire import encode, keywords_of


def answer(host: Host, name: str, content: bytes) -> bytes:
    """The answer to a question or an order, as bytes.

    Args:
        host: What is served.
        name: Of the question or order.
        content: Its keywords as JSON.

    Raises:
        HandraiseError: As the question says, or there is none of this name.
    """
    if name in ORDERS:
        return encode(ORDERS[name](host, **keywords_of(ORDERS[name], content)))
    question = QUESTIONS.get(name)
    if question is None:
        raise NotFoundError(f"the server knows no question {name!r}.", todo="Use the same version for both.")
    given = keywords_of(question.answer, content)
    if question.changes:
        return encode(host.follower.ask(lambda project: question.answer(project, **given)))
    with host.reading() as project:
        return encode(question.answer(project, **given))
