// A thread: a secret with its replies. Each member has one face here and another in every other thread; whispers will
// have their place between the secret and its replies, for the two people whom they concern.

import { get, post, put } from "./api.js";
import { card } from "./card.js";
import { counter, looksFine, refusal } from "./composer.js";
import { exchange, h } from "./dom.js";
import { icon } from "./icons.js";
import { listen } from "./live.js";
import { fold, heart, itemMenu } from "./marks.js";
import { back } from "./router.js";
import { refreshSoon } from "./status.js";
import { about, count, safe, sizeOf } from "./text.js";
import { say, speak } from "./voice.js";

const drafts = new Map(); // What was begun, by thread: in memory and nowhere else.

export function thread(id) {
  const replies = new Map();
  let head = null;
  let isWhole = false;
  let answerTo = null; // Only the last question counts.

  const place = h("div", { class: "thread-head" });
  const title = h("h2", { class: "replies-title" });
  const list = h("ol", { class: "replies" });
  const left = h("div", {});
  const form = replyForm(id, () => load());

  async function load() {
    const question = (answerTo = {});
    const answer = await get(`/secrets/${id}${isWhole ? "?whole=1" : ""}`).catch((error) => error);
    if (question !== answerTo) return;
    if (answer.status === 404) return gone();
    if (answer.status !== undefined) return say(answer.message, { isTrouble: true });
    if (head) head.update(answer.secret);
    else {
      head = card(answer.secret, { isOpen: true, away: back });
      place.append(head.element);
    }
    const kept = new Set(answer.replies.map((each) => each.id));
    for (const known of [...replies.keys()]) if (!kept.has(known)) drop(known);
    answer.replies.forEach(show);
    tell(answer.left_out);
    if (answer.secret.subscribed && answer.secret.unread) markRead();
    return undefined;
  }

  function show(item) {
    const known = replies.get(item.id);
    if (known) return known.update(item);
    const made = reply(item, () => drop(item.id));
    replies.set(item.id, made);
    list.append(made.element);
    return undefined;
  }

  function drop(which) {
    replies.get(which)?.element.remove();
    replies.delete(which);
    tell(0);
  }

  function tell(leftOut) {
    title.textContent = replies.size
      ? count(replies.size, "reply", "replies")
      : "No reply yet. Be the first, and be kind.";
    const showAll = () => {
      isWhole = true;
      load();
    };
    left.replaceChildren(
      ...(leftOut
        ? [
            h(
              "p",
              { class: "quiet" },
              `${count(leftOut, "reply", "replies")} hidden or filtered by you. `,
              h("button", { type: "button", class: "link", on: { click: showAll } }, "Show all"),
            ),
          ]
        : []),
    );
  }

  function gone() {
    place.replaceChildren(
      h(
        "div",
        { class: "empty" },
        h("h2", {}, "It is gone"),
        h("p", {}, "This secret has expired, or its author took it back."),
      ),
    );
    head = null;
    list.replaceChildren();
    title.textContent = "";
    form.element.hidden = true;
  }

  async function markRead() {
    if (await put(`/secrets/${id}/subscribed`).catch(() => null)) head?.update({ unread: 0 });
  }

  function heard(event, data) {
    if (event === "again") load();
    else if (event === "gone") data.id === id ? gone() : drop(data.id);
    else if (event === "tally") (data.id === id ? head : replies.get(data.id))?.update(data);
    else if (event === "reply" && data.secret === id) {
      speak(`${data.persona.name} replied: ${safe(data.text)}`);
      load();
    }
  }

  const stop = listen(heard);
  load();
  return {
    title: "Thread",
    element: h(
      "div",
      { class: "thread" },
      h("h1", { class: "unseen" }, "A secret and its replies"),
      h("button", { type: "button", class: "button small back", on: { click: back } }, icon("back"), "Back"),
      place,
      title,
      list,
      left,
      form.element,
    ),
    leave: stop,
  };
}

function reply(item, away) {
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

function replyForm(id, sent) {
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
