// Menus: a button with a short list of things to do. A disclosure and not an ARIA menu, so that Tab works as anywhere.

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** `entries` are {text, run, isDangerous}, or false for one that does not apply; `key` is that of `dom.refill`. */
export function menu(label, entries, key = "menu") {
  const list = h("ul", { class: "menu-list" });
  const details = h(
    "details",
    { class: "menu" },
    h("summary", { class: "round", "aria-label": label, title: label, data: { key } }, icon("more")),
    list,
  );
  for (const entry of entries.filter(Boolean)) {
    const run = () => {
      details.open = false;
      details.firstChild.focus();
      entry.run();
    };
    const className = entry.isDangerous ? "menu-entry dangerous" : "menu-entry";
    list.append(
      h("li", {}, h("button", { type: "button", class: className, on: { click: run } }, entry.text)),
    );
  }
  return details;
}

/** One menu at a time; a press elsewhere or Escape closes it. */
export function mindMenus() {
  const openOnes = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("pointerdown", ({ target }) => {
    for (const each of openOnes()) if (!each.contains(target)) each.open = false;
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    for (const each of openOnes()) {
      each.open = false;
      each.firstChild.focus();
    }
  });
}
