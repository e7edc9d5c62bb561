// Whispers: the list of one's conversations, each beside the secret that it is about.

import { correspondence, refreshWhispers, watchWhispers } from "./correspondence.js";
import { h, refill } from "./dom.js";
import { listen } from "./live.js";
import { openConversation } from "./router.js";
import { swatch } from "./swatch.js";
import { about, safe } from "./text.js";

const STATES = { waiting: "waits to leave", on_its_way: "on its way", given_up: "did not arrive" };

const EMPTY = [
  "Nobody whispers yet",
  "Choose “Whisper to the author” at a secret that touches you: only its author can read it, and may answer. What is whispered to you about your own secrets stands here, too, for as long as they are linked to you.",
];

function row(conversation) {
  const { id, secret, mine, unread, letters } = conversation;
  const newest = letters.at(-1);
  const open = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    openConversation(id);
  };
  return h(
    "li",
    {},
    h(
      "a",
      {
        class:
          newest.read || newest.filtered ? "row-card conversation-row" : "row-card conversation-row unread",
        href: "#conversation",
        data: { key: id },
        on: { click: open },
      },
      swatch(secret),
      h(
        "span",
        { class: "row-body" },
        h("span", { class: "row-title" }, h("strong", {}, mine ? "About your secret" : "With the author")),
        h(
          "span",
          { class: "excerpt" },
          newest.mine ? h("span", { class: "quiet" }, "You: ") : null,
          newest.filtered
            ? h("span", { class: "quiet" }, "Folded: it has a word that you do not want to see.")
            : h("bdi", {}, safe(newest.text)),
        ),
        h(
          "span",
          { class: "row quiet" },
          about(newest.about),
          unread ? h("span", { class: "badge" }, `${unread} new`) : null,
          newest.mine && STATES[newest.state]
            ? h("span", { class: "badge plain" }, STATES[newest.state])
            : null,
        ),
      ),
    ),
  );
}

export function whispers() {
  const list = h("div", {});
  const draw = () => {
    const { conversations } = correspondence();
    const [title, sentence] = EMPTY;
    refill(
      list,
      conversations.length
        ? h("ul", { class: "rows" }, conversations.map(row))
        : h(
            "div",
            { class: "empty" },
            h("h2", {}, title),
            h("p", {}, sentence),
            h("p", {}, h("a", { class: "button", href: "#new" }, "To the secrets")),
          ),
    );
  };
  draw();
  const stops = [
    watchWhispers(draw),
    listen((event) => (event === "outbox" || event === "gone") && refreshWhispers()),
  ];
  refreshWhispers();
  return {
    title: "Whispers",
    element: h(
      "div",
      { class: "panel" },
      h("h1", {}, "Whispers"),
      h(
        "p",
        { class: "lead" },
        "Conversations of two who do not know each other. To everybody else each letter is one more packet among all the others.",
      ),
      list,
    ),
    leave: () => stops.forEach((stop) => stop()),
  };
}
