// Notices above the feed: what waits in the outbox, and why one cannot post yet.

import { get } from "./api.js";
import { h } from "./dom.js";
import { status, watch } from "./status.js";

// Their cards say it themselves. A notice would push down the very cards of which one is just giving some a heart.
const SAID_BY_CARDS = new Set(["heart", "flag", "vote"]);

export function notices() {
  const element = h("div", { class: "notices" });
  let drawn = null;
  let answerTo = null; // Only the last question counts.
  const count = async () => {
    if (!status()?.outbox.length) return 0;
    const { waiting } = await get("/outbox");
    return waiting.filter(({ kind }) => !SAID_BY_CARDS.has(kind)).length;
  };
  const draw = async () => {
    const question = (answerTo = {});
    const waiting = await count().catch(() => null);
    if (question !== answerTo || waiting === null) return; // Who does not know says what was so before.
    const known = status();
    const obstacles = known?.mesh ? known.post.obstacles : [];
    const what = `${waiting} ${obstacles.join()}`;
    if (what === drawn) return; // Whoever is reading it, or on its link, is left in peace.
    drawn = what;
    element.replaceChildren(
      ...[
        waiting
          ? h(
              "a",
              { class: "notice", href: "#outbox" },
              h("strong", {}, `${waiting} in your outbox`),
              waiting === 1 ? " waits to leave, or is on its way." : " wait to leave, or are on their way.",
            )
          : null,
        obstacles.length
          ? h(
              "div",
              { class: "notice" },
              h("strong", {}, "You cannot post yet."),
              h(
                "ul",
                {},
                obstacles.map((each) => h("li", {}, each)),
              ),
            )
          : null,
      ].filter(Boolean),
    );
  };
  draw();
  return { element, leave: watch(draw) };
}
