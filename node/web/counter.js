// The counter: how much may still be written. The node counts bytes of UTF-8, people count characters, and so does this:
// exactly as long as a character is a byte, and about from what was written otherwise.

import { h } from "./dom.js";
import { sizeOf } from "./text.js";
import { speak } from "./voice.js";

const SIZE_MAX = 1000; // As in gossip/bodies.py.
const NEAR = 50; // From here on one had better look.
const SAID_AT = [100, 50, 20, 10]; // Said aloud on the way down, and not at each letter.

// What a person takes for one character, such as a flag or a letter with its accent.
const segmenter = Intl.Segmenter ? new Intl.Segmenter() : null;
const lengthOf = (text) => [...(segmenter ? segmenter.segment(text) : text)].length;

/** How many more characters like those that are there fit, negative if they are too many: {left, isExact}. */
function roomAfter(texts) {
  const size = sizeOf(...texts);
  const length = texts.reduce((sum, text) => sum + lengthOf(text.normalize("NFC").trim()), 0);
  if (size === length) return { left: SIZE_MAX - size, isExact: true };
  const left = Math.floor(((SIZE_MAX - size) * length) / size);
  return { left: left > 100 ? left - (left % 10) : left, isExact: false };
}

function inWords({ left, isExact }) {
  const about = (number, exact, rough) =>
    isExact ? `${number.toLocaleString("en")} ${exact}` : `About ${number.toLocaleString("en")} ${rough}`;
  const characters = Math.abs(left) === 1 ? "character" : "characters";
  return left < 0
    ? about(-left, `${characters} too long`, `${characters} too long`)
    : about(left, `${characters} left`, `more ${characters}`);
}

/** What stands below a field: {element, show(...texts)}. */
export function counter() {
  const element = h("p", { class: "counter" });
  let before = SIZE_MAX;
  const show = (...texts) => {
    const room = roomAfter(texts);
    const isEmpty = !texts.some((text) => text.trim());
    element.textContent = isEmpty ? `Up to ${SIZE_MAX.toLocaleString("en")} characters` : inWords(room);
    element.classList.toggle("near", room.left < NEAR);
    element.classList.toggle("over", room.left < 0);
    const hasPassed = SAID_AT.some((mark) => room.left <= mark && mark < before);
    if (hasPassed || (room.left < 0 && before >= 0)) speak(element.textContent);
    before = room.left;
  };
  return { element, show };
}
