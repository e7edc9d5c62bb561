// Dialogs: the browser's own, which keeps the focus inside, closes at Escape and gives the focus back.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { isLocked } from "./lock.js";

let numbered = 0;

/** Opens a dialog with a title. `fill(close)` makes what is in it. Resolves with what `close` was given. */
export function open(title, fill, { className = "" } = {}) {
  if (isLocked()) return Promise.resolve();
  return new Promise((resolve) => {
    const id = `dialog-${++numbered}`;
    let answer;
    const close = (given) => {
      answer = given;
      dialog.close();
    };
    const dialog = h(
      "dialog",
      { class: `dialog ${className}`, "aria-labelledby": id },
      h(
        "div",
        { class: "dialog-head" },
        h("h2", { id }, title),
        h(
          "button",
          { type: "button", class: "round", "aria-label": "Close", on: { click: () => close() } },
          icon("close"),
        ),
      ),
      fill(close),
      h("div", { class: "toasts", role: "status" }),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    // A press beside the dialog means "away with it"; one that only ends there, after selecting text, does not.
    dialog.addEventListener("pointerdown", (event) => event.target === dialog && close());
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  });
}

/**
 * Asks whether to go on; resolves with true or false. What changes nothing has the focus, and in doubt the colour too.
 */
export function confirmed(title, sentences, { yes, no = "Cancel", isDangerous = false, isDoubtful = false }) {
  return open(title, (close) => [
    [sentences].flat().map((each) => (typeof each === "string" ? h("p", {}, each) : each)),
    h(
      "div",
      { class: "buttons" },
      h(
        "button",
        {
          type: "button",
          class: isDoubtful ? "button main" : "button",
          autofocus: true,
          on: { click: () => close(false) },
        },
        no,
      ),
      h(
        "button",
        {
          type: "button",
          class: isDangerous ? "button dangerous" : isDoubtful ? "button" : "button main",
          on: { click: () => close(true) },
        },
        yes,
      ),
    ),
  ]).then(Boolean);
}
