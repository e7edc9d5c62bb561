// Settings: what one does not want to read, how long one's own posts stay linked, when the page is locked, how it looks;
// and below them what can be kept.

import { get, patch, remove } from "./api.js";
import { confirmed } from "./dialog.js";
import { h } from "./dom.js";
import { box, keeping } from "./keeping.js";
import { count } from "./text.js";
import { say, tried } from "./voice.js";

const THEMES = { auto: "As my system has it", light: "Light", dark: "Dark" };
const LINKED = { 0: "Not at all", 24: "A day", 168: "A week", 720: "A month" };
const LOCKED = { 0: "Never", 2: "2 minutes", 5: "5 minutes", 15: "15 minutes", 60: "An hour" };

export function applyTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function choice(id, label, note, options, chosen, unit, changed) {
  const entries = Object.entries(options);
  if (!(chosen in options)) entries.push([chosen, `${chosen} ${unit}`]);
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

/** `lockNow()` locks the page. */
export function settings(lockNow) {
  const body = h("div", { class: "stack wide" });
  const save = async (changes) => {
    const answer = await tried(() => patch("/settings", changes));
    if (answer) say("Saved.");
    return answer;
  };

  function draw(known, { lockable }, { command }) {
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
    const words = h(
      "form",
      { class: "setting", novalidate: true, on: { submit: keep } },
      h("label", { htmlFor: "filters" }, "Words that you do not want to see"),
      filters,
      h(
        "p",
        { class: "quiet", id: "filters-note" },
        "One word or phrase a line, whole words. What has one is left out of your feeds, and folded in whispers. Nobody else learns of it.",
      ),
      h("button", { type: "submit", class: "button main" }, "Save the words"),
    );
    body.replaceChildren(
      box("read-title", "What you read", words),
      box(
        "own-title",
        "What you wrote",
        choice(
          "linked",
          "Your posts stay linked to you for",
          "While a post is linked you can take it back and be whispered to about it, and somebody who opens this disk can see that it is yours. Then your node forgets, and the whisper conversations about it end as well: their letters are erased here.",
          LINKED,
          known.link_hours,
          "hours",
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
      box("lock-title", "The lock of this page", lockable ? locking(known) : unlockable(command)),
      box(
        "look-title",
        "How it looks",
        choice(
          "theme",
          "Theme",
          "Kept by your node, and not in the browser.",
          THEMES,
          known.theme,
          "",
          async (theme) => (await save({ theme })) && applyTheme(theme),
        ),
      ),
      ...keeping(command, lockable),
    );
  }

  const locking = (known) => [
    choice(
      "locked",
      "Lock it when nobody has used it for",
      "It then asks for your passphrase, and shows nothing until it has it. Your node goes on as before.",
      LOCKED,
      known.lock_minutes,
      "minutes",
      (value) => save({ lock_minutes: Number(value) }),
    ),
    h("div", {}, h("button", { type: "button", class: "button", on: { click: lockNow } }, "Lock now")),
  ];

  tried(() => Promise.all([get("/settings"), get("/lock"), get("/profile")])).then(
    (known) => known && draw(...known),
  );
  return {
    title: "Settings",
    element: h("div", { class: "panel" }, h("h1", {}, "Settings"), body),
    leave() {},
  };
}

const unlockable = (command) =>
  h(
    "p",
    {},
    "This profile has no passphrase, so there is nothing to unlock the page by, and who opens this disk can read everything. Choose one in a terminal: ",
    h("code", {}, `${command} passphrase`),
  );

async function unlinkAll() {
  const sentences = [
    "Your node forgets what would show that you wrote anything. You cannot take your posts back afterwards, and all whisper conversations about them end.",
  ];
  if (!(await confirmed("Unlink everything?", sentences, { yes: "Unlink everything", isDangerous: true })))
    return;
  const answer = await tried(() => remove("/links"));
  if (answer) say(`${count(answer.unlinked, "post")} unlinked.`);
}
