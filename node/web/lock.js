// The lock: a page that nobody has used for a while, or that was locked by hand, asks for the passphrase. While it does,
// nothing of what was shown is in it. What was being written stays in memory, as it does when a dialog is closed.

import { get, post } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";

/** Whether the page is locked: then nothing is shown, said or asked. */
export const isLocked = () => document.body.classList.contains("locked");

/** Takes everything off the page and asks for the passphrase; `unlocked()` is called once the node has taken it. */
export function showLock(main, unlocked) {
  document.body.classList.add("locked");
  document.title = "Locked – Rumor";
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.close(); // Whoever waits for its answer gets none.
    dialog.remove();
  }
  for (const id of ["banner", "spoken"]) document.getElementById(id).replaceChildren();
  const open = () => {
    removeEventListener("focus", look);
    document.body.classList.remove("locked");
    main.replaceChildren();
    unlocked();
  };
  // The lock is the session's: another window may have opened it.
  const look = () => get("/lock").then(open, () => {});
  addEventListener("focus", look);
  const { element, field } = form(open);
  main.replaceChildren(element);
  field.focus();
}

function form(open) {
  const field = h("input", {
    type: "password",
    class: "field",
    id: "passphrase",
    // Neither kept by the browser nor offered to it: it opens more than this page.
    autocomplete: "off",
    required: true,
  });
  const trouble = h("div", { class: "trouble-box", role: "alert" });
  const button = h("button", { type: "submit", class: "button main" }, "Unlock");
  const submit = async (event) => {
    event.preventDefault();
    if (!field.value) return field.focus();
    trouble.replaceChildren();
    button.disabled = true;
    button.textContent = "Trying it …"; // It is made to take a second.
    try {
      await post("/unlock", { passphrase: field.value });
      return open();
    } catch (error) {
      trouble.replaceChildren(h("p", {}, error.message));
      field.select();
    } finally {
      button.disabled = false;
      button.textContent = "Unlock";
    }
    return undefined;
  };
  const element = h(
    "form",
    { class: "door", novalidate: true, on: { submit } },
    icon("lock"),
    h("h1", {}, "Locked"),
    h(
      "p",
      {},
      "Your node goes on as before. This page shows nothing of it until you have said your passphrase.",
    ),
    h(
      "div",
      { class: "stack" },
      h("label", { htmlFor: "passphrase" }, "Passphrase"),
      field,
      trouble,
      h("div", { class: "buttons start" }, button),
    ),
    h(
      "p",
      { class: "quiet" },
      "What you had begun to write comes back with the rest, as long as this page is not closed.",
    ),
  );
  return { element, field };
}
