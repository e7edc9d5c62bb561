// Elements: made one by one, with text as text. Nothing here, or anywhere in the page, parses markup: what a stranger
// wrote has no way to become an element, and Trusted Types would stop it if it found one.

/**
 * An element. `props` are properties, but for `class`, `on` (listeners by event) and `data`; what is no property, or a
 * word where the property is true or false, becomes an attribute. Null, undefined and false leave one out. Children are
 * nodes, strings or lists; empty ones are left out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") element.className = value;
    else if (key === "on")
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key in element && typeof element[key] !== "boolean") element[key] = value;
    else if (key in element && typeof value === "boolean") element[key] = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element of one path, for the eyes only unless it has a label. */
export function drawing(viewBox, path, props = {}) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", viewBox);
  for (const [key, value] of Object.entries(props)) svg.setAttribute(key, value);
  if (!props["aria-label"]) svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/** Gives the focus back to what answers to the same `data-key` as what had it, once `change` has drawn things anew. */
function keepingFocus(within, change) {
  const key = within.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const fresh = change();
  if (key) fresh.querySelector(`[data-key="${key}"]`)?.focus({ preventScroll: true });
  return fresh;
}

/** Puts an element where another was, with the same focus, and with its menu open if it was. */
export function exchange(old, fresh) {
  return keepingFocus(old, () => {
    if (old.querySelector("details.menu[open]")) fresh.querySelector("details.menu").open = true;
    old.replaceWith(fresh);
    return fresh;
  });
}

/** Fills an element anew, with the same focus. */
export function refill(element, ...children) {
  return keepingFocus(element, () => {
    element.replaceChildren(...children.flat(Infinity).filter(Boolean));
    return element;
  });
}
