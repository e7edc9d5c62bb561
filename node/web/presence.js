// Presence: whether a person is at the page, as keys, clicks, touches and the wheel tell.
//
// The node locks a page that nobody uses, and takes for use what a person does and nothing that the page does by itself.
// So requests that follow a person's doing say so, and long writing, which asks for nothing, is told now and then.

const KINDS = ["keydown", "pointerdown", "wheel", "touchstart"];
const CAUSED_MS = 1_000; // From a key to what it makes the page ask: a search waits for the next letter.
const TELL_MS = 20_000; // The lock counts in minutes.
const HERE_MS = 60_000; // Who has touched nothing for so long may have gone to make tea.

let actedAt = -Infinity;
let toldAt = -Infinity;
const waiting = new Set();

/** Whether what is asked for now is asked for because of a person. */
export const isActing = () => performance.now() - actedAt < CAUSED_MS;

/** Does something as soon as somebody can see it; returns a function that calls it off. */
export function whenHere(work) {
  // Whoever opened the page was there to do it.
  const seenAt = Math.max(actedAt, 0);
  if (!document.hidden && performance.now() - seenAt < HERE_MS) work();
  else waiting.add(work);
  return () => waiting.delete(work);
}

/** Notices what a person does; `tell()` is called at most every TELL_MS, and is to ask the node for something. */
export function mindPerson(tell) {
  const acted = ({ isTrusted }) => {
    if (!isTrusted) return;
    actedAt = performance.now();
    const due = [...waiting];
    waiting.clear();
    for (const work of due) work();
    if (actedAt - toldAt < TELL_MS) return;
    toldAt = actedAt;
    tell();
  };
  for (const kind of KINDS) addEventListener(kind, acted, { capture: true, passive: true });
}
