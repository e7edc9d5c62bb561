// The feed: pages of cards, the newest first, that go on as one scrolls and grow as secrets come.

import { get } from "./api.js";
import { card } from "./card.js";
import { composeButton } from "./composer.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { listen } from "./live.js";
import { notices } from "./notices.js";
import { current, takeScroll } from "./router.js";
import { count, safe } from "./text.js";
import { speak, tried } from "./voice.js";

const PAGE = 30;
const SEARCH_MS = 200;
// Before the end of the list comes into sight, so that it hardly ever does.
const AHEAD = "1200px";

const FEEDS = { new: "New", loved: "Loved", subscribed: "Subscribed", mine: "Mine", hidden: "Hidden" };
const EMPTY = {
  new: [
    "Nothing has been said yet",
    "Secrets appear here as they come in over your friends. You could say the first one.",
  ],
  loved: [
    "No hearts yet",
    "What members give hearts to stands here. Press the heart of a secret that you are glad of.",
  ],
  subscribed: [
    "You follow no thread",
    "Choose “Subscribe” in the menu of a secret, and you see here when somebody replies.",
  ],
  mine: [
    "Nothing is linked to you",
    "What you post stays here for a while, so that you can take it back; then your node forgets whose it is. See Settings.",
  ],
  hidden: ["You hide nothing", "What you hide or mute stands here, in case that you change your mind."],
};

export function feed(section) {
  const cards = new Map(); // By id, in the order of the page.
  let query = "";
  let asked = 0; // Answers to older questions are dropped.
  let hasMore = false;
  let isLoading = false;
  let leftOut = 0; // How many one does not want to see.
  let waiting = []; // Came while the top was out of sight.
  let heardMeanwhile = null; // News since the list was asked for anew, whose answer may not know of it.

  const list = h("div", { class: "cards" });
  const state = h("div", { class: "feed-state" });
  const fresh = h("button", {
    type: "button",
    class: "fresh",
    hidden: true,
    on: { click: () => showWaiting() },
  });
  const more = h(
    "button",
    { type: "button", class: "button more", hidden: true, on: { click: () => load() } },
    "Show more",
  );
  const field = h("input", {
    type: "search",
    class: "search-field",
    placeholder: "Search",
    "aria-label": "Search secrets",
    autocomplete: "off",
    spellcheck: "false",
    on: { input: () => searchSoon() },
  });

  function place(item, isFirst = false) {
    const known = cards.get(item.id);
    if (known) return known.update(item);
    const made = card(item, { away: () => leaveOut(item.id) });
    cards.set(item.id, made);
    if (isFirst) list.prepend(made.element);
    else list.append(made.element);
    return undefined;
  }

  function drop(id) {
    const element = cards.get(id)?.element;
    if (!element) return;
    const next = element.nextElementSibling ?? element.previousElementSibling;
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    cards.delete(id);
    if (hadFocus) (next?.querySelector("a, button") ?? document.getElementById("main")).focus();
    describe();
  }

  /** Takes off the page what one hides, mutes or shows again. */
  function leaveOut(id) {
    if (section !== "hidden" && cards.has(id)) leftOut++;
    drop(id);
  }

  async function load({ isAnew = false } = {}) {
    if (isLoading && !isAnew) return;
    isLoading = true;
    const number = ++asked;
    if (isAnew) heardMeanwhile = [];
    const last = isAnew ? null : [...cards.keys()].at(-1);
    const wanted = new URLSearchParams({ order: section, count: PAGE, query });
    if (last) wanted.set("before", last);
    const page = await tried(() => get(`/secrets?${wanted}`));
    if (number !== asked) return;
    isLoading = false;
    if (!page) return;
    if (isAnew) {
      cards.clear();
      list.replaceChildren();
      waiting = [];
      fresh.hidden = true;
    }
    page.secrets.forEach((item) => place(item));
    hasMore = page.more;
    more.hidden = !hasMore;
    leftOut = page.left_out;
    describe();
    if (query) speak(cards.size ? `${cards.size}${hasMore ? " or more" : ""} found` : "Nothing found");
    const late = heardMeanwhile ?? [];
    heardMeanwhile = null;
    for (const [event, data] of late) heard(event, data);
  }

  function describe() {
    const [title, sentence] = query
      ? ["Nothing found", "No secret here has all of these words."]
      : EMPTY[section];
    const empty = h("div", { class: "empty" }, h("h2", {}, title), h("p", {}, sentence));
    const out = leftOut
      ? h("p", { class: "quiet" }, `${count(leftOut, "secret")} left out: hidden, muted or filtered by you.`)
      : null;
    state.replaceChildren(...[cards.size ? null : empty, out].filter(Boolean));
  }

  let soon;
  function searchSoon() {
    clearTimeout(soon);
    soon = setTimeout(() => {
      query = field.value.trim();
      load({ isAnew: true });
    }, SEARCH_MS);
  }

  function arrived(item) {
    if (section !== "new" || query) return;
    if (cards.has(item.id)) return place(item);
    if (scrollY < 200) {
      place(item, true);
      describe();
      list.firstChild.classList.add("arriving");
      speak(`A new secret: ${safe(item.text)}`);
    } else {
      waiting.push(item);
      fresh.textContent = `${count(waiting.length, "new secret")}`;
      fresh.hidden = false;
      speak(fresh.textContent);
    }
    return undefined;
  }

  function showWaiting() {
    waiting.forEach((item) => place(item, true));
    waiting = [];
    fresh.hidden = true;
    scrollTo({ top: 0 });
    list.querySelector("a, button")?.focus({ preventScroll: true });
  }

  function heard(event, data) {
    if (event !== "again" && event !== "outbox") heardMeanwhile?.push([event, data]);
    if (event === "again") load({ isAnew: true });
    else if (event === "secret") arrived(data);
    else if (event === "gone") drop(data.id);
    else if (event === "tally") cards.get(data.id)?.update(data);
    else if (event === "reply" && cards.has(data.secret)) renew(data.secret);
    else if (event === "outbox" && section === "mine") load({ isAnew: true });
  }

  async function renew(id) {
    const thread = await get(`/secrets/${id}`).catch(() => null);
    if (thread) cards.get(id)?.update(thread.secret);
  }

  const ahead = new IntersectionObserver(([entry]) => entry.isIntersecting && hasMore && load(), {
    rootMargin: AHEAD,
  });
  ahead.observe(more);
  const strip = notices();
  const stop = listen(heard);
  const tabs = Object.entries(FEEDS).map(([name, title]) =>
    h("a", { href: `#${name}`, class: "tab", "aria-current": name === section ? "page" : null }, title),
  );
  load({ isAnew: true }).then(() => current()?.section === section && scrollTo({ top: takeScroll(section) }));
  return {
    title: FEEDS[section],
    element: h(
      "div",
      { class: "feed" },
      h("h1", { class: "unseen" }, `Secrets: ${FEEDS[section]}`),
      h(
        "div",
        { class: "feed-head" },
        h("nav", { class: "tabs", "aria-label": "Feeds" }, tabs),
        h("div", { class: "search", role: "search" }, icon("search"), field),
      ),
      strip.element,
      section === "new" ? composeButton() : null,
      fresh,
      list,
      state,
      more,
    ),
    leave() {
      stop();
      strip.leave();
      ahead.disconnect();
      clearTimeout(soon);
    },
  };
}
