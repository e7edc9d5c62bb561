"""The service: a profile's node with its API, from the lock on its folder to a clean end.

``serve`` takes the lock, opens the store with the passphrase, runs the node, answers the API on loopback, and ends on
SIGINT or SIGTERM: friends are told goodbye, what was accepted is on the disk, sockets and workers are closed. Every
failure that a person can meet ends it with one sentence.
"""

import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Any, Final

import click
import trio
from hypercorn.config import Config as HypercornConfig
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from hypercorn.utils import wrap_app

from .account import AccountError
from .api.credentials import Access, AccessError, Credentials, write_access
from .api.guard import Guard, hosts_of
from .api.locking import PageLock
from .api.page import Page
from .api.routes import make_app
from .config import Config, ConfigError, read_config
from .network.addresses import reachable
from .network.cells import megabytes_per_day
from .network.transport import NodeId, Transport, TransportError
from .node import Node
from .profile import Profile, ProfileError
from .setup import SetupError, opened_store, unlock
from .storage.store import Store, StoreError
from .workers import WorkerError, Workers, open_workers

__all__ = ["ServiceError", "serve"]


class ServiceError(Exception):
    """The node cannot start or go on; the message says why and what to do."""


#: What a person can meet; each says what to do.
EXPECTED = (
    ProfileError,
    ConfigError,
    SetupError,
    AccountError,
    StoreError,
    TransportError,
    AccessError,
    ServiceError,
    WorkerError,
)

#: A request that waits for the disk is answered at once when the node ends; a follower of the feed that does not read
#: is not waited for.
ANSWER_S_MAX: Final = 2.0
UNREAD_MS_MAX: Final = 5_000
#: Every user of the machine can connect to the API, and needs no token to take up descriptors; the store and the
#: workers end the node when they get none. A few terminals and pages need a dozen connections.
API_CONNECTIONS_MAX: Final = 128
#: What 128 friends with four connections each, the API, the store and the workers may need, several times over. Systems
#: begin with 256 or 1,024.
DESCRIPTORS_MAX: Final = 4_096


def serve(profile: Profile, ask_passphrase: Callable[[], str], port: int | None) -> None:
    """Runs the node until a signal. Raises ``ServiceError``."""
    try:
        if not profile.exists:
            raise ServiceError(
                f"There is no profile '{profile.name}' yet: make it with `{profile.command} init`."
            )
        with profile.locked():
            # What a killed node left behind names a port that may be somebody else's by now.
            profile.token_file.unlink(missing_ok=True)
            config = read_config(profile.config_file)
            logging.basicConfig(
                level=config.log_level.upper(), format="%(levelname)s %(message)s", stream=sys.stderr
            )
            key = unlock(profile, ask_passphrase)
            _allow_descriptors()
            trio.run(_serve, profile, config, key, config.api_port if port is None else port)
    except EXPECTED as error:
        raise ServiceError(str(error)) from error
    except BaseExceptionGroup as group:
        first = _first(group)
        if isinstance(first, EXPECTED):
            raise ServiceError(str(first)) from first
        raise


def _allow_descriptors() -> None:
    """Asks the system for as many descriptors as a full node needs, or as many as it gives."""
    soft, hard = getrlimit(RLIMIT_NOFILE)
    wanted = DESCRIPTORS_MAX if hard == RLIM_INFINITY else min(DESCRIPTORS_MAX, hard)
    if soft != RLIM_INFINITY and soft < wanted:
        setrlimit(RLIMIT_NOFILE, (wanted, hard))


async def _serve(profile: Profile, config: Config, key: bytes, port: int) -> None:
    ended, answered, answering = trio.Event(), trio.Event(), False
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            stop = trio.CancelScope()
            nursery.start_soon(_stop_at_signal, signals, stop)
            async with opened_store(profile, key) as store, open_workers() as workers:
                try:
                    with stop:
                        node = await _opened(store, workers, config)
                        async with trio.open_nursery() as running:
                            await running.start(node.run)
                            page = await nursery.start(_answer, node, profile, port, ended, answered)
                            answering = True
                            _greet(profile, node, config, page)
                finally:
                    # Whoever waits for an answer gets one: done, or that the node ends, or why it fails.
                    ended.set()
                    if answering:
                        with trio.move_on_after(ANSWER_S_MAX, shield=True):
                            await answered.wait()
            nursery.cancel_scope.cancel()


async def _opened(store: Store, workers: Workers, config: Config) -> Node:
    from .network.libp2p_check import check_remedies
    from .network.libp2p_transport import Libp2pTransport

    await check_remedies()

    def make_transport(seed: bytes, admits: Callable[[NodeId], bool]) -> Transport:
        return Libp2pTransport(seed, admits=admits, listen=config.listen)

    node = Node(
        store,
        workers,
        make_transport,
        reachable=lambda own: list(config.announce) or reachable(own),
        cell_rate=config.cell_rate,
    )
    await node.open()
    return node


def _greet(profile: Profile, node: Node, config: Config, page: Page) -> None:
    click.echo(f"Rumor runs, profile '{profile.name}'. Ctrl-C ends it.", err=True)
    for address in node.addresses():
        click.echo(f"  listening on {address}", err=True)
    if config.cell_rate is not None:
        count = len(node.friends()["friends"])
        click.echo(f"  {cover_line(config.cell_rate, count)}", err=True)
    click.echo(f"  the page, once, within five minutes: {page.new_link()}", err=True)
    click.echo(f"  and later: `{profile.command} open`", err=True)


def cover_line(rate: int, friend_count: int) -> str:
    """What constant cover costs, for the person who pays for the line."""
    return (
        f"constant cover: {rate} cell{'' if rate == 1 else 's'} per second and friend, about "
        f"{megabytes_per_day(rate):,.0f} MB sent per friend and day; with your {friend_count} "
        f"friend{'' if friend_count == 1 else 's'} up to {megabytes_per_day(rate, friend_count):,.0f} MB a day"
    )


async def _stop_at_signal(signals: AsyncIterator[int], stop: trio.CancelScope) -> None:
    async for _ in signals:
        if not stop.cancel_called:
            click.echo("Ending.", err=True)
        stop.cancel()


def _listening_socket(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Hypercorn does not let go of a follower that stopped reading; the system does, and the node can end.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS_MAX)
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise ServiceError(f"The API cannot listen on port {port} of 127.0.0.1: {error.strerror}.") from error
    return listener


async def _answer(
    node: Node,
    profile: Profile,
    port: int,
    ended: trio.Event,
    answered: trio.Event,
    task_status: trio.TaskStatus[Page] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serves the API and the page until ``ended``, and then sets ``answered``.

    Signals are ours: hypercorn would swallow them.
    """
    listener = _listening_socket(port)
    own_port = listener.getsockname()[1]
    credentials = Credentials()
    settings = HypercornConfig()
    settings.accesslog = None
    settings.errorlog = None
    settings.graceful_timeout = ANSWER_S_MAX / 2
    lock = PageLock(credentials, profile.read_key, lambda: node.preferences.settings.lock_minutes)
    page = Page(credentials, f"http://127.0.0.1:{own_port}", trio.current_time)
    app: Any = Guard(
        make_app(node, page.routes, lock, profile),
        hosts=hosts_of(own_port),
        credentials=credentials,
        open_paths=page.open_paths,
        lock=lock,
    )
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(_serve_connections, app, settings, listener, ended)
            write_access(profile.token_file, Access(port=own_port, token=credentials.token))
            task_status.started(page)
    finally:
        profile.token_file.unlink(missing_ok=True)
        answered.set()


async def _serve_connections(
    app: Any,
    settings: HypercornConfig,
    listener: socket.socket,
    ended: trio.Event,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """As ``hypercorn.trio.serve``, which takes any number of connections; here those above the limit are closed."""
    context = WorkerContext(None)
    wrapped = wrap_app(app, settings.wsgi_max_body_size, "asgi")
    count = 0

    async def serve_one(stream: trio.SocketStream) -> None:
        nonlocal count
        if count >= API_CONNECTIONS_MAX:
            await trio.aclose_forcefully(stream)
            return
        count += 1
        try:
            # Hypercorn's own annotation names the encrypted case only.
            await TCPServer(wrapped, settings, context, ConnectionState({}), stream)  # type: ignore[arg-type]
        finally:
            count -= 1

    listener.listen(settings.backlog)
    listener.setblocking(False)
    listeners = [trio.SocketListener(trio.socket.from_stdlib_socket(listener))]
    async with trio.open_nursery() as connections:
        try:
            async with trio.open_nursery() as accepting:
                serving = partial(trio.serve_listeners, serve_one, listeners, handler_nursery=connections)
                await accepting.start(serving)
                task_status.started()
                await ended.wait()
                accepting.cancel_scope.cancel()
        finally:
            await context.terminated.set()
            connections.cancel_scope.deadline = trio.current_time() + settings.graceful_timeout


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
