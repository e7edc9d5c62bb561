// Settings: what one does not want to read, how long one's own posts stay linked, and how the page looks.

import { get, patch, remove } from "./api.js";
import { confirmed } from "./dialog.js";
import { h } from "./dom.js";
import { count } from "./text.js";
import { say, tried } from "./voice.js";

const THEMES = { auto: "As my system has it", light: "Light", dark: "Dark" };
const LINKED = { 0: "Not at all", 24: "A day", 168: "A week", 720: "A month" };

export function applyTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function choice(id, label, note, options, chosen, changed) {
  const entries = Object.entries(options);
  if (!(chosen in options)) entries.push([chosen, `${chosen} hours`]);
  const select = h(
    "select",
    { id, class: "field", "aria-describedby": `${id}-note`, on: { change: () => changed(select.value) } },
    entries.map(([value, text]) => h("option", { value, selected: String(chosen) === String(value) }, text)),
  );
  return h(
    "div",
    { class: "setting" },
    h("label", { htmlFor: id }, label),
    select,
    h("p", { class: "quiet", id: `${id}-note` }, note),
  );
}

export function settings() {
  const body = h("div", { class: "stack wide" });
  const save = async (changes) => {
    const answer = await tried(() => patch("/settings", changes));
    if (answer) say("Saved.");
    return answer;
  };

  function draw(known) {
    const filters = h("textarea", {
      class: "field",
      id: "filters",
      rows: 5,
      value: known.filters.join("\n"),
      spellcheck: "false",
      autocomplete: "off",
      "aria-describedby": "filters-note",
    });
    const keep = async (event) => {
      event.preventDefault();
      const answer = await save({
        filters: filters.value
          .split("\n")
          .map((each) => each.trim())
          .filter(Boolean),
      });
      if (answer) filters.value = answer.filters.join("\n");
    };
    body.replaceChildren(
      h(
        "section",
        { class: "box", "aria-labelledby": "read-title" },
        h("h2", { id: "read-title" }, "What you read"),
        h(
          "form",
          { class: "setting", novalidate: true, on: { submit: keep } },
          h("label", { htmlFor: "filters" }, "Words that you do not want to see"),
          filters,
          h(
            "p",
            { class: "quiet", id: "filters-note" },
            "One word or phrase a line, whole words. What has one is left out of your feeds. Nobody else learns of it.",
          ),
          h(
            "div",
            { class: "buttons" },
            h("button", { type: "submit", class: "button main" }, "Save the words"),
          ),
        ),
      ),
      h(
        "section",
        { class: "box", "aria-labelledby": "own-title" },
        h("h2", { id: "own-title" }, "What you wrote"),
        choice(
          "linked",
          "Your posts stay linked to you for",
          "While a post is linked you can take it back, and somebody who opens this disk can see that it is yours. Then your node forgets.",
          LINKED,
          known.link_hours,
          (value) => save({ link_hours: Number(value) }),
        ),
        h(
          "div",
          { class: "setting" },
          h("p", {}, "Forget now, for everything that you posted:"),
          h(
            "button",
            { type: "button", class: "button dangerous", on: { click: unlinkAll } },
            "Unlink everything from me",
          ),
        ),
      ),
      h(
        "section",
        { class: "box", "aria-labelledby": "look-title" },
        h("h2", { id: "look-title" }, "How it looks"),
        choice(
          "theme",
          "Theme",
          "Kept by your node, and not in the browser.",
          THEMES,
          known.theme,
          async (theme) => (await save({ theme })) && applyTheme(theme),
        ),
      ),
    );
  }

  tried(() => get("/settings")).then((known) => known && draw(known));
  return {
    title: "Settings",
    element: h("div", { class: "panel" }, h("h1", {}, "Settings"), body),
    leave() {},
  };
}

async function unlinkAll() {
  const sentences = [
    "Your node forgets what would show that you wrote anything. You cannot take your posts back afterwards, and whispers to you are lost.",
  ];
  if (!(await confirmed("Unlink everything?", sentences, { yes: "Unlink everything", isDangerous: true })))
    return;
  const answer = await tried(() => remove("/links"));
  if (answer) say(`${count(answer.unlinked, "post")} unlinked.`);
}
