// A card: one secret, on its colour and pattern.

import { fold, heart, itemMenu } from "./marks.js";
import { exchange, h } from "./dom.js";
import { icon } from "./icons.js";
import { poll } from "./poll.js";
import { openThread } from "./router.js";
import { styleClass } from "./swatch.js";
import { about, count, safe, weightOf } from "./text.js";

/**
 * A card that can change: {item, element, update(changes), renew()}. `away()` is called when it is to leave the page;
 * with `isOpen` it is the head of its own thread, shown whole.
 */
export function card(item, { away = () => {}, isOpen = false } = {}) {
  const self = {
    item,
    element: null,
    update(changes) {
      Object.assign(item, changes);
      self.element = exchange(self.element, drawn());
    },
  };
  const drawn = () => draw(item, { update: self.update, away, isOpen });
  self.element = drawn();
  return self;
}

function draw(item, { update, away, isOpen }) {
  const text = safe(item.text);
  const words = h("p", { class: `words ${weightOf(text)}`, dir: "auto" }, text);
  const open = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    openThread(item.id);
  };
  const shown = isOpen
    ? words
    : h("a", { class: "words-link", href: "#thread", data: { key: "words" }, on: { click: open } }, words);
  const replies = [icon("reply"), item.replies ? h("span", {}, item.replies.toLocaleString("en")) : null];
  const label = `${count(item.replies, "reply", "replies")}${item.unread ? `, ${item.unread} unread` : ""}`;
  return h(
    "article",
    {
      class: `card ${styleClass(item.style)}${item.folded ? " folded" : ""}${isOpen ? " open" : ""}`,
      data: { id: item.id },
    },
    item.folded ? fold(item, update) : [shown, item.poll ? poll(item, update) : null],
    h(
      "footer",
      { class: "card-foot" },
      h(
        "p",
        { class: "card-notes" },
        about(item.about),
        item.mine ? h("span", { class: "note" }, "yours") : null,
        item.subscribed
          ? h("span", { class: "note" }, icon("bell"), item.unread ? `${item.unread} new` : "subscribed")
          : null,
        item.muted ? h("span", { class: "note" }, "muted") : null,
        item.hidden ? h("span", { class: "note" }, "hidden") : null,
      ),
      heart(item, update),
      isOpen
        ? h("span", { class: "mark", role: "img", "aria-label": label }, replies)
        : h(
            "a",
            {
              class: "mark",
              href: "#thread",
              "aria-label": label,
              title: "Replies",
              data: { key: "replies" },
              on: { click: open },
            },
            replies,
          ),
      itemMenu(item, { update, away }),
    ),
  );
}
