import { UpstreamError, UserError } from "../../errors.ts";
import { formatMinor } from "../../rating/money.ts";
import type { Checkout, CheckoutRequest } from "../provider.ts";
import { deletedSchema, linkSchema, linksSchema, type OmiseLink } from "./api.ts";
import { askOmise, OmiseRefusal, type OmiseAccount } from "./client.ts";

/** What accounts may charge in (https://docs.omise.co/multi-currency); which of them one account may, Omise knows. */
const CURRENCIES: ReadonlySet<string> = new Set("AUD CAD CHF CNY DKK EUR GBP HKD IDR JPY MYR SGD THB USD".split(" "));

/** A link that was made before that and not handed out is known to nobody, so nobody can pay it. */
const LOOK_BACK_MS = 24 * 3600_000;
/** How long another asker of the same may have taken between looking for a link and making its own. */
const OVERLAP_MS = 10 * 60_000;
const PAGE = 100;
const MAX_PAGES = 10;

/**
 * Makes a link that can be paid once, on Omise's own page, in any way that the account offers. Omise takes neither an
 * address to come back to nor a language with it.
 *
 * Omise publishes no idempotency key, so the key stands in the link's description: an earlier link with it is given
 * back, and of two that were made at the same moment the first in Omise's list stays and the other is deleted. What
 * remains: a link older than a day, or behind a thousand others of that day, is not found again; and two links made in
 * the same second stay both if Omise lists them in one order now and in another a moment later.
 *
 * @throws {UserError} for a currency, or an amount, that Omise does not take.
 * @throws {UpstreamError} when Omise does not answer, or refuses.
 */
export async function openLink(account: OmiseAccount, request: CheckoutRequest, now: Date): Promise<Checkout> {
  const { code } = request.currency;
  if (!CURRENCIES.has(code)) {
    throw new UserError(`Omise takes no ${code}; it takes ${[...CURRENCIES].join(", ")}`, { status: 422 });
  }
  const earlier = await findLink(account, request, new Date(now.getTime() - LOOK_BACK_MS));
  const link = earlier ?? (await makeLinkOnce(account, request));
  if (link.amountMinor !== request.amountMinor || link.currency !== code) {
    throw new UpstreamError(
      `Omise holds the link ${link.id} for ${link.amountMinor} ${link.currency} where ${request.amountMinor} ${code} are asked for`,
    );
  }
  return { externalPaymentId: link.id, url: link.paymentUrl };
}

async function makeLinkOnce(account: OmiseAccount, request: CheckoutRequest): Promise<OmiseLink> {
  const made = await makeLink(account, request);
  const first = await findLink(account, request, new Date(made.createdAt.getTime() - OVERLAP_MS));
  if (first === undefined || first.id === made.id) return made;
  const what = `delete the link ${made.id}, a second one for ${request.receiptNumber}`;
  await askOmise(account, { what, method: "DELETE", path: `/links/${made.id}` }, deletedSchema);
  return first;
}

async function makeLink(account: OmiseAccount, request: CheckoutRequest): Promise<OmiseLink> {
  const fields = {
    amount: request.amountMinor.toString(),
    currency: request.currency.code,
    title: request.receiptNumber,
    description: descriptionOf(request),
    multiple: "false",
  };
  const what = `make a link for ${request.receiptNumber}`;
  try {
    return await askOmise(account, { what, method: "POST", path: "/links", fields }, linkSchema);
  } catch (error) {
    // The limits are the account's own, and only this sentence tells them apart from other bad requests.
    if (!(error instanceof OmiseRefusal && error.httpStatus === 400 && /\bamount\b/iu.test(error.detail))) throw error;
    const amount = `${formatMinor(request.amountMinor, request.currency)} ${request.currency.code}`;
    throw new UserError(`Omise does not take ${amount} (${error.detail}): choose another way to pay`, {
      status: 422,
      cause: error,
    });
  }
}

/** The first link with the request's key among those made since then; undefined when there is none. */
async function findLink(account: OmiseAccount, request: CheckoutRequest, since: Date): Promise<OmiseLink | undefined> {
  const description = descriptionOf(request);
  for (let page = 0; page < MAX_PAGES; page++) {
    const fields = {
      from: since.toISOString().replace(/\.\d+/u, ""),
      order: "chronological",
      limit: PAGE.toString(),
      offset: (page * PAGE).toString(),
    };
    const what = "list its links";
    const { data } = await askOmise(account, { what, method: "GET", path: "/links", fields }, linksSchema);
    const found = data.find((link) => link?.description === description && !link.isDeleted);
    if (found) return found;
    if (data.length < PAGE) return undefined;
  }
  return undefined;
}

/** What the payer reads below the title, and what a link is found again by. */
function descriptionOf({ receiptNumber, idempotencyKey }: CheckoutRequest): string {
  return `${receiptNumber} (${idempotencyKey})`;
}
