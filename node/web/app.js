// The page: logs in, draws the frame, and shows one view at a time.

import { get } from "./api.js";
import { compose } from "./composer.js";
import { h } from "./dom.js";
import { feed } from "./feed.js";
import { friends } from "./friends.js";
import { icon } from "./icons.js";
import { follow } from "./live.js";
import { mindMenus } from "./menu.js";
import { mesh, summary } from "./mesh.js";
import { outbox } from "./outbox.js";
import { current, go, start } from "./router.js";
import { applyTheme, settings } from "./settings.js";
import { away, keepFresh, refresh, status, watch } from "./status.js";
import { thread } from "./thread.js";
import { welcome } from "./welcome.js";

const VIEWS = { outbox, friends, mesh, settings, welcome };
const SECTIONS = [
  ["new", "Secrets", "secrets"],
  ["outbox", "Outbox", "outbox"],
  ["friends", "Friends", "friends"],
  ["mesh", "Mesh", "mesh"],
  ["settings", "Settings", "settings"],
];
const FEEDS = new Set(["new", "loved", "subscribed", "mine", "hidden", "thread"]);

const main = document.getElementById("main");
let view = null;

function show(route) {
  const first = view === null;
  view?.leave();
  if (!status().mesh && FEEDS.has(route.section)) return go("welcome");
  view =
    route.section === "thread" ? thread(route.thread) : (VIEWS[route.section]?.() ?? feed(route.section));
  main.replaceChildren(view.element);
  document.body.dataset.section = route.section;
  document.title = `${view.title} – Rumor`;
  scrollTo({ top: 0 });
  if (!first) main.focus({ preventScroll: true });
  drawNavigation();
  return undefined;
}

// Made once and changed in place: who is in the middle of it with the keyboard stays there.
const links = SECTIONS.map(([name, title, sign]) => {
  const count = h("span", { class: "count", hidden: true });
  return {
    name,
    count,
    element: h("a", { href: `#${name}`, class: "section" }, icon(sign), h("span", {}, title), count),
  };
});
const nav = h(
  "nav",
  { class: "sections", "aria-label": "Sections" },
  links.map(({ element }) => element),
);

function drawNavigation() {
  const here = current()?.section;
  const known = status();
  const counts = {
    outbox: known.outbox.length,
    friends: known.pending.filter((each) => each.includes("then confirm")).length,
  };
  for (const { name, count, element } of links) {
    const isHere = name === here || (name === "new" && FEEDS.has(here));
    if (isHere) element.setAttribute("aria-current", "page");
    else element.removeAttribute("aria-current");
    count.hidden = !counts[name];
    count.textContent = counts[name] || "";
  }
  document.body.classList.toggle("no-mesh", !known.mesh);
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
            "; if it runs already, ",
            h("code", {}, "rumor open"),
            ". What you wrote stays here.",
          ),
        ]
      : []),
  );
}

function drawFrame() {
  document
    .getElementById("top")
    .append(
      nav,
      h(
        "button",
        { type: "button", class: "button main write", on: { click: compose } },
        icon("write"),
        h("span", {}, "Write"),
      ),
    );
  main.after(summary());
  watch(() => {
    drawNavigation();
    drawBanner();
  });
}

function door(error) {
  const [title, sentence] =
    error.status === 401
      ? ["This page is locked", "Your node opens it for you. In a terminal:"]
      : ["Your node does not answer", "Start it in a terminal, and open the page from there:"];
  document.body.classList.add("at-door");
  main.replaceChildren(
    h(
      "div",
      { class: "door" },
      h("h1", {}, title),
      h("p", {}, sentence),
      h("p", {}, h("code", { class: "command" }, "rumor open")),
      h(
        "p",
        { class: "quiet" },
        "The link that it opens works once. Other people on this machine cannot read the page without one.",
      ),
    ),
  );
}

async function begin() {
  try {
    const [, preferences] = await Promise.all([refresh(), get("/settings")]);
    applyTheme(preferences.theme);
  } catch (error) {
    if (error.status === undefined) throw error;
    door(error);
    return;
  }
  drawFrame();
  mindMenus();
  start(show);
  follow();
  keepFresh();
}

begin();
