// Marks: hearts and flags, and the other things that one does with a secret or a reply.
//
// A mark is shown at once, as "on its way": it leaves when the node's own clock says so, like everything else.

import { put, remove } from "./api.js";
import { confirmed } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { menu } from "./menu.js";
import { openConversation } from "./router.js";
import { count } from "./text.js";
import { say, tried } from "./voice.js";
import { CLOSED, OPENED, TAKE_NO_WHISPERS, TAKE_WHISPERS, whisper } from "./whisper.js";

const ON = new Set(["given", "on_its_way"]);
const MOVING = { on_its_way: "on its way", being_taken_back: "being taken back" };

/** The heart of a secret or reply; `update(changes)` shows what has become of it. */
export function heart(item, update) {
  const isOn = ON.has(item.hearted);
  const moving = MOVING[item.hearted];
  const press = async () => {
    const before = item.hearted;
    update({ hearted: isOn ? "being_taken_back" : "on_its_way" });
    const tally = await tried(() => (isOn ? remove : put)(`/items/${item.id}/heart`));
    update(tally ?? { hearted: before });
  };
  return h(
    "button",
    {
      type: "button",
      class: `mark heart${isOn ? " on" : ""}${moving ? " moving" : ""}`,
      "aria-pressed": String(isOn),
      "aria-label": `Heart, ${count(item.hearts, "heart")}${moving ? `, yours is ${moving}` : ""}`,
      title: moving ? `Yours is ${moving}` : "Heart",
      data: { key: "heart" },
      on: { click: press },
    },
    icon("heart"),
    item.hearts ? h("span", {}, item.hearts.toLocaleString("en")) : null,
    moving ? h("span", { class: "moving-text" }, moving) : null,
  );
}

/** What is folded for its flags, instead of its text. */
export function fold(item, update) {
  const show = async () => {
    if (await tried(() => put(`/items/${item.id}/unfolded`))) update({ folded: false });
  };
  return h(
    "div",
    { class: "fold" },
    icon("flag"),
    h("p", {}, `${count(item.flags, "member")} flagged this.`),
    h(
      "button",
      { type: "button", class: "button small", data: { key: "unfold" }, on: { click: show } },
      "Show anyway",
    ),
  );
}

/**
 * The menu of a secret or reply. `update(changes)` shows what has changed, `away()` takes it off the page.
 * What is done to whole threads, and whispering to the author, is for secrets only.
 */
export function itemMenu(item, { update, away, isReply = false }) {
  const isFlagged = ON.has(item.flagged);
  const noting =
    (method, path, changes, sentence, isGone = false) =>
    async () => {
      if ((await tried(() => method(path))) === undefined) return;
      update(changes);
      if (isGone) await away();
      if (sentence) say(sentence);
    };
  const secret = `/secrets/${item.id}`;
  const one = `/items/${item.id}`;
  return menu("More to do", [
    item.conversation
      ? { text: "Your whispers with the author", run: () => openConversation(item.conversation) }
      : item.may_whisper && { text: "Whisper to the author", run: () => whisper(item, update) },
    !isReply &&
      (item.subscribed
        ? {
            text: "Unsubscribe",
            run: noting(
              remove,
              `${secret}/subscribed`,
              { subscribed: false, unread: 0 },
              "You no longer follow this thread.",
            ),
          }
        : {
            text: "Subscribe",
            run: noting(
              put,
              `${secret}/subscribed`,
              { subscribed: true, unread: 0 },
              "You follow this thread. Nobody else knows.",
            ),
          }),
    item.hidden
      ? {
          text: "Show again",
          run: noting(
            remove,
            `${one}/hidden`,
            { hidden: false },
            "It is shown again.",
            !item.muted && !isReply,
          ),
        }
      : {
          text: "Hide",
          run: noting(
            put,
            `${one}/hidden`,
            { hidden: true },
            isReply ? "Hidden, for you alone." : "Hidden, for you alone. You find it under Hidden.",
            true,
          ),
        },
    !isReply &&
      (item.muted
        ? {
            text: "Unmute the thread",
            run: noting(
              remove,
              `${secret}/muted`,
              { muted: false },
              "The thread is shown again.",
              !item.hidden,
            ),
          }
        : {
            text: "Mute the thread",
            run: noting(
              put,
              `${secret}/muted`,
              { muted: true },
              "Muted, for you alone. You find it under Hidden.",
              true,
            ),
          }),
    {
      text: isFlagged ? "Take the flag back" : "Flag as hurtful",
      run: async () => {
        const tally = await tried(() => (isFlagged ? remove : put)(`${one}/flag`));
        if (!tally) return;
        update(tally);
        say(
          isFlagged
            ? "Your flag is being taken back."
            : "Flagged; it is on its way. If enough members do so, it is folded for all.",
          { isOver: (event, data) => event === "tally" && data.id === item.id && !(data.flagged in MOVING) },
        );
      },
    },
    item.mine &&
      !isReply &&
      (item.closed
        ? {
            text: TAKE_WHISPERS,
            run: noting(remove, `${secret}/closed`, { closed: false }, OPENED),
          }
        : {
            text: TAKE_NO_WHISPERS,
            run: noting(put, `${secret}/closed`, { closed: true }, CLOSED),
          }),
    item.mine && { text: "Unlink from me", run: () => unlink(item, update) },
    item.mine && { text: "Take it back", isDangerous: true, run: () => retract(item, isReply) },
  ]);
}

async function retract(item, isReply) {
  const what = isReply ? "reply" : "secret";
  const sentences = [
    `Every node that still holds this ${what} deletes it, once your node’s clock lets that out.`,
    "Who has read it has read it; a dishonest node may keep it.",
  ];
  if (!(await confirmed(`Take this ${what} back?`, sentences, { yes: "Take it back", isDangerous: true })))
    return;
  const answer = await tried(() => remove(`/items/${item.id}`));
  const isOver = (event, data) => event === "gone" && data.id === item.id;
  if (answer) say(`It is being taken back. ${answer.sentence}`, { isOver });
}

async function unlink(item, update) {
  const sentences = [
    "Your node forgets what would show that you wrote this. Then nobody who gets hold of this disk can tell, not even you.",
    "You cannot take it back afterwards, and whisper conversations about it end: their letters are erased here.",
  ];
  if (!(await confirmed("Unlink this from you?", sentences, { yes: "Unlink" }))) return;
  if (await tried(() => remove(`/items/${item.id}/link`))) {
    update({ mine: false });
    say("Unlinked: your node no longer knows whose this is.");
  }
}
