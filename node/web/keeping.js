// Keeping: a copy to read and a backup, as files that the browser saves, and the commands for what a page had better not
// be able to do.

import { file } from "./api.js";
import { h } from "./dom.js";
import { say, tried } from "./voice.js";
import { refusal } from "./writing.js";

/** Gives a file to the browser, which saves it as it saves any other. */
function save({ name, content }) {
  const url = URL.createObjectURL(content);
  h("a", { href: url, download: name }).click();
  // Let go of once the browser has taken it; how long that takes nobody tells.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A part of the settings, with a heading. */
export const box = (id, title, ...children) =>
  h("section", { class: "box", "aria-labelledby": id }, h("h2", { id }, title), children);

/** The parts of the settings that are about keeping. */
export function keeping(command, hasPassphrase) {
  return [reading(), backup(hasPassphrase), commands(command)];
}

function reading() {
  const button = (format, title) =>
    h(
      "button",
      {
        type: "button",
        class: "button",
        on: {
          click: async ({ target }) => {
            target.disabled = true;
            const made = await tried(() => file("GET", `/export?format=${format}`));
            target.disabled = false;
            if (!made) return;
            save(made);
            say("The copy is with your browser’s downloads.");
          },
        },
      },
      title,
    );
  return box(
    "copy-title",
    "A copy to read",
    h(
      "p",
      { class: "quiet" },
      "All secrets and threads that your node holds, in one file that stays when they expire. It is not encrypted, and does not tell which of them are yours; your browser’s list of downloads will name it.",
    ),
    h("div", { class: "row" }, button("markdown", "Save as text"), button("json", "Save as data")),
  );
}

function backup(hasPassphrase) {
  const field = (id, label) => {
    const input = h("input", { type: "password", class: "field narrow", id, autocomplete: "off" });
    return { input, parts: [h("label", { htmlFor: id }, label), input] };
  };
  const first = hasPassphrase
    ? field("backup-passphrase", "Your passphrase, which will open it")
    : field("backup-passphrase", "A passphrase for the file, since it is made to be carried away");
  const again = hasPassphrase ? null : field("backup-again", "The same again");
  const trouble = h("div", { class: "trouble-box", role: "alert" });
  const button = h("button", { type: "submit", class: "button main" }, "Save a backup");
  const submit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    if (!first.input.value) return first.input.focus();
    if (again && again.input.value !== first.input.value)
      return refusal(trouble, { message: "These are two different passphrases." });
    button.disabled = true;
    button.textContent = "Sealing it …"; // Made to take seconds, so that guessing does too.
    try {
      save(await file("POST", "/backup", { passphrase: first.input.value }));
      say("The backup is with your browser’s downloads. The same passphrase opens it.");
      first.input.value = "";
      if (again) again.input.value = "";
    } catch (error) {
      refusal(trouble, error);
    } finally {
      button.disabled = false;
      button.textContent = "Save a backup";
    }
    return undefined;
  };
  return box(
    "backup-title",
    "A backup",
    h(
      "p",
      { class: "quiet" },
      "Your keys, your friends, your whispers and what is linked to you, in one encrypted file: what you need to be yourself on another machine. Not in it is what others have said, which your friends give back, nor what waits in your outbox.",
    ),
    h(
      "form",
      { class: "setting", novalidate: true, on: { submit } },
      first.parts,
      again?.parts,
      trouble,
      button,
    ),
  );
}

function commands(command) {
  const row = (what, arguments_, note) =>
    h(
      "div",
      { class: "command-row" },
      h("dt", {}, what),
      h(
        "dd",
        {},
        h("code", { class: "command" }, `${command} ${arguments_}`),
        h("p", { class: "quiet" }, note),
      ),
    );
  return box(
    "terminal-title",
    "In a terminal only",
    h(
      "p",
      { class: "quiet" },
      "A page that could do this would be worth too much to whoever sits down before it.",
    ),
    h(
      "dl",
      { class: "commands" },
      row(
        "Write your keys down",
        "backup --words",
        "24 words for paper. They bring back who you are here, and nothing else; whoever reads them is you.",
      ),
      row(
        "Bring a backup back",
        "restore FILE",
        "Where there is no such profile yet. Never let the old one run again beside it.",
      ),
      row(
        "Change the passphrase",
        "passphrase",
        "Your node may run meanwhile. Backups keep the one that they have.",
      ),
      row(
        "Destroy this profile",
        "wipe",
        "The key goes first, in less than a second, and then the files. What you posted stays with others.",
      ),
    ),
  );
}
