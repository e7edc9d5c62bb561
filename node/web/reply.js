// Replies: what is said in a thread, by faces that are worth nothing in any other, and the place to say it.

import { post } from "./api.js";
import { exchange, h } from "./dom.js";
import { fold, heart, itemMenu } from "./marks.js";
import { refreshSoon } from "./status.js";
import { about, safe, sizeOf } from "./text.js";
import { say } from "./voice.js";
import { counter, looksFine, refusal } from "./writing.js";

const drafts = new Map(); // What was begun, by thread: in memory and nowhere else.

/** One reply, with the face of whoever wrote it; `away()` takes it off the page. */
export function reply(item, away) {
  const self = {
    element: null,
    update(changes) {
      Object.assign(item, changes);
      self.element = exchange(self.element, drawn());
    },
  };
  const drawn = () => {
    const { icon: sign, colour, name, op, you } = item.persona;
    return h(
      "li",
      { class: "reply", data: { id: item.id } },
      h("span", { class: `face face-${colour}`, "aria-hidden": "true" }, sign),
      h(
        "div",
        { class: "reply-body" },
        h(
          "p",
          { class: "reply-name" },
          h("strong", {}, name),
          op
            ? h("abbr", { class: "badge", title: "Who wrote the secret: this cannot be faked" }, "OP")
            : null,
          you ? h("span", { class: "badge plain" }, "you") : null,
          h("span", { class: "quiet" }, about(item.about)),
          item.hidden ? h("span", { class: "badge plain" }, "hidden") : null,
        ),
        item.folded ? fold(item, self.update) : h("p", { class: "reply-text", dir: "auto" }, safe(item.text)),
      ),
      h(
        "div",
        { class: "reply-marks" },
        heart(item, self.update),
        itemMenu(item, { update: self.update, away, isReply: true }),
      ),
    );
  };
  self.element = drawn();
  return self;
}

/** Where one replies; `sent()` is called when that has been done. */
export function replyForm(id, sent) {
  const size = counter();
  const trouble = h("div", { class: "trouble-box", role: "alert" });
  const field = h("textarea", {
    class: "field",
    rows: 2,
    dir: "auto",
    value: drafts.get(id) ?? "",
    placeholder: "Say something kind",
    "aria-label": "Your reply",
    autocomplete: "off",
    spellcheck: "false", // As in the composer.
    on: {
      input: () => {
        drafts.set(id, field.value);
        size.show(sizeOf(field.value));
      },
    },
  });
  const send = h("button", { type: "submit", class: "button main" }, "Reply");
  const submit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    if (!field.value.trim()) return field.focus();
    send.disabled = true;
    try {
      if (!(await looksFine(field.value))) return field.focus();
      const answer = await post(`/secrets/${id}/replies`, { text: field.value });
      drafts.delete(id);
      field.value = "";
      size.show(0);
      say(`In your outbox. ${answer.sentence}`);
      refreshSoon();
      sent();
    } catch (error) {
      refusal(trouble, error);
    } finally {
      send.disabled = false;
    }
    return undefined;
  };
  size.show(sizeOf(field.value));
  return {
    element: h(
      "form",
      { class: "reply-form", novalidate: true, on: { submit } },
      field,
      trouble,
      h(
        "div",
        { class: "row spread" },
        h(
          "p",
          { class: "quiet" },
          "Each reply here shows the same face; many in one thread tell more about you.",
        ),
        h("div", { class: "row" }, size.element, send),
      ),
    ),
  };
}
