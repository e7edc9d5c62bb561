// The outbox: what is one's own and has not come back from the network, and honestly what is happening to it.

import { get, remove } from "./api.js";
import { h } from "./dom.js";
import { listen } from "./live.js";
import { refreshSoon } from "./status.js";
import { safe } from "./text.js";
import { say, tried } from "./voice.js";

const AGAIN_MS = 5000; // Waits run down without any event.

const WHAT = {
  secret: "Secret",
  poll: "Poll",
  reply: "Reply",
  vote: "Vote",
  whisper: "Whisper",
  retraction: "Taking something back",
};
const STATES = { waiting: "Waiting", on_its_way: "On its way", given_up: "Given up" };

function named({ kind, on }) {
  if (kind === "heart") return on ? "Heart" : "Taking a heart back";
  if (kind === "flag") return on ? "Flag" : "Taking a flag back";
  return WHAT[kind];
}

/** One thing that waits: {element, update(waiting)}. */
function outboxRow(waiting, withdraw) {
  const badge = h("span", {});
  const sentence = h("p", { class: "quiet" });
  let latest = waiting;
  const button = h("button", {
    type: "button",
    class: "button small",
    data: { key: `withdraw-${waiting.id}` },
    on: { click: () => withdraw(latest) },
  });
  const update = (now) => {
    latest = now;
    badge.className = `badge plain state-${now.state}`;
    badge.textContent = STATES[now.state];
    sentence.textContent = now.sentence;
    button.textContent = now.state === "given_up" ? "Dismiss" : "Withdraw";
    button.hidden = !now.withdrawable;
  };
  update(waiting);
  return {
    update,
    element: h(
      "li",
      { class: "row-card outbox-row" },
      h(
        "div",
        { class: "row-body" },
        h("p", { class: "row-title" }, h("strong", {}, named(waiting)), badge),
        waiting.text ? h("p", { class: "excerpt", dir: "auto" }, safe(waiting.text)) : null,
        sentence,
      ),
      button,
    ),
  };
}

export function outbox() {
  const list = h("ul", { class: "rows" });
  const load = async () => {
    const answer = await get("/outbox").catch(() => null);
    if (answer) draw(answer.waiting);
  };
  const withdraw = async ({ id, state }) => {
    if (!(await tried(() => remove(`/outbox/${id}`)))) return;
    say(state === "given_up" ? "Gone from your outbox." : "Withdrawn: it never left this node.");
    document.getElementById("main").focus();
    load();
    refreshSoon();
  };
  const empty = h(
    "li",
    { class: "empty", hidden: true },
    h("h2", {}, "Nothing waits"),
    h(
      "p",
      {},
      "What you post, and every heart, waits here until your node’s own clock lets it out. Until then you can withdraw it.",
    ),
  );
  list.append(empty);
  const rows = new Map(); // By id. A row stays as long as it waits: a button that is pressed must not go meanwhile.
  function draw(waiting) {
    const kept = new Set(waiting.map(({ id }) => id));
    for (const [id, row] of rows) {
      if (kept.has(id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    for (const each of waiting) {
      const known = rows.get(each.id);
      if (known) {
        known.update(each);
        continue;
      }
      const made = outboxRow(each, withdraw);
      rows.set(each.id, made);
      list.append(made.element);
    }
    empty.hidden = waiting.length > 0;
  }
  const stop = listen((event) => (event === "outbox" || event === "again") && load());
  const timer = setInterval(load, AGAIN_MS);
  load();
  return {
    title: "Outbox",
    element: h(
      "div",
      { class: "panel" },
      h("h1", {}, "Outbox"),
      h(
        "p",
        { class: "lead" },
        "Yours alone: nobody else learns what is in here. Things leave at random moments, so that their leaving does not tell when you wrote, or whether you wrote at all.",
      ),
      list,
    ),
    leave() {
      stop();
      clearInterval(timer);
    },
  };
}
