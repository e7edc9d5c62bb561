"""How soon the page shows a long feed: `uv run python benchmarks/page.py [--secrets 10000] [--times 9]`.

A real node with so many secrets on its disk, and Chromium before it. Each time the page is loaded anew; measured are
the browser's own first contentful paint, the moment that the first cards stand there, how long the node takes for a
page of the feed and for a search, and how long a heart that was pressed takes to show, all in milliseconds: the
median and the best of all times, since a busy machine delays both the browser and the node. Asked: the first paint of
10,000 secrets within 300 ms, a search within 50 ms, a heart within 100 ms.
"""

import argparse
import hashlib
import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import trio
from playwright.sync_api import sync_playwright

from rumor.gossip.bodies import Kind, SecretBody, thread_nonce
from rumor.gossip.genesis import TRIAL, Genesis
from rumor.gossip.items import Item
from rumor.node import setup
from rumor.node.account import Account
from rumor.node.client import Client, ClientError
from rumor.node.profile import HOME_VARIABLE, Profile
from rumor.node.storage.store import Put, Store, Table

CHROMIUM = "/usr/bin/chromium"
RUN = "from rumor.node.cli import main; main()"
BATCH_SIZE = 500
WORDS = "I never told anybody that rain on my neighbour's roof is why we moved here in spring".split()  # noqa: SIM905
#: Notes when the first cards stand there; asked for two frames later, when they have been painted.
WATCH = """
new MutationObserver((_, observer) => {
  if (document.querySelectorAll("article").length < 30) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.cardsAt = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""
ASK = """async (path) => {
  const began = performance.now();
  await (await fetch(path)).json();
  return performance.now() - began;
}"""


#: Two frames after a press the heart has been painted as on its way, whatever becomes of it.
PRESS = """async () => {
  const began = performance.now();
  document.querySelector("article .heart").click();
  if (!document.querySelector("article .heart").classList.contains("moving")) throw new Error("no heart");
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""


def secret(number: int, epoch: int) -> Item:
    """A secret as it lies on the disk of a node that has verified it; its proof is none."""
    start, reply_key, retraction = number % len(WORDS), secrets.token_bytes(32), secrets.token_bytes(32)
    tags = (b"\x02" + secrets.token_bytes(32), b"\x02" + secrets.token_bytes(32))
    text = " ".join((*WORDS[start:], *WORDS[:start])[: 4 + number % 14]) + f" ({number})."
    body = SecretBody(
        slot=0,
        text=text,
        style=number % 64,
        thread_nonce=thread_nonce(tags[0], reply_key, retraction, [text]),
        reply_key=reply_key,
        retraction=retraction,
    )
    return Item(Kind.SECRET, epoch, body, tags, b"".join(tags) + bytes(800), hashlib.sha256().digest())


async def fill(profile: Profile, count: int) -> None:
    async with setup.opened_store(profile, setup.unlock(profile, str)) as store:
        account = await Account.load(store)
        genesis = Genesis.found("long feed", account.member_secret.key.raw, TRIAL)
        await account.enter(genesis)
        await _fill(store, genesis, count)


async def _fill(store: Store, genesis: Genesis, count: int) -> None:
    epoch = genesis.epoch_at(time.time())
    for start in range(0, count, BATCH_SIZE):
        items = [secret(number, epoch - 1) for number in range(start, min(count, start + BATCH_SIZE))]
        await store.commit(
            [Put(Table.ITEMS, each.item_id, each.encoding, epoch=each.epoch) for each in items]
        )


def until_running(profile: Profile) -> Client:
    for _ in range(600):
        try:
            client = Client(profile)
            client.get("/status")
        except ClientError:
            time.sleep(0.2)
        else:
            return client
    raise SystemExit("the node did not start")


def measure(client: Client, folder: Path, times: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in ("first_paint", "cards", "feed", "search", "heart")}
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder / "browser", executable_path=CHROMIUM, chromium_sandbox=False, args=["--disable-gpu"]
        )
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(client.send("POST", "/logins")["link"])
        for _ in range(times):
            page.reload()
            page.evaluate(
                "new Promise((done) => { const ask = () => window.cardsAt ? done() : setTimeout(ask, 10); ask(); })"
            )
            paint: Any = page.evaluate(
                "performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)"
            )
            found["first_paint"] += paint
            found["cards"].append(page.evaluate("window.cardsAt"))
            found["feed"].append(page.evaluate(ASK, "/api/secrets?count=30"))
            found["search"].append(page.evaluate(ASK, "/api/secrets?count=30&query=neighbour%20spr"))
            found["heart"].append(page.evaluate(PRESS))
        context.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--secrets", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rumor-page-") as folder:
        os.environ[HOME_VARIABLE] = folder
        profile = Profile.locate("page")
        setup.create(profile, None, "/ip4/127.0.0.1/tcp/0")
        trio.run(fill, profile, options.secrets)
        node = subprocess.Popen(
            [sys.executable, "-c", RUN, "--profile", profile.name, "run"],
            env={**os.environ, HOME_VARIABLE: folder},
            stderr=subprocess.DEVNULL,
        )
        try:
            found = measure(until_running(profile), Path(folder), options.times)
        finally:
            node.send_signal(signal.SIGTERM)
            node.wait()
    report = {
        f"{name}_ms": {"median": round(statistics.median(values), 1), "best": round(min(values), 1)}
        for name, values in found.items()
    }
    print(
        json.dumps(report)
        if options.json
        else "\n".join(f"{name:16} {each}" for name, each in report.items())
    )


if __name__ == "__main__":
    main()
