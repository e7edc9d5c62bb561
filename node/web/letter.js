// One letter of a conversation, from us or to us.

import { h } from "./dom.js";
import { about, safe } from "./text.js";

/** `next` is the letter below it; `unfolded` its text, if it was folded and somebody wanted to see it: `unfold(id)`. */
export function letter({ id, text, filtered, mine, read, about: when, sentence }, next, unfolded, unfold) {
  // A time is said once for letters that share it.
  const isLast = about(when) !== (next && about(next.about));
  const note = mine && sentence ? sentence : isLast ? about(when) : null;
  const isNew = !mine && !read && !filtered;
  const folded = () => [
    h("p", {}, "It has a word that you do not want to see."),
    h(
      "button",
      {
        type: "button",
        class: "button small",
        data: { key: `unfold-${id}` },
        on: { click: () => unfold(id) },
      },
      "Show anyway",
    ),
  ];
  return h(
    "li",
    { class: mine ? "letter mine" : "letter" },
    h("p", { class: "unseen" }, mine ? "You:" : "The other:"),
    filtered && unfolded === undefined
      ? h("div", { class: "letter-text fold" }, folded())
      : h("p", { class: "letter-text", dir: "auto" }, safe(unfolded ?? text)),
    note || isNew
      ? h("p", { class: "quiet" }, note, isNew ? h("span", { class: "badge" }, "new") : null)
      : null,
  );
}
