// A whisper to the author of a secret: how a conversation of two begins, and how one comes back to it.

import { post } from "./api.js";
import { about, refreshWhispers, watchWhispers } from "./correspondence.js";
import { open } from "./dialog.js";
import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { openConversation } from "./router.js";
import { swatch } from "./swatch.js";
import { writingForm } from "./writing.js";

// What an author can do about all whispers to a secret, and what has become of it.
export const TAKE_NO_WHISPERS = "Take no new whispers";
export const TAKE_WHISPERS = "Take whispers again";
export const CLOSED = "Nobody can begin to whisper to you about this secret. Nobody is told.";
export const OPENED = "People can whisper to you about this secret again.";

/** Who can read a whisper; beside every place where one is written. */
export const readBy = (who) =>
  h(
    "p",
    { class: "quiet" },
    `Only ${who} can read it, without learning that it was you. Nobody else learns even that it was sent.`,
  );

/** Asks for the first letter to the author of a secret; `update(changes)` shows that there is a conversation now. */
export function whisper(item, update) {
  let form;
  return open("Whisper to the author", (close) => {
    form = writingForm({
      key: `whisper ${item.id}`,
      label: "Your whisper",
      placeholder: "What would you say to them alone?",
      button: "Whisper",
      note: readBy("the author of this secret"),
      rows: 4,
      autofocus: true,
      send: (text) => post(`/secrets/${item.id}/whispers`, { text }),
      sent: ({ conversation }) => {
        close();
        update({ conversation });
        refreshWhispers();
      },
    });
    return [swatch(item), form.element];
  }).then(() => form?.leave());
}

/** What there is to whisper about a secret, for the two whom it concerns: {element, draw(item), leave}. */
export function whisperLine(item, update) {
  const element = h("div", { class: "whisper-line" });
  const draw = () => {
    const begun = about(item.id);
    const buttons = begun.map((each, index) =>
      h(
        "button",
        {
          type: "button",
          class: "button small",
          data: { key: each.id },
          on: { click: () => openConversation(each.id) },
        },
        icon("whispers"),
        !each.mine
          ? "Your whispers with the author"
          : begun.length > 1
            ? `Somebody whispers, ${index + 1}`
            : "Somebody whispers about this",
        each.unread ? h("span", { class: "badge" }, `${each.unread} new`) : null,
      ),
    );
    const mayBegin = item.may_whisper && !begun.some((each) => !each.mine);
    refill(
      element,
      buttons,
      mayBegin &&
        h(
          "button",
          {
            type: "button",
            class: "button small",
            data: { key: "whisper" },
            on: { click: () => whisper(item, update) },
          },
          icon("whispers"),
          "Whisper to the author",
        ),
    );
    element.hidden = !element.firstChild;
  };
  draw();
  return {
    element,
    draw(changed) {
      item = changed;
      draw();
    },
    leave: watchWhispers(draw),
  };
}
