// Writing: what every composer has. How much has been written, a second look before it goes, why it was refused, and
// how one hides now.

import { get } from "./api.js";
import { confirmed } from "./dialog.js";
import { h } from "./dom.js";
import { secondLook } from "./glance.js";
import { hiding } from "./hiding.js";
import { status, watch } from "./status.js";
import { safe } from "./text.js";
import { speak } from "./voice.js";

export const SIZE_MAX = 1000;

/** "123 of 1,000 bytes", said aloud near the end only. */
export function counter() {
  const element = h("p", { class: "counter" });
  const show = (size) => {
    const left = SIZE_MAX - size;
    element.textContent = `${size.toLocaleString("en")} of ${SIZE_MAX.toLocaleString("en")} bytes`;
    element.classList.toggle("over", left < 0);
    if (left < 0) speak(`${-left} bytes too long`);
    else if (left < 100 && left % 20 === 0) speak(`${left} bytes left`);
  };
  return { element, show };
}

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

/** Shows why something was refused, beside what was refused, which stays. */
export function refusal(place, error) {
  const reasons = error.obstacles?.length ? error.obstacles : [error.message];
  place.replaceChildren(...reasons.map((each) => h("p", {}, each)));
}

/** The meter, and why one cannot post yet, for as long as it is so. */
export function standing() {
  const element = h("div", { class: "standing" });
  const draw = () => {
    const obstacles = status()?.post.obstacles ?? [];
    element.replaceChildren(
      hiding(),
      ...(obstacles.length
        ? [h("div", { class: "cannot" }, h("strong", {}, "Not yet: "), obstacles.join(" "))]
        : []),
    );
  };
  draw();
  return { element, leave: watch(draw) };
}
