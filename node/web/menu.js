// Menus: a button with a short list of things to do. A disclosure and not an ARIA menu, so that Tab works as anywhere.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const ROOM = 8; // Pixels that stay free below a menu.

/** Where what stays at the bottom of a small window begins, or the window ends. */
function floor() {
  const bar = document.querySelector(".sections");
  return bar && getComputedStyle(bar).position === "fixed" ? bar.getBoundingClientRect().top : innerHeight;
}

/** Opens upwards where there is more room, and moves the page where there is too little both ways. */
function settle(details, list) {
  details.classList.remove("up");
  if (!details.open) return;
  const below = floor() - ROOM - details.getBoundingClientRect().bottom;
  const above = details.getBoundingClientRect().top - ROOM;
  const { height } = list.getBoundingClientRect();
  if (height <= below) return;
  details.classList.toggle("up", above > below);
  const { top, bottom } = list.getBoundingClientRect();
  if (top < 0) scrollBy({ top: top - ROOM });
  else if (bottom > floor() - ROOM) scrollBy({ top: bottom - floor() + ROOM });
}

/** `entries` are {text, run, isDangerous}, or false for one that does not apply; `key` is that of `dom.refill`. */
export function menu(label, entries, key = "menu") {
  const list = h("ul", { class: "menu-list" });
  const details = h(
    "details",
    { class: "menu" },
    h("summary", { class: "round", "aria-label": label, title: label, data: { key } }, icon("more")),
    list,
  );
  details.addEventListener("toggle", () => settle(details, list));
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
