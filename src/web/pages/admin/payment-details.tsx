/** One transfer, one statement, one event of a provider. */
import type { StoredBankLine, StoredStatement } from "../../../payments/bank-queries.ts";
import type { KeptDelivery } from "../../../payments/dead-letters.ts";
import type { RecordedEvent } from "../../../payments/events.ts";
import type { Translator } from "../../i18n/index.ts";
import { AdminShell } from "../layout.tsx";
import { Button, ConfirmBody, CsrfField, DataTable, Input, LinkButton, Panel, Pill, type Tone } from "../ui/index.ts";
import { Facts, Instant } from "./parts.tsx";
import { doubtText, PAYMENTS_HREF } from "./payments.tsx";
import { VERDICT_WORDS } from "./verdict-words.ts";
import type { AdminView } from "./view.ts";

interface ReasonProps {
  readonly view: AdminView;
  readonly value: string;
  readonly isWrong: boolean;
}

function Reason({ view: { t }, value, isWrong }: ReasonProps) {
  return (
    <Input
      id="reason"
      name="reason"
      label={t("paying.dismissReason")}
      hint={t("paying.dismissReasonHint")}
      value={value}
      maxLength={500}
      autocomplete="off"
      required
      {...(isWrong && { error: t("paying.dismissReasonWrong") })}
    />
  );
}

export interface BankLinePageProps {
  readonly view: AdminView;
  readonly line: StoredBankLine;
  readonly suggestions: readonly { readonly number: string; readonly userName: string }[];
  readonly values: Readonly<Record<string, string>>;
  readonly wrong: "number" | "reason" | undefined;
}

export function BankLinePage({ view, line, suggestions, values, wrong }: BankLinePageProps) {
  const { t, fmt, frame } = view;
  const amount = fmt.money(line.amountMinor);
  const path = `/admin/bank-lines/${line.id}`;
  return (
    <AdminShell frame={frame} title={t("paying.lineTitle")}>
      <div class="stack narrow">
        <Panel id="line">
          <Facts
            rows={[
              [t("paying.lineAmount"), amount],
              [t("paying.bookedOn"), fmt.dateLong(line.bookedOn)],
              [t("paying.from"), line.counterparty === "" ? "–" : line.counterparty],
              [t("paying.lineText"), line.text === "" ? "–" : line.text],
              [t("paying.bankReference"), line.bankReference === "" ? "–" : line.bankReference],
              [t("paying.why"), doubtText(t, line) || "–"],
            ]}
          />
        </Panel>
        {line.amountMinor <= 0n ? null : (
          <ConfirmBody
            t={t}
            csrfToken={frame.csrfToken}
            action={`${path}/match`}
            submit={t("paying.lineSubmit", { amount })}
            cancelHref={PAYMENTS_HREF}
            inputs={
              <Input
                id="number"
                name="number"
                label={t("paying.lineReceipt")}
                hint={t("paying.lineReceiptHint")}
                value={values["number"] ?? suggestions[0]?.number ?? ""}
                placeholder="R-2026-000123"
                maxLength={40}
                autocomplete="off"
                required
                {...(wrong === "number" && { error: t("paying.lineReceiptWrong") })}
              />
            }
          >
            <p>{waitingText(t, suggestions)}</p>
          </ConfirmBody>
        )}
        <Panel id="dismiss" title={t("paying.dismissTitle")}>
          <form method="post" action={`${path}/dismiss`} class="stack-form">
            <CsrfField token={frame.csrfToken} />
            <Reason view={view} value={values["reason"] ?? ""} isWrong={wrong === "reason"} />
            <div class="actions">
              <Button busyText={t("action.working")}>{t("paying.dismissSubmit")}</Button>
            </div>
          </form>
        </Panel>
      </div>
    </AdminShell>
  );
}

function waitingText(t: Translator, suggestions: BankLinePageProps["suggestions"]): string {
  if (suggestions.length === 0) return t("paying.waitForNone");
  return t("paying.waitFor", {
    receipts: suggestions.map(({ number, userName }) => `${number} (${userName})`).join(", "),
  });
}

const LINE_WORDS = {
  open: ["paying.lineState.open", "waiting"],
  matched: ["paying.lineState.matched", "good"],
  dismissed: ["paying.lineState.dismissed", "neutral"],
  outgoing: ["paying.lineState.outgoing", "neutral"],
} as const satisfies Record<StoredBankLine["status"], readonly [string, Tone]>;

export interface StatementPageProps {
  readonly view: AdminView;
  readonly statement: StoredStatement;
  readonly lines: readonly StoredBankLine[];
  readonly nextHref: string | null;
}

export function StatementPage({ view, statement, lines, nextHref }: StatementPageProps) {
  const { t, fmt, frame } = view;
  return (
    <AdminShell
      frame={frame}
      title={statement.fileName}
      subtitle={[statement.format.toUpperCase(), statement.account].filter((part) => part !== "").join(" · ")}
      actions={
        <LinkButton href={PAYMENTS_HREF} icon="back">
          {t("paying.back")}
        </LinkButton>
      }
    >
      {statement.rejects.length === 0 ? null : (
        <Panel id="rejects" title={t("paying.rejectsTitle")} body="flush">
          <DataTable<StoredStatement["rejects"][number]>
            caption={t("paying.rejectsTitle")}
            rows={statement.rejects}
            columns={[
              { key: "place", header: t("paying.place"), nowrap: true, cell: ({ place }) => place },
              { key: "reason", header: t("paying.reason"), phone: "bare", cell: ({ reason }) => reason },
            ]}
          />
        </Panel>
      )}
      <Panel id="lines" title={t("paying.linesRead")} body="flush">
        <DataTable<StoredBankLine>
          caption={t("paying.linesRead")}
          rows={lines}
          columns={[
            { key: "booked", header: t("paying.bookedOn"), nowrap: true, cell: ({ bookedOn }) => fmt.date(bookedOn) },
            { key: "text", header: t("paying.lineText"), phone: "bare", cell: ({ text }) => text },
            {
              key: "status",
              header: t("paying.status"),
              nowrap: true,
              phone: "bare",
              cell: ({ status }) => <Pill tone={LINE_WORDS[status][1]}>{t(LINE_WORDS[status][0])}</Pill>,
            },
            {
              key: "more",
              header: "",
              label: t("paying.look"),
              phone: "bare",
              cell: ({ id, status, receiptId }) => {
                if (status === "open") return <a href={`/admin/bank-lines/${id}`}>{t("paying.match")}</a>;
                return receiptId === null ? null : <a href={`/admin/receipts/${receiptId}`}>{t("paying.receipt")}</a>;
              },
            },
            {
              key: "amount",
              header: t("paying.amount"),
              align: "end",
              nowrap: true,
              cell: ({ amountMinor }) => fmt.money(amountMinor),
            },
          ]}
        />
        {nextHref === null ? null : (
          <div class="actions">
            <LinkButton size="small" href={nextHref} rel="next">
              {t("paying.more")}
            </LinkButton>
          </div>
        )}
      </Panel>
    </AdminShell>
  );
}

const EVENT_WORDS = {
  waiting: ["paying.state.waiting", "waiting"],
  done: ["paying.state.done", "good"],
  dead: ["paying.state.dead", "bad"],
  dismissed: ["paying.state.dismissed", "neutral"],
} as const satisfies Record<KeptDelivery["status"], readonly [string, Tone]>;

export interface EventPageProps {
  readonly view: AdminView;
  readonly delivery: KeptDelivery;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly events: readonly RecordedEvent[];
  readonly reason: string;
  readonly isReasonWrong: boolean;
}

export function EventPage({ view, delivery, body, headers, events, reason, isReasonWrong }: EventPageProps) {
  const { t, fmt, frame } = view;
  const path = `/admin/payment-events/${delivery.id}`;
  const canReplay = delivery.status !== "waiting";
  return (
    <AdminShell
      frame={frame}
      title={t("paying.eventTitle", { id: Number(delivery.id), provider: delivery.provider })}
      badge={<Pill tone={EVENT_WORDS[delivery.status][1]}>{t(EVENT_WORDS[delivery.status][0])}</Pill>}
      actions={
        <LinkButton href={PAYMENTS_HREF} icon="back">
          {t("paying.back")}
        </LinkButton>
      }
    >
      <Panel id="event">
        <Facts
          rows={[
            [t("paying.received"), <Instant view={view} at={delivery.receivedAt} />],
            [t("paying.attempts"), fmt.integer(delivery.attempts)],
            ...(delivery.nextAttemptAt === null
              ? []
              : [[t("paying.next"), <Instant view={view} at={delivery.nextAttemptAt} />] as const]),
            [t("paying.reason"), delivery.reason === "" ? "–" : delivery.reason],
          ]}
        />
        {canReplay ? (
          <form method="post" action={`${path}/replay`} class="actions">
            <CsrfField token={frame.csrfToken} />
            <Button kind={delivery.status === "dead" ? "primary" : "secondary"} busyText={t("action.working")}>
              {t("paying.replay")}
            </Button>
          </form>
        ) : null}
      </Panel>
      <Panel id="verdicts" title={t("paying.verdicts")} body="flush">
        <DataTable<RecordedEvent>
          caption={t("paying.verdicts")}
          rows={events}
          columns={[
            {
              key: "at",
              header: t("paying.received"),
              nowrap: true,
              cell: ({ receivedAt }) => <Instant view={view} at={receivedAt} />,
            },
            {
              key: "verdict",
              header: t("billing.verdict"),
              cell: ({ verdict }) => <Pill tone={VERDICT_WORDS[verdict][1]}>{t(VERDICT_WORDS[verdict][0])}</Pill>,
            },
            { key: "reason", header: t("paying.reason"), phone: "bare", cell: ({ reason: why }) => why },
          ]}
        />
      </Panel>
      <Panel id="body" title={t("paying.body")}>
        <pre tabIndex={0}>{body}</pre>
        <p class="small second">{t("paying.headers")}</p>
        <pre tabIndex={0}>
          {Object.entries(headers)
            .map(([name, value]) => `${name}: ${value}`)
            .join("\n")}
        </pre>
      </Panel>
      {delivery.status === "dead" ? (
        <Panel id="dismiss" title={t("paying.dismissSubmit")}>
          <form method="post" action={`${path}/dismiss`} class="stack-form narrow">
            <CsrfField token={frame.csrfToken} />
            <Reason view={view} value={reason} isWrong={isReasonWrong} />
            <div class="actions">
              <Button busyText={t("action.working")}>{t("paying.dismissSubmit")}</Button>
            </div>
          </form>
        </Panel>
      ) : null}
    </AdminShell>
  );
}
