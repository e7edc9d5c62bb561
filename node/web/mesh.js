// The mesh: its figures as this node knows them, and what one's own node does for it.

import { h } from "./dom.js";
import { hiding } from "./hiding.js";
import { status, watch } from "./status.js";
import { count, inWords, safe } from "./text.js";

function fact(name, value, note) {
  return h(
    "div",
    { class: "fact" },
    h("dt", {}, name),
    h("dd", {}, value, note ? h("span", { class: "quiet" }, note) : null),
  );
}

const megabytes = (bytes) => `${Math.round(bytes / 1e6).toLocaleString("en")} MB`;

function facts({ mesh, mixing, cover, disk_bytes: disk }) {
  const { own_clock: clock } = mixing;
  return h(
    "dl",
    { class: "facts" },
    fact("Members", mesh.members.toLocaleString("en"), `${mesh.ring_size} of them count for a post now`),
    fact("Relay keys", mixing.relay_keys.toLocaleString("en"), `the mesh asks for ${mixing.relay_keys_min}`),
    fact("Epoch", inWords(mesh.epoch_s), "nobody learns a finer time"),
    fact(
      "Pace",
      clock.running ? `every ${inWords(clock.interval_s)}` : "not yet",
      clock.running ? "a packet leaves, on average, whatever you do" : clock.waits_for,
    ),
    fact(
      "A day’s traffic",
      megabytes(clock.bytes_per_day),
      cover.rate
        ? `at the most, and ${Math.round(cover.mb_per_friend_day)} MB of cover for each friend`
        : "at the most, sent by your node",
    ),
    fact(
      "A post now",
      inWords(mixing.slot_wait_s),
      `until it leaves, then ${inWords(mixing.relaying_s)} on its way, on average`,
    ),
    fact(
      "Packets",
      `${mixing.packets_in.toLocaleString("en")} in`,
      `${mixing.packets_out.toLocaleString("en")} out since the node began, ${mixing.cover_packets.toLocaleString("en")} with nothing in them`,
    ),
    fact("On this disk", `${mesh.items.toLocaleString("en")} items`, megabytes(disk)),
  );
}

export function mesh() {
  const body = h("div", { class: "stack wide" });
  const draw = () => {
    const known = status();
    if (!known) return;
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
        hiding(),
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
        facts(known),
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
  const draw = () => {
    const known = status();
    if (!known?.mesh) return element.replaceChildren();
    const names = known.connected.map(safe).join(", ");
    return element.replaceChildren(
      h("h2", { dir: "auto" }, safe(known.mesh.name)),
      h(
        "p",
        { class: "quiet" },
        `${count(known.mesh.members, "member")}; ${names ? `connected with ${names}` : "no friend is connected now"}.`,
      ),
      h("h2", {}, "How you hide"),
      hiding(),
    );
  };
  draw();
  return { element, leave: watch(draw) };
}
