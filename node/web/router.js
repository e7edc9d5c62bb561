// The router: which view is shown.
//
// The sections have addresses (`#friends`). A thread has none: browsers write addresses to the disk, and which secrets
// somebody opened is nobody's business. Its id stays in memory, and after a reload the feed is shown.

const SECTIONS = [
  "new",
  "loved",
  "subscribed",
  "mine",
  "hidden",
  "outbox",
  "friends",
  "mesh",
  "settings",
  "welcome",
];

let show = () => {};
const opened = new Map(); // Ids of threads by a number that means nothing to anybody else.
const scrolled = new Map(); // Where a section was left.
let here = null;

export function current() {
  return here;
}

export function start(shown) {
  show = shown;
  history.scrollRestoration = "manual";
  addEventListener("popstate", arrive);
  arrive();
}

export function go(section) {
  leave();
  history.pushState(null, "", `#${section}`);
  arrive();
}

export function openThread(id) {
  leave();
  opened.set(opened.size + 1, id);
  history.pushState({ thread: opened.size }, "", "#thread");
  arrive();
}

/** Back to where the thread was opened, or to the feed. */
export function back() {
  if (history.state?.thread) history.back();
  else go("new");
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
  const thread = opened.get(history.state?.thread);
  if (name === "thread" && thread) here = { section: "thread", thread };
  else here = { section: SECTIONS.includes(name) ? name : "new" };
  show(here);
}
