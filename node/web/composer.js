// The composer: where a secret is written. What is written stays in memory and nowhere else: closing the dialog keeps
// it, losing the node keeps it, and closing the page forgets it, since a draft on the disk would tell its author.

import { get, post } from "./api.js";
import { styleClass } from "./card.js";
import { confirmed, open } from "./dialog.js";
import { h } from "./dom.js";
import { secondLook } from "./glance.js";
import { hiding } from "./hiding.js";
import { icon } from "./icons.js";
import { refreshSoon, status, watch } from "./status.js";
import { safe, sizeOf } from "./text.js";
import { say, speak } from "./voice.js";

export const SIZE_MAX = 1000;
const CHOICES_MIN = 2;
const CHOICES_MAX = 6;
const COLOURS = ["Slate", "Sea", "Forest", "Clay", "Plum", "Rose", "Indigo", "Umber"];
const PATTERNS = ["Plain", "Dots", "Stripes", "Grid", "Rings", "Waves", "Dawn", "Corner"];

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

/** "123 of 1,000 bytes", said aloud near the end only. */
export function counter() {
  const element = h("p", { class: "counter" });
  const show = (size) => {
    const left = SIZE_MAX - size;
    element.textContent = `${size.toLocaleString("en")} of ${SIZE_MAX.toLocaleString("en")} bytes`;
    element.classList.toggle("over", left < 0);
    if (left < 0) speak(`${-left} bytes too long`);
    else if (left < 100 && left % 20 === 0) speak(`${left} bytes left`);
  };
  return { element, show };
}

/** Whether a text may go as it is; asks the person if something in it is worth a second look. */
export async function looksFine(text) {
  const names = await get("/friends").then(
    ({ friends }) => friends.map(({ name }) => name),
    () => [],
  );
  const hints = secondLook(text, names);
  if (!hints.length) return true;
  const sentences = [
    h(
      "ul",
      {},
      hints.map((each) => h("li", {}, safe(each))),
    ),
    "However well a post is hidden, what it says may give you away.",
  ];
  return confirmed("A second look", sentences, {
    yes: "Post it as it is",
    no: "Change it",
    isDoubtful: true,
  });
}

/** Shows why something was refused, beside what was refused, which stays. */
export function refusal(place, error) {
  const reasons = error.obstacles?.length ? error.obstacles : [error.message];
  place.replaceChildren(...reasons.map((each) => h("p", {}, each)));
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
    // Some browsers' spelling aid sends what is typed to their makers.
    spellcheck: "false",
    on: {
      input: () => {
        draft.text = text.value;
        changed();
      },
    },
  });
  const sheet = h("div", { class: "sheet" }, text);
  const size = counter();
  const choices = h("div", { class: "compose-choices" });
  const trouble = h("div", { class: "trouble-box", role: "alert" });
  const hides = h("div", {});
  const send = h("button", { type: "submit", class: "button main" }, "Post");

  function changed() {
    sheet.className = `sheet ${styleClass(draft.colour + COLOURS.length * draft.pattern)}`;
    size.show(sizeOf(draft.text, ...(draft.choices ?? [])));
  }

  const picks = (legend, key, names, klass) =>
    h(
      "fieldset",
      { class: "picks" },
      h("legend", {}, legend),
      names.map((name, index) =>
        h(
          "label",
          { class: `pick ${klass(index)}`, title: name },
          h("input", {
            type: "radio",
            name: key,
            checked: draft[key] === index,
            on: {
              change: () => {
                draft[key] = index;
                changed();
                repaint();
              },
            },
          }),
          h("span", { class: "unseen" }, name),
        ),
      ),
    );
  const colours = picks("Colour", "colour", COLOURS, (index) => `colour-${index}`);
  const patterns = picks("Pattern", "pattern", PATTERNS, (index) => `pattern-${index}`);
  const repaint = () => {
    patterns.className = `picks colour-of-all colour-${draft.colour}`;
  };

  function drawChoices() {
    const toggle = h(
      "button",
      {
        type: "button",
        class: "button small",
        on: {
          click: () => {
            draft.choices = draft.choices ? null : ["", ""];
            drawChoices();
            choices.querySelector("input")?.focus();
          },
        },
      },
      draft.choices ? "No poll" : "Add a poll",
    );
    const fields = (draft.choices ?? []).map((value, index) =>
      h("input", {
        type: "text",
        class: "field",
        value,
        dir: "auto",
        autocomplete: "off",
        spellcheck: "false",
        "aria-label": `Choice ${index + 1}`,
        placeholder: `Choice ${index + 1}`,
        on: {
          input: ({ target }) => {
            draft.choices[index] = target.value;
            changed();
          },
        },
      }),
    );
    const another =
      draft.choices && draft.choices.length < CHOICES_MAX
        ? h(
            "button",
            {
              type: "button",
              class: "button small",
              on: {
                click: () => {
                  draft.choices.push("");
                  drawChoices();
                  choices.querySelector("input:last-of-type").focus();
                },
              },
            },
            "Another choice",
          )
        : null;
    choices.replaceChildren(...fields, h("div", { class: "row" }, toggle, another ?? ""));
    changed();
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
      const style = draft.colour + COLOURS.length * draft.pattern;
      const answer = await post("/secrets", { text: draft.text, style, choices: chosen });
      draft = empty();
      close();
      say(`In your outbox. ${answer.sentence}`);
      refreshSoon();
    } catch (error) {
      refusal(trouble, error);
    } finally {
      send.disabled = false;
    }
    return undefined;
  }

  const drawHiding = () => {
    const obstacles = status()?.post.obstacles ?? [];
    hides.replaceChildren(
      hiding(),
      ...(obstacles.length
        ? [h("div", { class: "cannot" }, h("strong", {}, "Not yet: "), obstacles.join(" "))]
        : []),
    );
  };
  drawHiding();
  drawChoices();
  repaint();
  const leave = watch(drawHiding);
  return {
    leave,
    element: h(
      "form",
      { class: "compose", novalidate: true, on: { submit } },
      sheet,
      h("div", { class: "row spread" }, size.element),
      h("div", { class: "pick-rows" }, colours, patterns),
      choices,
      hides,
      trouble,
      h("div", { class: "buttons" }, send),
    ),
  };
}
