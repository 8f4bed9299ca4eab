/** Behaviour is attached to elements by their `data-` attributes; pages work without any of it. */

/** Runs `start` once for every element that matches, when the page is there. */
export function attach<E extends Element>(selector: string, kind: new () => E, start: (element: E) => void): void {
  for (const element of document.querySelectorAll(selector)) if (element instanceof kind) start(element);
}
