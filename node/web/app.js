// The page: logs in, draws the frame, shows one view at a time, and takes everything away when it is locked.

import { get, post, whenLocked } from "./api.js";
import { conversation } from "./conversation.js";
import { keepWhispers } from "./correspondence.js";
import { h } from "./dom.js";
import { feed } from "./feed.js";
import { frame } from "./frame.js";
import { friends } from "./friends.js";
import { follow } from "./live.js";
import { isLocked, showLock } from "./lock.js";
import { mindMenus } from "./menu.js";
import { mesh } from "./mesh.js";
import { outbox } from "./outbox.js";
import { mindPerson } from "./presence.js";
import { go, start, stop } from "./router.js";
import { applyTheme, settings } from "./settings.js";
import { forget, keepFresh, refresh, status } from "./status.js";
import { thread } from "./thread.js";
import { hush, tried } from "./voice.js";
import { welcome } from "./welcome.js";
import { whispers } from "./whispers.js";

const lockNow = () => tried(() => post("/lock")).then((done) => done && lock());
const VIEWS = {
  conversation,
  friends,
  mesh,
  outbox,
  settings: () => settings(lockNow),
  thread,
  welcome,
  whispers,
};
const NEED_NO_MESH = new Set(["friends", "mesh", "settings", "welcome"]);

const main = document.getElementById("main");
let view = null;
let ends = []; // What is to be stopped when the page is locked.

function showing(around) {
  return ({ section, id }) => {
    const isFirst = view === null;
    view?.leave();
    hush();
    if (!status().mesh && !NEED_NO_MESH.has(section)) return go("welcome");
    view = VIEWS[section]?.(id) ?? feed(section);
    main.replaceChildren(view.element);
    document.title = `${view.title} – Rumor`;
    scrollTo({ top: 0 });
    if (!isFirst) main.focus({ preventScroll: true });
    around.here(section);
    return undefined;
  };
}

function lock() {
  if (isLocked()) return;
  for (const end of ends) end();
  ends = [];
  view?.leave();
  view = null;
  forget();
  hush();
  showLock(main, () => begin().then(() => main.focus({ preventScroll: true })));
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

/** Takes what index.html has asked for ahead of us: whoever asked next for the same would get that answer, however old. */
function takePreloads(of = "/api/") {
  for (const { href } of document.querySelectorAll(`link[rel="preload"][href^="${of}"]`))
    fetch(href).catch(() => {});
}

async function begin() {
  let lockable;
  try {
    const [, preferences, state] = await Promise.all([refresh(), get("/settings"), get("/lock")]);
    applyTheme(preferences.theme);
    lockable = state.lockable;
  } catch (error) {
    if (error.status === undefined) throw error;
    if (error.isLocked) takePreloads();
    else door(error);
    return;
  }
  const around = frame(lockable ? lockNow : null);
  ends = [around.leave, stop, follow(), keepWhispers(), keepFresh()];
  start(showing(around));
  if (document.body.dataset.section !== "new") takePreloads("/api/secrets");
}

mindMenus();
mindPerson(() => isLocked() || get("/lock").catch(() => {}));
whenLocked(lock);
begin();
