// The API of the node that served this page. Nobody else is ever asked.

import { isActing } from "./presence.js";

/** The node refused, or does not answer; the message is a sentence for the person. */
export class Refused extends Error {
  constructor(message, status, obstacles = []) {
    super(message);
    this.status = status; // 0: no answer. 401: not logged in, or the node was started anew. 423: locked.
    this.obstacles = obstacles;
  }

  get isAway() {
    return this.status === 0 || this.status === 401;
  }

  get isLocked() {
    return this.status === 423;
  }
}

const AWAY = "Your node does not answer. Is it running? What you wrote stays here.";
const LOGGED_OUT = "Your node does not know this page any more. Run `rumor open`; what you wrote stays here.";

let lock = () => {};
/** Calls `listener()` whenever the node says that the page is locked. */
export const whenLocked = (listener) => {
  lock = listener;
};

async function send(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (isActing()) headers["X-Rumor-Person"] = "1";
  let response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      redirect: "error",
    });
  } catch {
    throw new Refused(AWAY, 0);
  }
  if (response.ok) return response;
  if (response.status === 423) lock();
  const answer = await response.json().catch(() => ({}));
  const said =
    response.status === 401 ? LOGGED_OUT : (answer.error ?? `The node answered ${response.status}.`);
  throw new Refused(said, response.status, answer.obstacles);
}

async function ask(method, path, body) {
  const response = await send(method, path, body);
  return response.json().catch(() => ({}));
}

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);
export const put = (path, body) => ask("PUT", path, body);
export const patch = (path, body) => ask("PATCH", path, body);
export const remove = (path) => ask("DELETE", path);

/** A file that the node makes: its name and what is in it. */
export async function file(method, path, body) {
  const response = await send(method, path, body);
  const [, name] = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition"));
  return { name, content: await response.blob() };
}

/** A path of the API with a friend in it, whatever they are called. */
export const friendPath = (friend, rest = "") => `/friends/${encodeURIComponent(friend)}${rest}`;
