// How one hides now: one honest sentence and one picture, next to everything that is about to be posted.

import { h } from "./dom.js";
import { status } from "./status.js";
import { count, inWords } from "./text.js";

const DOTS_MAX = 60;

/** The sentence, and among how many. The node's meter says it best; without one there is the size of the ring. */
function measured(known) {
  const { meter, mixing, post } = known;
  return { sentence: meter?.sentence ?? mixing?.hides_if ?? "", size: meter?.set_size ?? post.ring_size };
}

/** A dot for each member among whom one hides, one of them filled: that is all that anybody can tell. */
function picture(size) {
  const label = size > 1 ? `One of ${count(size, "member")}` : "Nobody to hide among";
  const dots = Array.from({ length: Math.min(size, DOTS_MAX) }, () => h("i", { class: "dot" }));
  const rest = size > DOTS_MAX ? h("span", { class: "dots-rest" }, `+${size - DOTS_MAX}`) : null;
  return h("div", { class: "dots", role: "img", "aria-label": label }, dots, rest);
}

/** Drawn anew by whoever shows it, when the status changes. */
export function hiding() {
  const known = status();
  if (!known?.mesh) return h("div", { class: "hiding" });
  const { sentence, size } = measured(known);
  const { mixing } = known;
  const wait = mixing.own_clock.running
    ? `Leaves in about ${inWords(mixing.slot_wait_s)}, at a moment that your node draws; then about ${inWords(mixing.relaying_s)} on its way.`
    : "Nothing of yours leaves until the others have learnt that you are a member. What you write waits for that.";
  return h(
    "div",
    { class: "hiding" },
    h("div", { class: size > 1 ? "" : "row" }, picture(size), h("p", {}, sentence)),
    h("p", { class: "quiet" }, wait),
  );
}
