// Swatches: the colour and pattern of a secret, on its card and on the small one that stands for it elsewhere.

import { h } from "./dom.js";
import { safe } from "./text.js";

const COLOURS = 8;

/** The classes of a style number, 0 to 63: eight colours, each plain and with seven patterns. */
export function styleClass(style) {
  return `colour-${style % COLOURS} pattern-${Math.floor(style / COLOURS) % COLOURS}`;
}

/** A secret made small: the beginning of its words on its colours; without words if it is gone. */
export function swatch({ text, style }) {
  if (text === null) return h("p", { class: "swatch gone" }, "The secret is gone");
  return h(
    "p",
    { class: `swatch ${styleClass(style)}` },
    h("span", { class: "swatch-words", dir: "auto" }, safe(text)),
  );
}
