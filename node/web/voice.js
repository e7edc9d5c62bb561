// The page's voice: short sentences that are seen for a while, or only heard by a screen reader.

import { h } from "./dom.js";
import { listen } from "./live.js";
import { isLocked } from "./lock.js";

const TOAST_MS = 4000;
const LETTER_MS = 30; // Longer ones take longer to read.

const standing = new Map(); // What ends each toast, by its kind: there is one of each.

/** Where a sentence is seen and heard: behind an open dialog nothing is. */
const place = () =>
  [...document.querySelectorAll("dialog[open] > .toasts")].at(-1) ?? document.getElementById("toasts");

/**
 * Shows a sentence for some seconds; it is read out too. A newer one takes its place, and it goes before its time with
 * the view that it was said in, or once `isOver(event, data)` is or resolves to true for something that the node tells:
 * what says that something is under way is not true any more when it has come.
 */
export function say(sentence, { isTrouble = false, isOver = null } = {}) {
  if (isLocked()) return;
  const kind = isTrouble ? "trouble" : "note";
  const toast = h("p", { class: isTrouble ? "toast trouble" : "toast" }, sentence);
  const end = () => {
    toast.remove();
    clearTimeout(timer);
    stop?.();
    if (standing.get(kind) === end) standing.delete(kind);
  };
  const timer = setTimeout(end, TOAST_MS + LETTER_MS * sentence.length);
  const stop = isOver && listen(async (event, data) => (await isOver(event, data)) && end());
  standing.get(kind)?.();
  standing.set(kind, end);
  place().append(toast);
}

/** Ends all that is shown: another view begins. */
export function hush() {
  for (const end of [...standing.values()]) end();
}

/** Tells a screen reader and nobody else. */
export function speak(sentence) {
  if (isLocked()) return;
  document.getElementById("spoken").textContent = sentence;
}

/** Does something that may be refused; then says why and returns undefined. Why it was before is over once it is not. */
export async function tried(work) {
  try {
    const done = await work();
    standing.get("trouble")?.();
    return done;
  } catch (error) {
    if (error.status === undefined) throw error;
    say(error.message, { isTrouble: true });
    return undefined;
  }
}
