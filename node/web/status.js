// The node's status: asked for when something happened, shared by all who show a part of it.

import { get } from "./api.js";

// What has no event of its own, such as a friend who comes online or a gate that opens, shows at the next of these.
const EVERY_MS = 10_000;
const SOON_MS = 150;

let known = null;
let isAway = false;
let soon;
const watchers = new Set();

export const status = () => known;
/** Whether the node did not answer when it was last asked. */
export const away = () => isAway;

/** Calls `watcher` at each change, until the function that it returns is called. */
export function watch(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Asks anew. Throws only if the node does not know us and never did. */
export async function refresh() {
  try {
    const fresh = await get("/status");
    known = fresh;
    isAway = false;
  } catch (error) {
    if (!error.isAway || known === null) throw error;
    isAway = true;
  }
  for (const watcher of [...watchers]) watcher(known, isAway);
  return known;
}

/** Asks anew in a moment; many calls are one. */
export function refreshSoon() {
  clearTimeout(soon);
  soon = setTimeout(() => refresh().catch(() => {}), SOON_MS);
}

/** Asks anew now and then while somebody can see it, until the function that it returns is called. */
export function keepFresh() {
  const timer = setInterval(() => {
    if (!document.hidden || isAway) refreshSoon();
  }, EVERY_MS);
  const seen = () => document.hidden || refreshSoon();
  document.addEventListener("visibilitychange", seen);
  return () => {
    clearTimeout(soon);
    clearInterval(timer);
    document.removeEventListener("visibilitychange", seen);
  };
}

/** Forgets all of it: the page is locked. */
export function forget() {
  known = null;
}
