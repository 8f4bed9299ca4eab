/** The page that a session's address shows: plain forms, for a real browser to go through. */
import type { KeptSession } from "./sessions.ts";

/** What the payer can press. */
export const BUTTONS = {
  pay: "Pay",
  later: "Pay by bank debit",
  decline: "Pay with a card that is declined",
  back: "Back",
} as const;

export type Button = keyof typeof BUTTONS;

export function isButton(text: string | null): text is Button {
  return text !== null && Object.hasOwn(BUTTONS, text);
}

/** @param notice what the payer must be told, such as that the card was declined. */
export function hostedPage({ session, name }: KeptSession, notice: string | null): string {
  const isOpen = session.status === "open";
  const status = isOpen ? "" : `<p role="status">This checkout is ${session.status ?? "gone"}.</p>`;
  const buttons = Object.entries(BUTTONS)
    .filter(([button]) => isOpen || button === "back")
    .map(([button, label]) => `<button name="button" value="${button}">${label}</button>`)
    .join("\n");
  return `<!doctype html>
<html lang="${session.locale ?? "en"}"><head><meta charset="utf-8"><title>Checkout</title></head><body>
<h1>${escaped(name)}</h1>
<p>${session.amount_total ?? 0} ${escaped(session.currency ?? "")}, in minor units</p>
${notice === null ? status : `<p role="alert">${escaped(notice)}</p>`}
<form method="post">${buttons}</form>
</body></html>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/gu, (character) => `&#${character.charCodeAt(0)};`);
}
