// Friends: who they are, how far each friendship has come, and what there is to do.

import { get } from "./api.js";
import { h, refill } from "./dom.js";
import { friendRow } from "./friend.js";
import { invite, join } from "./invitation.js";
import { count, safe, sentence } from "./text.js";
import { speak } from "./voice.js";

const AGAIN_MS = 2000; // Two people wait for each other here.

/** The friends, kept fresh; `changed(answer)` is called at each change. */
export function friendList(changed = () => {}) {
  const element = h("div", { class: "stack" });
  let seen = "";
  const load = async () => {
    const answer = await get("/friends").catch(() => null);
    const now = JSON.stringify(answer);
    // Nothing moves under a person's finger while nothing has changed.
    if (!answer || now === seen || element.querySelector("details[open]")) return;
    if (seen) speak(answer.friends.map(({ name, state }) => `${name}: ${state}`).join(". "));
    seen = now;
    draw(answer);
    changed(answer);
  };
  const draw = ({ friends, joining, invitations }) => {
    const rows = [
      ...joining.map((each) =>
        h(
          "li",
          { class: "row-card" },
          h("span", { class: "state-dot waiting" }),
          h(
            "div",
            { class: "row-body" },
            h("p", { class: "row-title" }, h("strong", { dir: "auto" }, safe(each.name))),
            h("p", { class: "quiet" }, sentence(safe(each.state))),
          ),
        ),
      ),
      ...friends.map((friend) => friendRow(friend, load)),
    ];
    refill(
      element,
      rows.length > 0 && h("ul", { class: "rows" }, rows),
      invitations > 0 && h("p", { class: "quiet" }, `${count(invitations, "invitation")} not taken up yet.`),
      !rows.length &&
        !invitations &&
        h(
          "div",
          { class: "empty" },
          h("h2", {}, "No friends yet"),
          h(
            "p",
            {},
            "Your node talks to your friends’ nodes and to nobody else. Invite somebody, or take up an invitation.",
          ),
        ),
    );
  };
  const timer = setInterval(load, AGAIN_MS);
  load();
  return { element, load, leave: () => clearInterval(timer) };
}

export function friends() {
  const list = friendList();
  return {
    title: "Friends",
    element: h(
      "div",
      { class: "panel" },
      h(
        "div",
        { class: "row spread panel-head" },
        h("h1", {}, "Friends"),
        h(
          "div",
          { class: "row" },
          h(
            "button",
            { type: "button", class: "button", on: { click: () => join(list.load) } },
            "Take up an invitation",
          ),
          h(
            "button",
            { type: "button", class: "button main", on: { click: () => invite().then(list.load) } },
            "Invite a friend",
          ),
        ),
      ),
      h(
        "p",
        { class: "lead" },
        "Secrets reach you over your friends’ nodes. Which of them brought one does not tell who wrote it.",
      ),
      list.element,
    ),
    leave: list.leave,
  };
}
