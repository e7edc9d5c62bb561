// Choices: what makes a secret a poll, while it is written.

import { h } from "./dom.js";

export const CHOICES_MIN = 2;
const CHOICES_MAX = 6;

/** Fields for the choices of `draft`, null as long as it is no poll; `changed()` is called at each change. */
export function choiceFields(draft, changed) {
  const element = h("div", { class: "compose-choices" });

  function draw() {
    const toggle = h(
      "button",
      {
        type: "button",
        class: "button small",
        on: {
          click: () => {
            draft.choices = draft.choices ? null : ["", ""];
            draw();
            element.querySelector("input, button")?.focus();
          },
        },
      },
      draft.choices ? "No poll" : "Add a poll",
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
                  draw();
                  element.querySelector("input:last-of-type").focus();
                },
              },
            },
            "Another choice",
          )
        : null;
    const fields = (draft.choices ?? []).map(field);
    element.replaceChildren(...fields, h("div", { class: "row" }, toggle, another ?? ""));
    changed();
  }

  const field = (value, index) =>
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
    });

  draw();
  return element;
}
