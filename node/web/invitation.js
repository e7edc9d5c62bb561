// Invitations: giving one, as a link and a QR code, and taking one up.

import { post } from "./api.js";
import { open } from "./dialog.js";
import { drawing, h } from "./dom.js";
import { say, tried } from "./voice.js";
import { refusal } from "./writing.js";

const QUIET_ZONE = 4; // Modules of white around a code, which cameras need (ISO/IEC 18004).

/** A QR code from rows of 0 and 1: one path, black on white in every theme. */
function code(rows) {
  const size = rows.length + 2 * QUIET_ZONE;
  let path = "";
  rows.forEach((row, y) => {
    for (const { 0: run, index } of row.matchAll(/1+/g)) {
      path += `M${index + QUIET_ZONE} ${y + QUIET_ZONE}h${run.length}v1h-${run.length}z`;
    }
  });
  return drawing(`0 0 ${size} ${size}`, path, {
    class: "qr",
    role: "img",
    "aria-label": "The invitation as a QR code",
    "shape-rendering": "crispEdges",
  });
}

/** A form that makes an invitation and shows it below; with `isFirst` there is nobody yet who could be a member. */
export function inviteForm({ isFirst = false } = {}) {
  const shown = h("div", { class: "invitation", "aria-live": "polite" });
  const name = h("input", {
    type: "text",
    class: "field",
    id: "invite-name",
    maxLength: 64,
    autocomplete: "off",
    placeholder: "Such as Bob",
  });
  const isMember = h("input", { type: "checkbox" });
  const submit = async (event) => {
    event.preventDefault();
    const answer = await tried(() =>
      post("/invitations", { name: name.value.trim(), sponsor: !isMember.checked }),
    );
    if (answer) show(answer);
  };
  const show = ({ uri, qr }) => {
    const link = h("textarea", {
      class: "field link-text",
      readOnly: true,
      rows: 5,
      value: uri,
      "aria-label": "The invitation",
      on: { focus: () => link.select() },
    });
    const copy = async () => {
      link.select();
      // Without the permission the link stays selected, for the keyboard.
      await navigator.clipboard.writeText(uri).then(
        () => say("Copied."),
        () => say("Select it and copy it by hand."),
      );
    };
    shown.replaceChildren(
      h(
        "p",
        {},
        "Give this to one friend, over a channel that you trust. It works once, for two to three days, while your node runs.",
      ),
      h(
        "div",
        { class: "invitation-ways" },
        code(qr),
        h(
          "div",
          { class: "stack" },
          link,
          h("button", { type: "button", class: "button", on: { click: copy } }, "Copy the link"),
        ),
      ),
      h(
        "p",
        { class: "quiet" },
        "When your friend has taken it up, they appear among your friends, with four words to compare.",
      ),
    );
  };
  return h(
    "div",
    { class: "stack" },
    h(
      "form",
      { class: "stack", novalidate: true, on: { submit } },
      h("label", { htmlFor: "invite-name" }, "Your own name for them"),
      name,
      isFirst ? null : h("label", { class: "check" }, isMember, "They are in this mesh already"),
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "submit", class: "button main" }, "Make an invitation"),
      ),
    ),
    shown,
  );
}

/** A form that takes an invitation up; `joined(answer)` is called when the node has begun with it. */
export function joinForm(joined) {
  const uri = h("textarea", {
    class: "field link-text",
    id: "join-uri",
    rows: 3,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "rumor:…",
  });
  const name = h("input", {
    type: "text",
    class: "field",
    id: "join-name",
    maxLength: 64,
    autocomplete: "off",
    placeholder: "Such as Ann",
  });
  const trouble = h("div", { class: "trouble-box", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    try {
      joined(await post("/friends", { uri: uri.value.replace(/\s+/g, ""), name: name.value.trim() }));
    } catch (error) {
      refusal(trouble, error);
    }
  };
  return h(
    "form",
    { class: "stack", novalidate: true, on: { submit } },
    h("label", { htmlFor: "join-uri" }, "The invitation, the whole of it"),
    uri,
    h("label", { htmlFor: "join-name" }, "Your own name for the friend who gave it to you"),
    name,
    trouble,
    h("div", { class: "buttons" }, h("button", { type: "submit", class: "button main" }, "Take it up")),
  );
}

export const invite = () => open("Invite a friend", () => inviteForm());

export const join = (joined = () => {}) =>
  open("Take up an invitation", (close) =>
    joinForm((answer) => {
      close();
      joined(answer);
    }),
  );
