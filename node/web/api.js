// The API of the node that served this page. Nobody else is ever asked.

/** The node refused, or does not answer; the message is a sentence for the person. */
export class Refused extends Error {
  constructor(message, status, obstacles = []) {
    super(message);
    this.status = status; // 0: no answer. 401: not logged in, or the node was started anew.
    this.obstacles = obstacles;
  }

  get isAway() {
    return this.status === 0 || this.status === 401;
  }
}

const AWAY = "Your node does not answer. Is it running? What you wrote stays here until it does.";
const LOGGED_OUT = "Your node does not know this page any more. Run `rumor open`; what you wrote stays here.";

export async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      redirect: "error",
    });
  } catch {
    throw new Refused(AWAY, 0);
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const said =
    response.status === 401 ? LOGGED_OUT : (answer.error ?? `The node answered ${response.status}.`);
  throw new Refused(said, response.status, answer.obstacles);
}

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);
export const put = (path, body) => ask("PUT", path, body);
export const patch = (path, body) => ask("PATCH", path, body);
export const remove = (path) => ask("DELETE", path);

/** A path of the API with a friend in it, whatever they are called. */
export const friendPath = (friend, rest = "") => `/friends/${encodeURIComponent(friend)}${rest}`;
