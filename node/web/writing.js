// Writing: what every composer has. How much may be written, a second look before it goes, why it was refused, and how
// one hides now.

import { get } from "./api.js";
import { counter } from "./counter.js";
import { confirmed } from "./dialog.js";
import { h } from "./dom.js";
import { secondLook } from "./glance.js";
import { hiding } from "./hiding.js";
import { refreshSoon, status, watch } from "./status.js";
import { inWords, safe } from "./text.js";
import { say, speak } from "./voice.js";

const drafts = new Map(); // What was begun, by what it belongs to: in memory and nowhere else.

/** Whether a text may go as it is; asks the person if something in it is worth a second look. */
export async function looksFine(text) {
  const names = await get("/friends").then(
    ({ friends }) => friends.map(({ name }) => name),
    () => [],
  );
  const hints = secondLook(text, names);
  if (!hints.length) return true;
  const sentences = [
    h(
      "ul",
      {},
      hints.map((each) => h("li", {}, safe(each))),
    ),
    "However well a post is hidden, what it says may give you away.",
  ];
  return confirmed("A second look", sentences, {
    yes: "Post it as it is",
    no: "Change it",
    isDoubtful: true,
  });
}

/** What becomes of what was just written, in short; the outbox says the rest. */
const queued = ({ slot_wait_s: slot, relaying_s: relaying }) =>
  status()?.connected.length
    ? `In your outbox: it leaves in about ${inWords(slot)}, then is about ${inWords(relaying)} on its way.`
    : "In your outbox, where it waits for a friend’s node to be connected.";

/** Says so, until it has left the outbox. */
export function sayQueued(answer) {
  const isOver = async (event) => {
    if (event !== "outbox") return false;
    const { waiting } = await get("/outbox").catch(() => ({ waiting: [answer] }));
    return !waiting.some(({ id }) => id === answer.id);
  };
  say(queued(answer), { isOver });
}

/** Shows why something was refused, beside what was refused, which stays. */
export function refusal(place, error) {
  const reasons = error.obstacles?.length ? error.obstacles : [error.message];
  place.replaceChildren(...reasons.map((each) => h("p", {}, each)));
  place.scrollIntoView({ block: "nearest" });
}

/** The meter, and why one cannot post yet, for as long as it is so. */
export function standing() {
  const meter = hiding();
  const cannot = h("div", { class: "warning" });
  const draw = () => {
    meter.draw();
    const obstacles = status()?.post.obstacles ?? [];
    cannot.hidden = !obstacles.length;
    cannot.replaceChildren(...(obstacles.length ? [h("strong", {}, "Not yet: "), obstacles.join(" ")] : []));
  };
  draw();
  return { element: h("div", { class: "standing" }, meter.element, cannot), leave: watch(draw) };
}

/**
 * A form for a text that is said in one place, with all that a composer has: {element, leave}.
 *
 * `key` names the place, for what was begun there; `note` says who can read it; `send(text)` gives it to the node, and
 * `sent(answer)` follows once that has taken it. With
 * `isShown` the view shows what waits, so that it need not be said but to who does not see it.
 */
export function writingForm({
  key,
  label,
  placeholder,
  button,
  note,
  send,
  sent,
  isShown = false,
  rows = 2,
  autofocus = false,
}) {
  const size = counter();
  const hides = standing();
  const trouble = h("div", { class: "trouble-box", role: "alert" });
  const field = h("textarea", {
    class: "field",
    rows,
    autofocus,
    dir: "auto",
    value: drafts.get(key) ?? "",
    placeholder,
    "aria-label": label,
    autocomplete: "off",
    // Some browsers' spelling aid sends what is typed to their makers.
    spellcheck: "false",
    on: {
      input: () => {
        drafts.set(key, field.value);
        size.show(field.value);
      },
    },
  });
  const press = h("button", { type: "submit", class: "button main" }, button);
  const submit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    if (!field.value.trim()) return field.focus();
    press.disabled = true;
    try {
      if (!(await looksFine(field.value))) return field.focus();
      const answer = await send(field.value);
      drafts.delete(key);
      field.value = "";
      size.show("");
      sent(answer);
      // After that: what is said in a dialog goes with it.
      if (isShown) speak(queued(answer));
      else sayQueued(answer);
      refreshSoon();
    } catch (error) {
      refusal(trouble, error);
    } finally {
      press.disabled = false;
    }
    return undefined;
  };
  size.show(field.value);
  return {
    leave: hides.leave,
    element: h(
      "form",
      { class: "writing", novalidate: true, on: { submit } },
      field,
      trouble,
      h("div", { class: "row spread" }, size.element, press),
      h("div", { class: "writing-about" }, note, hides.element),
    ),
  };
}
