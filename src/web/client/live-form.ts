/**
 * A form that asks by its address answers while it is filled in: the page of the new address is fetched and its result
 * swapped in, with the notes beside the fields. What is typed is left alone. Without script the form is simply sent.
 */
import { startCopy } from "./copy.ts";

const WAIT_MS = 250;

export function startLiveForm(form: HTMLFormElement): void {
  const result = document.querySelector("[data-live-result]");
  if (result === null) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | undefined;

  async function ask(region: Element): Promise<void> {
    asking?.abort();
    asking = new AbortController();
    const address = addressOf(form);
    const page = await pageAt(address, asking.signal);
    const fresh = page?.querySelector("[data-live-result]");
    if (page === undefined || fresh === null || fresh === undefined) return;
    region.replaceChildren(...fresh.childNodes);
    for (const button of region.querySelectorAll<HTMLButtonElement>("button[data-copy]")) startCopy(button);
    for (const field of form.querySelectorAll<HTMLElement>("input, select")) takeNote(field, page);
    history.replaceState(history.state, "", address);
  }
  function soon(waitMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(result ?? form), waitMs);
  }
  form.addEventListener("input", () => soon(WAIT_MS));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    soon(0);
  });
}

function addressOf(form: HTMLFormElement): string {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value !== "") query.set(name, value);
  return `${form.action}?${query.toString()}`;
}

/** Undefined when a newer question took its place, or the server is out of reach: what is shown stays. */
async function pageAt(address: string, signal: AbortSignal): Promise<Document | undefined> {
  try {
    const response = await fetch(address, { headers: { accept: "text/html" }, signal });
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return undefined;
  }
}

/** The note on what a field takes comes and goes with its error. */
function takeNote(field: HTMLElement, page: Document): void {
  const fresh = page.getElementById(field.id);
  const frame = field.closest(".field");
  const freshFrame = fresh?.closest(".field");
  if (fresh === null || frame === null || freshFrame === null || freshFrame === undefined) return;
  frame.className = freshFrame.className;
  frame.querySelector(".field-error")?.remove();
  const note = freshFrame.querySelector(".field-error");
  if (note !== null) frame.querySelector(".field-control")?.after(note);
  for (const name of ["aria-invalid", "aria-describedby"]) {
    const value = fresh.getAttribute(name);
    if (value === null) field.removeAttribute(name);
    else field.setAttribute(name, value);
  }
}
