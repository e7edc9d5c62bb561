"""Worker processes for membership proofs, which would stall the node for tens of milliseconds each.

Processes and not threads: a verification is thousands of 40 µs calls, each of which would have to win the
interpreter lock again, beside a busy event loop. Only proving and verifying go there; all other cryptography
is quick. `Workers` is the interface, `open_workers` makes the real ones on trio-parallel, `InlineWorkers` is
a fake that does the work on the spot.

A worker is started when a job finds none idle, up to the number of cores, and retires after a while without
jobs. It imports `rumor.crypto` and whatever the main program's own module imports at its top, since
multiprocessing runs that again: the command line imports libp2p and the web server late. Jobs name functions
of `crypto.membership`; a `Ring` travels as its keys, and the worker keeps the last few rings' tables.

A worker leaves SIGINT and SIGTERM to the parent, since a terminal, `timeout` and systemd send them to all
processes of a node, and ends when the parent's end of its pipe closes, that is with the parent, however that
ends. A job whose worker dies is given to another once; a second death is an error.

A prover's worker holds the member's secret in its memory for as long as it lives, as this process does.
"""

import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, ParamSpec, Protocol, TypeVar

import trio
import trio_parallel  # type: ignore[import-untyped]  # ships no types

from ..crypto import membership
from ..crypto.membership import Claim, Ring

__all__ = ["InlineWorkers", "ProcessWorkers", "WorkerError", "Workers", "open_workers"]

# A worker takes 30 MB and verifies about a thousand proofs a second; a mesh sends one or two a second.
WORKER_COUNT_MAX: Final = 4

# Own clocks tick every few minutes at least; a new worker takes a quarter of a second.
IDLE_SECONDS_MAX: Final = 600.0

# trio-parallel's workers ignore SIGINT by themselves.
LEAVE_TO_PARENT: Final = partial(signal.signal, signal.SIGTERM, signal.SIG_IGN)

# No job takes seconds; a worker that hangs at the end of the program is killed.
CLOSE_SECONDS_MAX: Final = 10.0

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)


class WorkerError(Exception):
    """Worker processes die over this job."""


class Workers(Protocol):
    """Proves and verifies without stalling the event loop."""

    async def prove(self, secret: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes) -> bytes:
        """As `membership.prove`, with its errors, or WorkerError."""

    async def verify_batch(self, ring: Ring, claims: Sequence[Claim]) -> list[list[bytes] | None]:
        """As `membership.verify_batch`: each claim's tags, or None where it does not hold; or WorkerError."""


class InlineWorkers:
    """Does the work in the calling task; for tests, and where nothing else waits."""

    async def prove(self, secret: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes) -> bytes:
        await trio.lowlevel.checkpoint()
        return membership.prove(secret, ring, scopes, message)

    async def verify_batch(self, ring: Ring, claims: Sequence[Claim]) -> list[list[bytes] | None]:
        await trio.lowlevel.checkpoint()
        return membership.verify_batch(ring, claims)


class ProcessWorkers:
    """`Workers` in processes of their own. Made by `open_workers`."""

    def __init__(self, context: trio_parallel.WorkerContext, count: int) -> None:
        self._context = context
        self._limiter = trio.CapacityLimiter(count)

    async def prove(self, secret: bytes, ring: Ring, scopes: Sequence[bytes], message: bytes) -> bytes:
        return await self._run(membership.prove, secret, ring, scopes, message)

    async def verify_batch(self, ring: Ring, claims: Sequence[Claim]) -> list[list[bytes] | None]:
        return await self._run(membership.verify_batch, ring, claims)

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        assert not kwargs, "trio-parallel passes positional arguments only"
        for _ in range(2):
            try:
                # Not cancellable: a job takes less than replacing the worker that would have to be killed.
                result: T = await self._context.run_sync(function, *args, limiter=self._limiter)
            except trio_parallel.BrokenWorkerError:
                logger.warning("a worker process died")
            else:
                return result
        raise WorkerError("Two worker processes died over one job.")


@asynccontextmanager
async def open_workers(
    count: int | None = None, *, idle_seconds_max: float = IDLE_SECONDS_MAX
) -> AsyncIterator[ProcessWorkers]:
    """Opens worker processes for the length of a block; they are gone when it returns.

    `count` is the most that run at once, by default the number of cores, at least 1 and at most
    WORKER_COUNT_MAX. Jobs must not outlive the block.
    """
    if count is None:
        count = max(1, min(WORKER_COUNT_MAX, os.cpu_count() or 1))
    try:
        async with trio_parallel.open_worker_context(
            idle_timeout=idle_seconds_max, init=LEAVE_TO_PARENT, grace_period=CLOSE_SECONDS_MAX
        ) as context:
            yield ProcessWorkers(context, count)
    except trio_parallel.BrokenWorkerError:
        # Jobs turn this into WorkerError, so it comes from the closing: a worker was dead or hung. Now it is
        # gone, and so is whatever it could still have done.
        logger.warning("a worker process did not end by itself")
