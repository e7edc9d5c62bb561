// Picks: the colour and the pattern of a secret, eight of each.

import { h } from "./dom.js";

export const COLOURS = ["Slate", "Sea", "Forest", "Clay", "Plum", "Rose", "Indigo", "Umber"];
const PATTERNS = ["Plain", "Dots", "Stripes", "Grid", "Rings", "Waves", "Dawn", "Corner"];

/** The number of a style, 0 to 63. */
export const styleOf = ({ colour, pattern }) => colour + COLOURS.length * pattern;

/** Rows to choose from; `chosen` has a `colour` and a `pattern`, which change before `changed()` is called. */
export function picks(chosen, changed) {
  const row = (legend, key, names, klass) =>
    h(
      "fieldset",
      { class: "picks" },
      h("legend", {}, legend),
      names.map((name, index) =>
        h(
          "label",
          { class: `pick ${klass(index)}`, title: name },
          h("input", {
            type: "radio",
            name: key,
            checked: chosen[key] === index,
            on: {
              change: () => {
                chosen[key] = index;
                changed();
                paint();
              },
            },
          }),
          h("span", { class: "unseen" }, name),
        ),
      ),
    );
  const colours = row("Colour", "colour", COLOURS, (index) => `colour-${index}`);
  const patterns = row("Pattern", "pattern", PATTERNS, (index) => `pattern-${index}`);
  // Patterns are shown on the colour that was chosen.
  const paint = () => {
    patterns.className = `picks colour-of-all colour-${chosen.colour}`;
  };
  paint();
  return h("div", { class: "pick-rows" }, colours, patterns);
}
