// A conversation: the letters of two who do not know each other, below the secret that brought them together.

import { get, post, put } from "./api.js";
import { conversation as find, refreshWhispers, watchWhispers } from "./correspondence.js";
import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { letter } from "./letter.js";
import { listen } from "./live.js";
import { partings } from "./parting.js";
import { whenHere } from "./presence.js";
import { back, openThread } from "./router.js";
import { swatch } from "./swatch.js";
import { tried } from "./voice.js";
import { readBy } from "./whisper.js";
import { writingForm } from "./writing.js";

const AGAIN_MS = 5000; // Waits run down without any event.

export function conversation(id) {
  const head = h("div", { class: "conversation-head" });
  const list = h("ol", { class: "letters" });
  const place = h("div", {});
  let seen = "";
  let seenAbove = "";
  let callOff = () => {};
  let form = null;
  const unfolded = new Map(); // Texts of letters with a word that somebody does not want to see, and then did.

  function draw() {
    const known = find(id);
    const now = JSON.stringify(known ?? null);
    if (now === seen) return;
    const isFirst = !seen;
    seen = now;
    if (!known) return gone();
    const above = JSON.stringify([known.secret, known.closed]);
    // An open menu stays open while letters only move on.
    if (above !== seenAbove) drawHead(known);
    seenAbove = above;
    const before = list.childElementCount;
    drawLetters(known);
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

  function drawHead(known) {
    const { secret, mine, closed } = known;
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
        closed
          ? h(
              "p",
              { class: "closed-line" },
              icon("lock"),
              "Nobody can begin to whisper to you about this secret.",
            )
          : null,
      ),
      partings(known, leave),
    );
  }

  function drawLetters({ letters }) {
    refill(
      list,
      letters.map((each, index) => letter(each, letters[index + 1], unfolded.get(each.id), unfold)),
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
        note: readBy(mine ? "the one who whispered to you" : "the author of the secret"),
        send: (text) => post(`/whispers/${id}`, { text }),
        sent: refreshWhispers,
        isShown: true,
      });
      place.replaceChildren(form.element);
    }
  }

  function gone() {
    form?.leave();
    form = null;
    head.replaceChildren(
      h("h1", { class: "unseen" }, "Whispers"),
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

  async function unfold(letterId) {
    const whole = await tried(() => get("/whispers?whole=1"));
    const letters = whole?.conversations.find((each) => each.id === id)?.letters ?? [];
    for (const each of letters) if (each.id === letterId) unfolded.set(letterId, each.text);
    const known = find(id);
    if (known) drawLetters(known);
  }

  const timer = setInterval(() => {
    const waits = find(id)?.letters.some(({ sentence }) => sentence);
    if (waits && !document.hidden) refreshWhispers();
  }, AGAIN_MS);
  const leave = () => stops.forEach((stop) => stop());
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
    leave,
  };
}
