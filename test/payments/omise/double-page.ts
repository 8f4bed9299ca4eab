/** The page behind a link's `payment_uri`, in plain HTML: what a payer can do there, without any script. */
import type { DoubleCharge, DoubleLink, OmiseBooks } from "./double-books.ts";

/** What a button of the page does; cards are charged with or without asking their bank first (3-D Secure). */
export function pressButton(
  books: OmiseBooks,
  link: DoubleLink,
  button: string,
  { asksBank }: { asksBank: boolean },
): void {
  if (link.usedAt !== null || link.deletedAt !== null) return;
  const waiting = waitingCharge(link);
  if (waiting !== undefined) {
    if (button === "confirm") books.endCharge(waiting, "successful");
    if (button === "expire") books.endCharge(waiting, "expired");
    return;
  }
  if (button === "promptpay") books.startCharge(link, "promptpay");
  if (button === "card") chargeCard(books, link, { status: "successful", asksBank });
  if (button === "declined") chargeCard(books, link, { status: "failed", asksBank });
}

function chargeCard(
  books: OmiseBooks,
  link: DoubleLink,
  { status, asksBank }: { status: "successful" | "failed"; asksBank: boolean },
): void {
  if (asksBank) books.endCharge(books.startCharge(link, "card"), status);
  else books.chargeAtOnce(link, status);
}

function waitingCharge(link: DoubleLink): DoubleCharge | undefined {
  return link.charges.find(({ status }) => status === "pending");
}

export function pageOf(link: DoubleLink): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escape(link.title)}</title></head>
<body>
<h1>${escape(link.title)}</h1>
<p>${escape(link.description)}</p>
<p><strong>${link.amount} ${link.currency}</strong> in the smallest unit</p>
${stateOf(link)}
</body>
</html>`;
}

function stateOf(link: DoubleLink): string {
  if (link.usedAt !== null) return "<p>Payment successful. You can close this page.</p>";
  if (waitingCharge(link) !== undefined) {
    return `<p>Scan the QR code with your banking app.</p>
${button("confirm", "Confirm in the banking app")}
${button("expire", "Let the QR code expire")}`;
  }
  return `${problemOf(link)}
${button("promptpay", "Pay by PromptPay")}
${button("card", "Pay by card")}
${button("declined", "Pay by a card that is declined")}`;
}

function problemOf(link: DoubleLink): string {
  const last = link.charges.at(-1);
  if (last?.status === "failed") return "<p>The card was declined. Choose another way to pay.</p>";
  return last?.status === "expired" ? "<p>The QR code has expired. Choose again how to pay.</p>" : "";
}

function button(name: string, label: string): string {
  return `<form method="post"><button name="button" value="${name}">${label}</button></form>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
