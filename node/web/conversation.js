// A conversation: the letters of two who do not know each other, below the secret that brought them together.

import { post, put, remove } from "./api.js";
import { conversation as find, refreshWhispers, watchWhispers } from "./correspondence.js";
import { confirmed } from "./dialog.js";
import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { listen } from "./live.js";
import { menu } from "./menu.js";
import { whenHere } from "./presence.js";
import { back, openThread } from "./router.js";
import { swatch } from "./swatch.js";
import { about, safe } from "./text.js";
import { say, tried } from "./voice.js";
import { readBy } from "./whisper.js";
import { writingForm } from "./writing.js";

const AGAIN_MS = 5000; // Waits run down without any event.

export function conversation(id) {
  const head = h("div", { class: "conversation-head" });
  const list = h("ol", { class: "letters" });
  const place = h("div", {});
  let seen = "";
  let callOff = () => {};
  let form = null;

  function draw() {
    const known = find(id);
    const now = JSON.stringify(known ?? null);
    if (now === seen) return;
    const isFirst = !seen;
    seen = now;
    if (!known) return gone();
    drawHead(known);
    const before = list.childElementCount;
    refill(list, known.letters.map(letter));
    drawForm(known);
    if (isFirst || known.letters.length > before) {
      // Once it stands in the page; what is in sight already stays where it is.
      requestAnimationFrame(() => list.lastChild?.scrollIntoView({ block: "nearest" }));
    }
    if (known.unread) {
      callOff();
      callOff = whenHere(() => put(`/whispers/${id}/read`).then(refreshWhispers, () => {}));
    }
    return undefined;
  }

  function drawHead({ secret, mine }) {
    refill(
      head,
      secret.text === null
        ? swatch(secret)
        : h(
            "a",
            {
              class: "swatch-link",
              href: "#thread",
              "aria-label": "The secret and its replies",
              data: { key: "secret" },
              on: {
                click: (event) => {
                  event.preventDefault();
                  openThread(secret.id);
                },
              },
            },
            swatch(secret),
          ),
      h(
        "div",
        { class: "row-body" },
        h("h1", {}, mine ? "Whispers about your secret" : "Whispers with the author"),
        h(
          "p",
          { class: "quiet" },
          mine
            ? "Somebody in the mesh writes to you, the author. Neither of you learns who the other is."
            : "You write to whoever wrote this secret. Neither of you learns who the other is.",
        ),
      ),
      menu("More to do", [{ text: "End the conversation", isDangerous: true, run: end }]),
    );
  }

  function drawForm({ mine, may_answer: mayAnswer }) {
    if (!mayAnswer) {
      form?.leave();
      form = null;
      place.replaceChildren(
        h(
          "p",
          { class: "cannot" },
          "The secret has expired or was taken back, so there is no answering any more. The letters stay for a while, and you can end the conversation.",
        ),
      );
    } else if (!form) {
      form = writingForm({
        key: `answer ${id}`,
        label: "Your answer",
        placeholder: "Whisper back",
        button: "Whisper",
        note: readBy(mine ? "who whispered to you" : "who wrote the secret"),
        send: (text) => post(`/whispers/${id}`, { text }),
        sent: refreshWhispers,
      });
      place.replaceChildren(form.element);
    }
  }

  function gone() {
    form?.leave();
    form = null;
    head.replaceChildren(
      h(
        "div",
        { class: "empty" },
        h("h2", {}, "It has ended"),
        h(
          "p",
          {},
          "This conversation is not on this node any more: its letters have expired, the secret was unlinked from you, or you ended it.",
        ),
      ),
    );
    list.replaceChildren();
    place.replaceChildren();
  }

  async function end() {
    const sentences = [
      "All letters of it are erased from this node, and what waits to leave does not leave.",
      "The other keeps what has arrived. If they whisper again, that begins anew.",
    ];
    if (
      !(await confirmed("End this conversation?", sentences, { yes: "End it", isDangerous: true })) ||
      !(await tried(() => remove(`/whispers/${id}`)))
    )
      return;
    stops.forEach((stop) => stop());
    say("Ended, and erased here.");
    refreshWhispers();
    back();
  }

  const timer = setInterval(() => {
    const waits = find(id)?.letters.some(({ sentence }) => sentence);
    if (waits && !document.hidden) refreshWhispers();
  }, AGAIN_MS);
  const stops = [
    watchWhispers(draw),
    listen((event) => (event === "outbox" || event === "gone") && refreshWhispers()),
    () => clearInterval(timer),
    () => callOff(),
    () => form?.leave(),
  ];
  if (find(id)) draw();
  refreshWhispers();
  return {
    title: "Whispers",
    element: h(
      "div",
      { class: "thread" },
      h("button", { type: "button", class: "button small back", on: { click: back } }, icon("back"), "Back"),
      head,
      list,
      place,
    ),
    leave: () => stops.forEach((stop) => stop()),
  };
}

function letter({ text, mine, read, about: when, sentence }, index, letters) {
  // A time is said once for letters that share it.
  const isLast = about(when) !== (letters[index + 1] && about(letters[index + 1].about));
  const note = mine && sentence ? sentence : isLast ? about(when) : null;
  const isNew = !mine && !read;
  return h(
    "li",
    { class: mine ? "letter mine" : "letter" },
    h("p", { class: "unseen" }, mine ? "You:" : "The other:"),
    h("p", { class: "letter-text", dir: "auto" }, safe(text)),
    note || isNew
      ? h("p", { class: "quiet" }, note, isNew ? h("span", { class: "badge" }, "new") : null)
      : null,
  );
}
