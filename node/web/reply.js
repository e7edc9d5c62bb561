// Replies: what is said in a thread, by faces that are worth nothing in any other, and the place to say it.

import { post } from "./api.js";
import { exchange, h } from "./dom.js";
import { fold, heart, itemMenu } from "./marks.js";
import { about, safe } from "./text.js";
import { writingForm } from "./writing.js";

const ONE_FACE = "All your replies here show one and the same face; many in one thread tell more about you.";

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

/** A reply of one's own that is in the outbox. */
export const leavingReply = ({ text, sentence }) =>
  h(
    "li",
    { class: "reply leaving" },
    h("span", { class: "face", "aria-hidden": "true" }, "…"),
    h(
      "div",
      { class: "reply-body" },
      h(
        "p",
        { class: "reply-name" },
        h("strong", {}, "You"),
        h("span", { class: "badge plain" }, "not there yet"),
      ),
      h("p", { class: "reply-text", dir: "auto" }, safe(text)),
      h("p", { class: "quiet" }, sentence),
    ),
  );

/** Where one replies; `sent()` is called when that has been done. */
export function replyForm(id, sent) {
  const note = h("p", { class: "quiet" }, ONE_FACE);
  const form = writingForm({
    key: `reply ${id}`,
    label: "Your reply",
    placeholder: "Say something kind",
    button: "Reply",
    note,
    send: (text) => post(`/secrets/${id}/replies`, { text }),
    sent,
    isShown: true,
  });
  /** What one more reply costs whoever has said much here. */
  const warn = ({ warning }) => {
    note.textContent = warning ?? ONE_FACE;
    note.className = warning ? "warning" : "quiet";
  };
  return { ...form, warn };
}
