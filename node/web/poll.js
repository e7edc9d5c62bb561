// Polls: the choices of a secret, with what members voted. Every node counts alike, so everybody sees these numbers.

import { put } from "./api.js";
import { h } from "./dom.js";
import { count, safe } from "./text.js";
import { tried } from "./voice.js";

/** As wide as its share. Set as a property, which the policy allows, where it allows no attribute. */
function bar(share) {
  const element = h("span", { class: "choice-bar", "aria-hidden": "true" });
  element.style.width = `${100 * share}%`;
  return element;
}

export function poll(item, update) {
  const { choices, voted, voted_state: state } = item.poll;
  const total = choices.reduce((sum, each) => sum + each.votes, 0);
  const vote = async (index) => {
    const before = item.poll;
    update({ poll: { ...before, voted: index, voted_state: "on_its_way" } });
    const card = await tried(() => put(`/secrets/${item.id}/vote`, { choice: index }));
    update(card ?? { poll: before });
  };
  const moving = state === "on_its_way" ? "; yours is on its way" : ". You can still choose another.";
  const todo = voted === null ? ". Choose one: nobody learns what you chose." : moving;
  return h(
    "div",
    { class: "poll", role: "group", "aria-label": "Poll" },
    choices.map((each, index) =>
      h(
        "button",
        {
          type: "button",
          class: "choice",
          "aria-pressed": String(voted === index),
          data: { key: `choice-${index}` },
          on: { click: () => vote(index) },
        },
        bar(each.votes / Math.max(1, total)),
        h("span", { class: "choice-text", dir: "auto" }, safe(each.text)),
        h("span", { class: "choice-votes" }, count(each.votes, "vote")),
      ),
    ),
    h("p", { class: "poll-sum" }, `${count(total, "vote")} in all${todo}`),
  );
}
