"""How the platform ends an instance, for the weather in which that matters.

Cloud Run starts and ends instances whenever it sees fit, and gives one no CPU between its requests.
The emulator keeps its workers for as long as it runs, and they have a CPU all the time. Here the
process that serves a function is ended instead, and Gunicorn, which listens on, makes the next.

It differs in this: the next process has everything imported that the last one had, so of a cold
start only what the first request does is seen. And what Cloud Run freezes may go on with the next
request, if there is one before the instance ends; here it is gone for sure.
"""

from __future__ import annotations

import os
import signal

import flask


def take_away() -> None:
    """Have the instance end as soon as it has answered: SIGTERM, as Cloud Run says it."""
    os.kill(os.getpid(), signal.SIGTERM)


def cut_off() -> None:
    """Have the instance end the moment that its answer is out, whatever it is at then."""
    take_away()

    @flask.after_this_request
    def end(answer: flask.Response) -> flask.Response:
        answer.call_on_close(lambda: os._exit(0))
        return answer
