// The outbox: what is one's own and has not come back from the network, and honestly what is happening to it.

import { get, remove } from "./api.js";
import { h, refill } from "./dom.js";
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
  const draw = (waiting) =>
    refill(
      list,
      waiting.map((each) =>
        h(
          "li",
          { class: "row-card outbox-row" },
          h(
            "div",
            { class: "row-body" },
            h(
              "p",
              { class: "row-title" },
              h("strong", {}, named(each)),
              h("span", { class: `badge plain state-${each.state}` }, STATES[each.state]),
            ),
            each.text ? h("p", { class: "excerpt", dir: "auto" }, safe(each.text)) : null,
            h("p", { class: "quiet" }, each.sentence),
          ),
          each.withdrawable
            ? h(
                "button",
                {
                  type: "button",
                  class: "button small",
                  data: { key: `withdraw-${each.id}` },
                  on: { click: () => withdraw(each) },
                },
                each.state === "given_up" ? "Dismiss" : "Withdraw",
              )
            : null,
        ),
      ),
      !waiting.length &&
        h(
          "li",
          { class: "empty" },
          h("h2", {}, "Nothing waits"),
          h(
            "p",
            {},
            "What you post, and every heart, waits here until your node’s own clock lets it out. Until then you can withdraw it.",
          ),
        ),
    );
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
