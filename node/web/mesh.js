// The mesh: its figures as this node knows them, and what one's own node does for it.

import { h, refill } from "./dom.js";
import { figures } from "./figures.js";
import { hiding } from "./hiding.js";
import { status, watch } from "./status.js";
import { count, safe } from "./text.js";

export function mesh() {
  const body = h("div", { class: "stack wide" });
  const meter = hiding({ isWhole: true });
  const draw = () => {
    const known = status();
    if (!known) return;
    meter.draw();
    if (!known.mesh) {
      body.replaceChildren(
        h(
          "div",
          { class: "empty" },
          h("h2", {}, "No mesh yet"),
          h("p", {}, h("a", { class: "button main", href: "#welcome" }, "Begin")),
        ),
      );
      return;
    }
    const { post, pending } = known;
    body.replaceChildren(
      h("h1", { dir: "auto" }, safe(known.mesh.name)),
      known.mesh.trial
        ? h("p", { class: "notice" }, "This is a trial mesh: everything is quick, and it hides nobody.")
        : "",
      h(
        "section",
        { class: "box", "aria-labelledby": "hide-title" },
        h("h2", { id: "hide-title" }, "How you hide"),
        meter.element,
      ),
      post.allowed
        ? ""
        : h(
            "section",
            { class: "box", "aria-labelledby": "why-title" },
            h("h2", { id: "why-title" }, "Why you cannot post yet"),
            h(
              "ul",
              {},
              post.obstacles.map((each) => h("li", {}, each)),
            ),
          ),
      h(
        "section",
        { "aria-labelledby": "facts-title" },
        h("h2", { id: "facts-title" }, "Figures"),
        figures(known),
      ),
      pending.length
        ? h(
            "section",
            { class: "box", "aria-labelledby": "pending-title" },
            h("h2", { id: "pending-title" }, "Under way"),
            h(
              "ul",
              {},
              pending.map((each) => h("li", {}, safe(each))),
            ),
          )
        : "",
      h(
        "section",
        { "aria-labelledby": "node-title" },
        h("h2", { id: "node-title" }, "This node"),
        h("p", { class: "quiet" }, "Listens on"),
        h(
          "ul",
          { class: "addresses" },
          known.addresses.map((each) => h("li", {}, h("code", {}, each))),
        ),
      ),
    );
  };
  draw();
  return { title: "Mesh", element: h("div", { class: "panel" }, body), leave: watch(draw) };
}

/** A few lines beside the feed, where the window is wide enough: {element, leave}. */
export function summary() {
  const element = h("aside", { class: "aside", "aria-label": "At a glance" });
  const meter = hiding();
  const draw = () => {
    const known = status();
    meter.draw();
    if (!known?.mesh) return refill(element);
    const names = known.connected.map(safe).join(", ");
    return refill(
      element,
      h("h2", { dir: "auto" }, safe(known.mesh.name)),
      h(
        "p",
        { class: "quiet" },
        `${count(known.mesh.members, "member")}; ${names ? `connected with ${names}` : "no friend is connected now"}.`,
      ),
      // Not where one writes: each composer says it itself.
      h("section", { class: "aside-hiding" }, h("h2", {}, "How you hide"), meter.element),
    );
  };
  draw();
  return { element, leave: watch(draw) };
}
