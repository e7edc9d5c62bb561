// How one hides now: one honest sentence and one picture, next to everything that is about to be posted, and what that
// takes for granted for whoever wants to know.

import { h } from "./dom.js";
import { status } from "./status.js";
import { count, inWords } from "./text.js";

const DOTS_MAX = 60;

/** A dot for each member among whom one hides, one of them filled: that is all that anybody can tell. */
function picture(size) {
  const label = size > 1 ? `One of ${count(size, "member")}` : "Nobody to hide among";
  const dots = Array.from({ length: Math.min(size, DOTS_MAX) }, () => h("i", { class: "dot" }));
  const rest = size > DOTS_MAX ? h("span", { class: "dots-rest" }, `+${size - DOTS_MAX}`) : null;
  return h("div", { class: "dots", role: "img", "aria-label": label }, dots, rest);
}

/** What was measured is an average; among how many it is if more members work with spies than the sentence says. */
function assumptions({ assumes, by_spies: measured }) {
  const [, ...worse] = measured;
  const sentences = worse.map(
    ({ spies, set_size: size }) =>
      `If one member in ${Math.round(1 / spies)} works with spies, it hides among about ${size}.`,
  );
  return [assumes, ...sentences].map((each) => h("p", { class: "quiet" }, each));
}

function wait({ connected, mixing: { own_clock: clock, slot_wait_s: slot, relaying_s: relaying } }) {
  if (!connected.length)
    return "No friend’s node is connected now: what you write gets to nobody until one is.";
  return clock.running
    ? `Leaves in about ${inWords(slot)}, then about ${inWords(relaying)} on its way.`
    : "Nothing of yours leaves until the others have learnt that you are a member. What you write waits for that.";
}

/**
 * The meter: {element, draw}; `draw()` is for whoever shows it, when the status changes. With `isWhole` the assumptions
 * stand below it; else they unfold, and stay unfolded while it is drawn anew.
 */
export function hiding({ isWhole = false } = {}) {
  const head = h("div", { class: "hiding-head" });
  const when = h("p", { class: "quiet" });
  const body = h("div", { class: "hiding-more" });
  const more = isWhole
    ? body
    : h("details", {}, h("summary", { data: { key: "assumes" } }, "What this assumes"), body);
  const element = h("div", { class: "hiding" }, head, when, more);
  let drawn = null;
  const draw = () => {
    const known = status();
    element.hidden = !known?.mesh;
    if (!known?.mesh) return;
    const { meter } = known;
    const now = JSON.stringify([meter, wait(known)]);
    if (now === drawn) return; // Who is reading it, or hearing it, is left in peace.
    drawn = now;
    head.className = meter.set_size > 1 ? "hiding-head" : "hiding-head row";
    head.replaceChildren(picture(meter.set_size), h("p", {}, meter.sentence));
    when.textContent = wait(known);
    more.hidden = !meter.assumes;
    body.replaceChildren(...(meter.assumes ? assumptions(meter) : []));
  };
  draw();
  return { element, draw };
}
