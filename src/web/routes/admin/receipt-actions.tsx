/** What an admin can do about a receipt's money: each asks on a page of its own, and says what was wrong there. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { VNode } from "preact";
import { z } from "zod";
import { issueCreditNote, type CreditRequest } from "../../../billing/credit-notes.ts";
import { receiptIdOf } from "../../../billing/locked-receipt.ts";
import { receiptLines, type Receipt } from "../../../billing/queries.ts";
import {
  markPaid,
  moveCredit,
  REASON_LONGEST,
  REFERENCE_LONGEST,
  revertManual,
  voidReceipt,
} from "../../../billing/settle.ts";
import type { Actor } from "../../../db/database.ts";
import { UserError } from "../../../errors.ts";
import { orderRefund } from "../../../payments/refunds.ts";
import { currencyOf, parseMinor, type Currency } from "../../../rating/money.ts";
import {
  CreditPage,
  MarkPaidPage,
  MovePage,
  RefundPage,
  RevertPage,
  VoidPage,
  type ReceiptConfirmProps,
} from "../../pages/admin/receipt-confirm.tsx";
import type { AdminView } from "../../pages/admin/view.ts";
import type { MoneyOptions } from "../../pages/receipts/money-model.ts";
import { wantsJson } from "../../plugins/wants-json.ts";
import { renderPage, type App } from "../../route-kit.ts";
import { readerOf } from "../support/reader.ts";
import { moneyOf, optionsOf } from "../support/receipt-money.ts";
import { actorOf, adminView, idParam, parseId, text, type AdminContext } from "./context.ts";
import { findReceipt } from "../../../billing/queries.ts";

/** A receipt, by an id of an address. @throws {UserError} 404 */
export async function receiptOf({ db }: Pick<AdminContext, "db">, idText: string): Promise<Receipt> {
  const receipt = await findReceipt(db, parseId(idText));
  if (receipt === undefined) throw new UserError("there is no such receipt", { status: 404 });
  return receipt;
}

/** Amounts are in the receipt's own currency, whatever the site's is today. */
export function receiptView(context: AdminContext, request: FastifyRequest, receipt: Receipt): AdminView {
  return { ...adminView(request, context, "billing"), ...readerOf(request, receipt.currency) };
}

type Values = Readonly<Record<string, string>>;

/** A form that cannot be acted on: these of its fields are wrong. */
class WrongFields extends UserError {
  readonly fields: ReadonlySet<string>;

  constructor(fields: readonly string[], message: string) {
    super(message);
    this.fields = new Set(fields);
  }
}

interface Action {
  readonly name: string;
  readonly page: (props: ReceiptConfirmProps) => VNode;
  /** Whether there is something to ask. */
  readonly isOffered: (receipt: Receipt, options: MoneyOptions) => boolean;
  readonly act: (receipt: Receipt, values: Values, by: Actor) => Promise<unknown>;
}

export function receiptActionRoutes(app: App, context: AdminContext): void {
  const { db, billing, payments } = context;
  const config = { access: "admin" } as const;

  const actions: readonly Action[] = [
    {
      name: "paid",
      page: MarkPaidPage,
      isOffered: ({ status }) => status === "pending",
      act: ({ id, currency }, values, by) => {
        const reference = filledText(values, "reference", REFERENCE_LONGEST);
        const amount =
          (values["amount"] ?? "") === "" ? undefined : amountIn(values, "amount", knownCurrency(currency));
        return markPaid(billing, id, reference, by, amount);
      },
    },
    {
      name: "void",
      page: VoidPage,
      isOffered: (_receipt, { canVoid }) => canVoid,
      act: ({ id }, values, by) => voidReceipt(billing, id, filledText(values, "reason", REASON_LONGEST), by),
    },
    {
      name: "revert",
      page: RevertPage,
      isOffered: (_receipt, options) => options.revertible !== undefined,
      act: ({ id }, values, by) => revertManual(billing, id, filledText(values, "reason", REASON_LONGEST), by),
    },
    {
      name: "credit",
      page: CreditPage,
      isOffered: (_receipt, { creditable }) => creditable !== null,
      act: ({ id, currency }, values, by) => {
        const reason = filledText(values, "reason", REASON_LONGEST);
        return issueCreditNote(billing, id, creditRequest(values, knownCurrency(currency)), reason, by);
      },
    },
    {
      name: "refund",
      page: RefundPage,
      isOffered: (_receipt, { freeCreditMinor }) => freeCreditMinor > 0n,
      act: ({ id, currency }, values, by) => {
        const payment = values["payment"] ?? "manual";
        return orderRefund(
          payments,
          {
            receiptId: id,
            paymentId: payment === "manual" ? undefined : parseId(payment),
            amountMinor: amountIn(values, "amount", knownCurrency(currency)),
            text: filledText(values, "text", REFERENCE_LONGEST),
          },
          by,
        );
      },
    },
    {
      name: "move",
      page: MovePage,
      isOffered: (_receipt, { freeCreditMinor }) => freeCreditMinor > 0n,
      act: async ({ id }, values, by) => {
        const toId = await receiptIdOf(db, values["number"] ?? "");
        if (toId === undefined || toId === id)
          throw new WrongFields(["number"], "number: takes the number of another receipt, such as R-2026-000123");
        return moveCredit(billing, { fromId: id, toId }, by);
      },
    },
  ];
  for (const action of actions) addAction(action);

  function addAction({ name, page: Page, isOffered, act }: Action): void {
    const path = `/admin/receipts/:id/${name}`;

    app.get(path, { config, schema: { params: idParam } }, async (request, reply) => {
      const receipt = await receiptOf(context, request.params.id);
      const props = await propsOf(request, receipt);
      if (!isOffered(receipt, props.options)) return reply.redirect(`/admin/receipts/${receipt.id}`);
      return renderPage(reply, <Page {...props} />);
    });

    app.post(
      path,
      { config, schema: { params: idParam, body: z.record(z.string(), text(4_000)) } },
      async (request, reply): Promise<FastifyReply> => {
        const receipt = await receiptOf(context, request.params.id);
        try {
          await act(receipt, request.body, actorOf(request));
        } catch (error) {
          if (!(error instanceof UserError) || wantsJson(request)) throw error;
          // Read again: when somebody else was faster, there is nothing left to ask.
          const current = await receiptOf(context, request.params.id);
          const props = await propsOf(request, current);
          if (!isOffered(current, props.options)) throw error;
          const wrong = error instanceof WrongFields ? error.fields : new Set<string>();
          const problem = wrong.size === 0 ? error.message : undefined;
          return renderPage(
            reply.code(error.status),
            <Page {...props} values={request.body} wrong={wrong} problem={problem} />,
          );
        }
        return reply.redirect(`/admin/receipts/${receipt.id}?notice=${name}`, 303);
      },
    );
  }

  async function propsOf(request: FastifyRequest, receipt: Receipt): Promise<ReceiptConfirmProps> {
    const [lines, money] = await Promise.all([receiptLines(db, receipt.id), moneyOf(db, receipt)]);
    return {
      view: receiptView(context, request, receipt),
      receipt,
      currency: knownCurrency(receipt.currency),
      lines,
      options: await optionsOf(payments, receipt, money),
      values: {},
      wrong: new Set(),
      problem: undefined,
    };
  }
}

function knownCurrency(code: string): Currency {
  return currencyOf(code) ?? { code, minorDigits: 2 };
}

function filledText(values: Values, field: string, longest: number): string {
  const given = (values[field] ?? "").trim();
  if (given === "" || given.length > longest)
    throw new WrongFields([field], `${field}: takes 1 to ${longest} characters`);
  return given;
}

function amountIn(values: Values, field: string, currency: Currency): bigint {
  const amount = parseMinor(values[field] ?? "", currency);
  if (amount === undefined || amount === 0n) {
    throw new WrongFields(
      [field],
      `${field}: takes an amount above zero with at most ${currency.minorDigits} decimals, such as 1,234.50`,
    );
  }
  return amount;
}

function creditRequest(values: Values, currency: Currency): CreditRequest {
  const scope = values["scope"] ?? "full";
  switch (scope) {
    case "full":
      return { scope, releaseJobs: false };
    case "release":
      return { scope: "full", releaseJobs: true };
    case "corrections":
      return { scope };
    case "lines": {
      const given = Object.keys(values).filter((name) => /^line_\d{1,6}$/u.test(name) && (values[name] ?? "") !== "");
      return {
        scope,
        amounts: new Map(given.map((name) => [Number(name.slice(5)), amountIn(values, name, currency)])),
      };
    }
    default:
      throw new UserError("scope: takes full, release, lines or corrections");
  }
}
