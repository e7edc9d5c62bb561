// Live: what the node tells while the page is open, as server-sent events.
//
// The browser connects again by itself while the node is merely away. Once the node has been started anew it refuses
// the old session, the browser gives up for good, and we try now and then: perhaps somebody has run `rumor open`.

import { refreshSoon } from "./status.js";

const EVENTS = ["secret", "reply", "tally", "gone", "whisper", "outbox", "mesh"];
const AGAIN_MS = 2000;

const listeners = new Set();

/** Calls `listener(event, data)` at each event, and with ("again", null) when some may have been missed. */
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(event, data) {
  for (const listener of [...listeners]) listener(event, data);
}

/** Follows the news until the function that it returns is called. */
export function follow() {
  let source = null;
  let soon;
  let mayHaveMissed = false;
  const open = () => {
    // With the newest few, since one may come between what a view asks for at first and the beginning of this.
    source = new EventSource("/api/news?count=5");
    for (const event of EVENTS) {
      source.addEventListener(event, ({ data }) => {
        if (event === "outbox" || event === "mesh") refreshSoon();
        tell(event, JSON.parse(data));
      });
    }
    source.addEventListener("open", () => {
      if (mayHaveMissed) {
        refreshSoon();
        tell("again", null);
      }
      mayHaveMissed = true;
    });
    source.addEventListener("error", () => {
      mayHaveMissed = true;
      refreshSoon();
      if (source.readyState === EventSource.CLOSED) soon = setTimeout(open, AGAIN_MS);
    });
  };
  open();
  return () => {
    clearTimeout(soon);
    source.close();
  };
}
