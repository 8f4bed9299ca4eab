/**
 * Asks for a status until it changes, then loads the page again: `data-poll-url` answers
 * `{"status": …}`, `data-poll-status` is what the page shows. Slower with time, and not for ever.
 */
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 10_000;
const GIVE_UP_MS = 10 * 60_000;

export function startPoll(element: HTMLElement): void {
  const url = element.dataset["pollUrl"];
  if (url === undefined) return;
  const shown = element.dataset["pollStatus"];
  const startedAt = Date.now();
  let waitMs = FIRST_WAIT_MS;

  async function ask(address: string): Promise<void> {
    if (Date.now() - startedAt > GIVE_UP_MS) return;
    // A page nobody looks at asks nothing; it goes on when it is seen again.
    const status = document.hidden ? undefined : await statusAt(address);
    if (status !== undefined && status !== shown) {
      location.reload();
      return;
    }
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 1.25);
    setTimeout(() => void ask(address), waitMs);
  }
  setTimeout(() => void ask(url), waitMs);
}

/** Undefined when the answer is not to be had; the next one may be. */
async function statusAt(address: string): Promise<string | undefined> {
  try {
    const response = await fetch(address, { headers: { accept: "application/json" }, cache: "no-store" });
    if (!response.ok) return undefined;
    const body: unknown = await response.json();
    if (typeof body !== "object" || body === null || !("status" in body)) return undefined;
    return typeof body.status === "string" ? body.status : undefined;
  } catch {
    return undefined;
  }
}
