// One friend: how far the friendship has come, and what can be done about it.

import { friendPath, patch, put, remove } from "./api.js";
import { confirmed, open } from "./dialog.js";
import { h } from "./dom.js";
import { menu } from "./menu.js";
import { refreshSoon } from "./status.js";
import { dated, safe, sentence } from "./text.js";
import { say, tried } from "./voice.js";
import { refusal } from "./writing.js";

/** A row of the list; `load()` asks for the list anew. */
export function friendRow(friend, load) {
  const name = safe(friend.name);
  const isDone = friend.stage === "friends";
  const dot = friend.connected ? (isDone ? "on" : "waiting") : "off";
  const canConfirm = friend.stage === "met" || friend.stage === "confirmed_by_them";
  return h(
    "li",
    { class: "row-card" },
    h("span", { class: `state-dot ${dot}`, "aria-hidden": "true" }),
    h(
      "div",
      { class: "row-body" },
      h("p", { class: "row-title" }, h("strong", { dir: "auto" }, name)),
      h("p", { class: "quiet" }, sentence(dated(safe(friend.state)))),
      friend.words && !canConfirm
        ? h("p", { class: "quiet" }, "The words: ", h("span", { class: "words-inline" }, friend.words))
        : null,
    ),
    canConfirm
      ? h(
          "button",
          {
            type: "button",
            class: "button main small",
            data: { key: `compare-${friend.id}` },
            on: { click: () => compare(friend, load) },
          },
          "Compare words",
        )
      : null,
    menu(
      `More about ${name}`,
      [
        { text: "Rename", run: () => rename(friend, load) },
        { text: "End the friendship", isDangerous: true, run: () => end(friend, load) },
      ],
      `menu-${friend.id}`,
    ),
  );
}

function compare(friend, load) {
  const name = safe(friend.name);
  return open(`You and ${name}`, (close) => {
    const field = h("input", {
      type: "text",
      class: "field",
      id: "spoken-words",
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
      autofocus: true,
    });
    const trouble = h("div", { class: "trouble-box", role: "alert" });
    const submit = async (event) => {
      event.preventDefault();
      trouble.replaceChildren();
      if (!field.value.trim()) {
        refusal(trouble, {
          message: `Type the four words that ${name} reads to you, or that you read there.`,
        });
        return field.focus();
      }
      try {
        const answer = await put(friendPath(friend.id, "/confirmation"), { words: field.value });
        close();
        // What there is still to wait for stands in the list, for as long as it is so.
        if (answer.stage === "friends") say(`You and ${name} are friends.`);
        load();
        refreshSoon();
      } catch (error) {
        refusal(trouble, error);
        field.select();
      }
      return undefined;
    };
    return h(
      "form",
      { class: "stack", novalidate: true, on: { submit } },
      h(
        "p",
        {},
        `Call ${name}, or meet. Read these words to each other; if somebody stood between your nodes, they differ.`,
      ),
      h(
        "p",
        { class: "four-words", "aria-label": "Your words" },
        friend.words.split(" ").map((word) => h("span", {}, word, " ")),
      ),
      h("label", { htmlFor: "spoken-words" }, `Type the words that ${name} reads to you`),
      field,
      trouble,
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "submit", class: "button main" }, "They are the same"),
      ),
    );
  });
}

function rename(friend, load) {
  return open(`Rename ${safe(friend.name)}`, (close) => {
    const field = h("input", {
      type: "text",
      class: "field",
      id: "new-name",
      value: friend.name,
      maxLength: 64,
      autocomplete: "off",
      autofocus: true,
    });
    const submit = async (event) => {
      event.preventDefault();
      if (!(await tried(() => patch(friendPath(friend.id), { name: field.value })))) return;
      close();
      load();
    };
    return h(
      "form",
      { class: "stack", novalidate: true, on: { submit } },
      h("label", { htmlFor: "new-name" }, "Your own name for them; it never leaves this node"),
      field,
      h("div", { class: "buttons" }, h("button", { type: "submit", class: "button main" }, "Rename")),
    );
  });
}

async function end(friend, load) {
  const sentences = `Your nodes do not talk to each other any more. What ${safe(friend.name)} has received already stays theirs.`;
  if (
    !(await confirmed(`End the friendship with ${safe(friend.name)}?`, sentences, {
      yes: "End it",
      isDangerous: true,
    }))
  )
    return;
  if (await tried(() => remove(friendPath(friend.id)))) {
    load();
    refreshSoon();
  }
}
