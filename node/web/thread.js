// A thread: a secret with its replies. Each member has one face here and another in every other thread. Whispers have
// their place between the secret and its replies, for the two people whom they concern.

import { get, put } from "./api.js";
import { card } from "./card.js";
import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { listen } from "./live.js";
import { whenHere } from "./presence.js";
import { leavingReply, reply, replyForm } from "./reply.js";
import { back } from "./router.js";
import { count, safe } from "./text.js";
import { say, speak } from "./voice.js";
import { whisperLine } from "./whisper.js";

export function thread(id) {
  const replies = new Map();
  let head = null;
  let whispers = null;
  let callOff = () => {};
  let isWhole = false;
  let answerTo = null; // Only the last question counts.

  const place = h("div", { class: "thread-head" });
  const title = h("h2", { class: "replies-title", hidden: true });
  const list = h("ol", { class: "replies" });
  const leaving = h("ol", { class: "replies" });
  const left = h("div", {});
  const form = replyForm(id, () => {
    load();
    loadLeaving();
  });

  async function load() {
    const question = (answerTo = {});
    const answer = await get(`/secrets/${id}${isWhole ? "?whole=1" : ""}`).catch((error) => error);
    if (question !== answerTo) return;
    if (answer.status === 404) return gone();
    if (answer.status !== undefined) return say(answer.message, { isTrouble: true });
    if (head) {
      head.update(answer.secret);
      whispers.draw(head.item);
    } else {
      head = card(answer.secret, { isOpen: true, away: back });
      whispers = whisperLine(head.item, head.update);
      place.append(head.element, whispers.element);
    }
    const kept = new Set(answer.replies.map((each) => each.id));
    for (const known of [...replies.keys()]) if (!kept.has(known)) drop(known);
    answer.replies.forEach(show);
    tell(answer.left_out);
    form.warn(answer.face);
    if (answer.secret.subscribed && answer.secret.unread) {
      callOff();
      callOff = whenHere(markRead);
    }
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

  /** What one has replied here and the others have not got yet. */
  async function loadLeaving() {
    const answer = await get("/outbox").catch(() => null);
    if (!answer) return;
    const mine = answer.waiting.filter(({ kind, secret }) => kind === "reply" && secret === id);
    refill(leaving, mine.map(leavingReply));
    if (head) entitle();
  }

  function entitle() {
    const none = leaving.childElementCount
      ? "Yours is the first."
      : "No reply yet. Be the first, and be kind.";
    title.textContent = replies.size ? count(replies.size, "reply", "replies") : none;
    title.hidden = false;
  }

  function drop(which) {
    replies.get(which)?.element.remove();
    replies.delete(which);
    tell(0);
  }

  function tell(leftOut) {
    entitle();
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
    whispers?.leave();
    list.replaceChildren();
    leaving.replaceChildren();
    title.hidden = true;
    form.element.hidden = true;
  }

  async function markRead() {
    if (await put(`/secrets/${id}/subscribed`).catch(() => null)) head?.update({ unread: 0 });
  }

  function heard(event, data) {
    if (event === "again" || event === "outbox") loadLeaving();
    if (event === "again") load();
    else if (event === "gone") data.id === id ? gone() : drop(data.id);
    else if (event === "tally") (data.id === id ? head : replies.get(data.id))?.update(data);
    else if (event === "reply" && data.secret === id) {
      speak(`${data.persona.you ? "You" : data.persona.name} replied: ${safe(data.text)}`);
      load();
    }
  }

  const stop = listen(heard);
  load();
  loadLeaving();
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
      leaving,
      form.element,
    ),
    leave() {
      answerTo = null; // What comes now comes too late.
      stop();
      callOff();
      whispers?.leave();
      form.leave();
    },
  };
}
