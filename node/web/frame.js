// The frame around each view: the sections, what waits in them, the button to write, and a glance at the mesh.

import { compose } from "./composer.js";
import { correspondence, watchWhispers } from "./correspondence.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { summary } from "./mesh.js";
import { away, status, watch } from "./status.js";

const SECTIONS = [
  ["new", "Secrets", "secrets"],
  ["whispers", "Whispers", "whispers"],
  ["outbox", "Outbox", "outbox"],
  ["friends", "Friends", "friends"],
  ["mesh", "Mesh", "mesh"],
  ["settings", "Settings", "settings"],
];
// What is shown below another section's name.
const PARTS = {
  loved: "new",
  subscribed: "new",
  mine: "new",
  hidden: "new",
  thread: "new",
  conversation: "whispers",
};

/** Draws the frame: {here(section), leave}. With `lock` there is a button for it. */
export function frame(lock = null) {
  const top = document.getElementById("top");
  // Made once and changed in place: who is in the middle of it with the keyboard stays there.
  const links = SECTIONS.map(([name, title, sign]) => {
    const count = h("span", { class: "count", hidden: true });
    return {
      name,
      count,
      element: h("a", { href: `#${name}`, class: "section" }, icon(sign), h("span", {}, title), count),
    };
  });
  const parts = [
    h(
      "nav",
      { class: "sections", "aria-label": "Sections" },
      links.map(({ element }) => element),
    ),
    h(
      "button",
      { type: "button", class: "button main write", on: { click: compose } },
      icon("write"),
      h("span", {}, "Write"),
    ),
    lock &&
      h(
        "button",
        { type: "button", class: "lock-now", on: { click: lock } },
        icon("lock"),
        h("span", {}, "Lock now"),
      ),
  ].filter(Boolean);
  const glance = summary();
  let section = "new";

  function draw() {
    const known = status();
    const counts = {
      whispers: correspondence().unread,
      outbox: known.outbox.length,
      friends: known.pending.filter((each) => each.includes("then confirm")).length,
    };
    for (const { name, count, element } of links) {
      if (name === (PARTS[section] ?? section)) element.setAttribute("aria-current", "page");
      else element.removeAttribute("aria-current");
      count.hidden = !counts[name];
      count.textContent = counts[name] || "";
    }
    document.body.classList.toggle("no-mesh", !known.mesh);
    drawBanner();
  }

  top.append(...parts);
  document.getElementById("main").after(glance.element);
  draw();
  const stops = [watch(draw), watchWhispers(draw), glance.leave];
  return {
    here(name) {
      section = name;
      document.body.dataset.section = name;
      draw();
    },
    leave() {
      for (const each of [...parts, glance.element]) each.remove();
      for (const stop of stops) stop();
      delete document.body.dataset.section;
    },
  };
}

function drawBanner() {
  const banner = document.getElementById("banner");
  if (away() === Boolean(banner.firstChild)) return;
  banner.replaceChildren(
    ...(away()
      ? [
          h(
            "p",
            {},
            "Your node does not answer. Start it with ",
            h("code", {}, "rumor run"),
            ", then open the page with ",
            h("code", {}, "rumor open"),
            ". What you have begun to write stays here: copy it over if this page does not come back.",
          ),
        ]
      : []),
  );
}
