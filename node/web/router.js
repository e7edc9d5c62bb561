// The router: which view is shown.
//
// The sections have addresses (`#friends`). A thread or a conversation has none: browsers write addresses to the disk,
// and which secrets somebody opened is nobody's business. Its id stays in memory, and after a reload its list is shown.

const SECTIONS = [
  "new",
  "loved",
  "subscribed",
  "mine",
  "hidden",
  "whispers",
  "outbox",
  "friends",
  "mesh",
  "settings",
  "welcome",
];
// What has no address, and where one is without its id.
const LISTS = { thread: "new", conversation: "whispers" };

let show = () => {};
const opened = new Map(); // Ids by numbers that mean nothing to anybody else.
const scrolled = new Map(); // Where a section was left.
let here = null;

export function current() {
  return here;
}

/** Calls `shown({section, id})` now and whenever something else is to be shown. */
export function start(shown) {
  show = shown;
  history.scrollRestoration = "manual";
  addEventListener("popstate", arrive);
  arrive();
}

/** Stops that; what was opened can be gone back to when it starts again. */
export function stop() {
  removeEventListener("popstate", arrive);
}

export function go(section) {
  leave();
  history.pushState(null, "", `#${section}`);
  arrive();
}

export const openThread = (id) => enter("thread", id);
export const openConversation = (id) => enter("conversation", id);

function enter(section, id) {
  leave();
  opened.set(opened.size + 1, { section, id });
  history.pushState({ opened: opened.size }, "", `#${section}`);
  arrive();
}

/** Back to where this was opened, or to its list; resolves once that is shown. */
export function back() {
  if (!history.state?.opened) return Promise.resolve(go(LISTS[here.section] ?? "new"));
  return new Promise((resolve) => {
    addEventListener("popstate", resolve, { once: true }); // After `arrive`, which has been there for longer.
    history.back();
  });
}

/** Where a section was left for a thread; once. */
export function takeScroll(section) {
  const top = scrolled.get(section) ?? 0;
  scrolled.delete(section);
  return top;
}

function leave() {
  if (here?.section) scrolled.set(here.section, scrollY);
}

function arrive() {
  const name = location.hash.slice(1);
  if (name === "main") return; // The skip link.
  const known = opened.get(history.state?.opened);
  if (known?.section === name) here = known;
  else here = { section: LISTS[name] ?? (SECTIONS.includes(name) ? name : "new") };
  show(here);
}
