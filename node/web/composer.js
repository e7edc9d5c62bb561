// The composer: where a secret is written. What is written stays in memory and nowhere else: closing the dialog keeps
// it, losing the node keeps it, and closing the page forgets it, since a draft on the disk would tell its author.

import { post } from "./api.js";
import { CHOICES_MIN, choiceFields } from "./choices.js";
import { counter } from "./counter.js";
import { open } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { COLOURS, picks, styleOf } from "./picks.js";
import { go } from "./router.js";
import { refreshSoon } from "./status.js";
import { styleClass } from "./swatch.js";
import { looksFine, refusal, sayQueued, standing } from "./writing.js";

const empty = () => ({
  text: "",
  colour: Math.floor(Math.random() * COLOURS.length),
  pattern: 0,
  choices: null,
});
let draft = empty();

export function composeButton() {
  return h(
    "button",
    { type: "button", class: "prompt", on: { click: compose } },
    icon("write"),
    "What would you say if nobody knew that it was you?",
  );
}

export function compose() {
  let stop = () => {};
  return open(
    "A secret",
    (close) => {
      const made = form(close);
      stop = made.leave;
      return made.element;
    },
    { className: "composer" },
  ).then(() => stop());
}

function form(close) {
  const text = h("textarea", {
    class: "compose-text",
    value: draft.text,
    rows: 5,
    dir: "auto",
    "aria-label": "Your secret",
    autofocus: true,
    placeholder: "What have you never said aloud?",
    autocomplete: "off",
    spellcheck: "false", // As in `writingForm`.
    on: {
      input: () => {
        draft.text = text.value;
        changed();
      },
    },
  });
  const sheet = h("div", { class: "sheet" }, text);
  const size = counter();
  const trouble = h("div", { class: "trouble-box", role: "alert" });
  const send = h("button", { type: "submit", class: "button main" }, "Post");
  const hides = standing();

  function changed() {
    sheet.className = `sheet ${styleClass(styleOf(draft))}`;
    size.show(draft.text, ...(draft.choices ?? []));
  }

  async function submit(event) {
    event.preventDefault();
    const chosen = (draft.choices ?? []).map((each) => each.trim()).filter(Boolean);
    trouble.replaceChildren();
    if (!draft.text.trim()) return refusal(trouble, { message: "There is nothing written yet." });
    if (draft.choices && chosen.length < CHOICES_MIN)
      return refusal(trouble, { message: "A poll has two choices at the least." });
    send.disabled = true;
    try {
      if (!(await looksFine([draft.text, ...chosen].join("\n")))) return text.focus();
      const answer = await post("/secrets", { text: draft.text, style: styleOf(draft), choices: chosen });
      draft = empty();
      close();
      // From the first steps into what they lead to.
      if (document.body.dataset.section === "welcome") go("new");
      sayQueued(answer);
      refreshSoon();
    } catch (error) {
      refusal(trouble, error);
    } finally {
      send.disabled = false;
    }
    return undefined;
  }

  return {
    leave: hides.leave,
    element: h(
      "form",
      { class: "compose", novalidate: true, on: { submit } },
      sheet,
      h("div", { class: "row spread" }, size.element),
      picks(draft, changed),
      choiceFields(draft, changed),
      hides.element,
      trouble,
      h("div", { class: "buttons" }, send),
    ),
  };
}
