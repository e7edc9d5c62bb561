// Welcome: from nothing to the first friend, one step at a time. Which step it is follows from how things are, so that
// it goes on where it was left.

import { post } from "./api.js";
import { friendList } from "./friends.js";
import { h } from "./dom.js";
import { inviteForm, joinForm } from "./invitation.js";
import { refresh, status, watch } from "./status.js";
import { safe } from "./text.js";
import { tried } from "./voice.js";
import { refusal } from "./writing.js";

// The presets of gossip/presets.py, in words that hold whatever was measured of them last; and a mesh to try things in.
const KINDS = [
  [
    "balanced",
    "For real",
    "It hides you, once there are eight members. In a circle of fifty a post takes minutes.",
    true,
  ],
  ["quick", "For real, and quicker", "Four times the traffic, and it hides a little less."],
  ["careful", "For real, and more careful", "A longer wait, and a relay more to hide behind."],
  ["trial", "To try it out", "Two people are enough, and everything takes seconds. It hides nobody."],
];

const READY = "Everything is ready. What would you say if nobody knew that it was you?";
const NEARLY =
  "You can write already. It leaves once the others have learnt that you are a member, which takes a moment.";

const STEPS = ["A mesh", "A friend", "The words", "Done"];

function stepOf(known, people) {
  if (people.friends.some(({ stage }) => stage === "friends")) return 3;
  if (people.friends.length) return 2;
  return known.mesh || people.joining.length ? 1 : 0;
}

function trail(step) {
  const isDone = (index) => index < step || step === STEPS.length - 1;
  return h(
    "ol",
    { class: "steps" },
    STEPS.map((name, index) =>
      h(
        "li",
        { class: index < step ? "past" : "", "aria-current": index === step ? "step" : null },
        h("span", { class: "step-number" }, isDone(index) ? "✓" : String(index + 1)),
        name,
      ),
    ),
  );
}

export function welcome() {
  const body = h("div", { class: "stack wide" });
  let people = { friends: [], joining: [], invitations: 0 };
  let shown = null;
  const list = friendList((answer) => {
    people = answer;
    draw();
  });

  function draw() {
    const known = status();
    if (!known) return;
    const step = stepOf(known, people);
    const what = `${step} ${people.joining.length > 0} ${step === 3 && [known.mixing?.own_clock.running, ...known.post.obstacles]}`;
    if (what === shown) return;
    shown = what;
    const hadFocus = body.contains(document.activeElement);
    body.replaceChildren(trail(step), ...[beginning, meeting, comparing, done][step](known));
    if (hadFocus) document.getElementById("main").focus();
  }

  const beginning = () => [
    h("h1", {}, "Say it. Nobody has to know that it was you."),
    h(
      "p",
      { class: "lead" },
      "A mesh is a circle of friends, and friends of friends. What one of them posts reaches all of them, signed by a member and by nobody in particular, over packets that leave whether anybody posts or not. There is no server that could know. How well you are hidden, and from whom, stands beside everything that you write.",
    ),
    h(
      "div",
      { class: "two" },
      h(
        "section",
        { class: "box", "aria-labelledby": "join-title" },
        h("h2", { id: "join-title" }, "I have an invitation"),
        joinForm(() => list.load().then(refresh)),
      ),
      h(
        "section",
        { class: "box", "aria-labelledby": "found-title" },
        h("h2", { id: "found-title" }, "I start a new mesh"),
        foundForm(),
      ),
    ),
  ];

  const meeting = (known) => {
    if (people.joining.length) {
      return [
        h("h1", {}, "Looking for your friend"),
        h(
          "p",
          { class: "lead" },
          "Both nodes have to be online for a moment. Keep yours running; this goes on by itself.",
        ),
        list.element,
      ];
    }
    return [
      h("h1", { dir: "auto" }, `${safe(known.mesh.name)} is yours`),
      h(
        "p",
        { class: "lead" },
        "Now it needs people. Invite the first one: somebody whose voice you know, since you will read four words to each other.",
      ),
      h("section", { class: "box", "aria-label": "Invitation" }, inviteForm({ isFirst: true })),
      list.element,
    ];
  };

  const comparing = () => [
    h("h1", {}, "Compare the words"),
    h(
      "p",
      { class: "lead" },
      "You have met. Call each other and read the four words aloud: so you know that nobody stands between your nodes. Both of you confirm.",
    ),
    list.element,
  ];

  const done = (known) => [
    h("h1", {}, "You have a friend here"),
    known.post.allowed
      ? h("p", { class: "lead" }, known.mixing.own_clock.running ? READY : NEARLY)
      : h(
          "div",
          {},
          h(
            "p",
            { class: "lead" },
            "You can read now. Before you can post, so that there is somebody to hide among:",
          ),
          h(
            "ul",
            {},
            known.post.obstacles.map((each) => h("li", {}, each)),
          ),
        ),
    h(
      "div",
      { class: "buttons start" },
      h("a", { class: "button main", href: "#new" }, "To the secrets"),
      h("a", { class: "button", href: "#friends" }, "Another friend"),
    ),
  ];

  function foundForm() {
    const name = h("input", {
      type: "text",
      class: "field",
      id: "mesh-name",
      maxLength: 64,
      autocomplete: "off",
      placeholder: "Such as Night owls",
    });
    const trouble = h("div", { class: "trouble-box", role: "alert" });
    const kind = (value, title, note, checked = false) =>
      h(
        "label",
        { class: "option" },
        h("input", { type: "radio", name: "kind", value, checked }),
        h("span", {}, h("strong", {}, title), h("span", { class: "quiet" }, note)),
      );
    const submit = async (event) => {
      event.preventDefault();
      if (!name.value.trim()) {
        refusal(trouble, { message: "Give the mesh a name: its members see it." });
        return name.focus();
      }
      trouble.replaceChildren();
      const chosen = event.target.elements.kind.value;
      const pace = chosen === "trial" ? { trial: true } : { preset: chosen };
      if (await tried(() => post("/mesh", { name: name.value, ...pace }))) await refresh();
      return undefined;
    };
    return h(
      "form",
      { class: "stack", novalidate: true, on: { submit } },
      h("label", { htmlFor: "mesh-name" }, "Its name"),
      name,
      trouble,
      h(
        "fieldset",
        { class: "options" },
        h("legend", {}, "What for"),
        KINDS.map((each) => kind(...each)),
      ),
      h("div", { class: "buttons" }, h("button", { type: "submit", class: "button main" }, "Start the mesh")),
    );
  }

  draw();
  const stop = watch(draw);
  return {
    title: "Welcome",
    element: h("div", { class: "panel welcome" }, body),
    leave() {
      stop();
      list.leave();
    },
  };
}
