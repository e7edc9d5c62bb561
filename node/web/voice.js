// The page's voice: short sentences that are seen for a while, or only heard by a screen reader.

import { h } from "./dom.js";
import { isLocked } from "./lock.js";

const TOAST_MS = 6000;

/** Shows a sentence for some seconds; it is read out too. */
export function say(sentence, { isTrouble = false } = {}) {
  if (isLocked()) return;
  const toast = h("p", { class: isTrouble ? "toast trouble" : "toast" }, sentence);
  const toasts = document.getElementById("toasts");
  while (toasts.children.length >= 3) toasts.firstChild.remove();
  toasts.append(toast);
  setTimeout(() => toast.remove(), TOAST_MS);
}

/** Tells a screen reader and nobody else. */
export function speak(sentence) {
  if (isLocked()) return;
  document.getElementById("spoken").textContent = sentence;
}

/** Does something that may be refused; then says why and returns undefined. */
export async function tried(work) {
  try {
    return await work();
  } catch (error) {
    if (error.status === undefined) throw error;
    say(error.message, { isTrouble: true });
    return undefined;
  }
}
