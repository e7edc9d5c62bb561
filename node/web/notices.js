// Notices above the feed: what waits in the outbox, and why one cannot post yet.

import { h } from "./dom.js";
import { status, watch } from "./status.js";

export function notices() {
  const element = h("div", { class: "notices" });
  let drawn = null;
  const draw = () => {
    const known = status();
    const waiting = known?.outbox.length ?? 0;
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
              waiting === 1
                ? " waits to leave, or is on its way."
                : " wait to leave, or are on their way.",
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
