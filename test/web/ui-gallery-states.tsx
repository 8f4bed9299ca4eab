/** Pages of the gallery that are made of states, fields and questions. */
import * as ui from "../../src/web/pages/ui/index.ts";
import type { Viewed } from "./ui-gallery-pages.tsx";

export function StatesPage({ view: { t, fmt } }: Viewed) {
  const states = ["COMPLETED", "TIMEOUT", "NODE_FAIL", "RUNNING", "OUT_OF_MEMORY", "CANCELLED", "SOMETHING_NEW", ""];
  return (
    <>
      <ui.Notice
        kind="info"
        t={t}
        title="Rates changed today."
        action={
          <ui.LinkButton href="/rates" size="small">
            See the rates
          </ui.LinkButton>
        }
      >
        Unbilled jobs are being priced again: 1,204 of 6,120 so far.
      </ui.Notice>
      <ui.Notice kind="good" t={t} title="Receipt R-2026-000431 was created." />
      <ui.Notice kind="warning" t={t} title="Cluster data is 3 hours old.">
        The scheduler has not answered since 19:14. What is shown is complete up to then.
      </ui.Notice>
      <ui.Notice kind="error" t={t} title="The payment did not go through.">
        Nothing was charged. You can <a href="/retry">try again</a>.
      </ui.Notice>
      <ui.TrustLine
        t={t}
        items={[
          { ok: true, text: "Fresh" },
          { ok: false, subject: "Not reconciled", text: "since 28 Oct: 3 jobs differ", href: "/reconcile" },
        ]}
      />
      <ui.Panel title="Pills" id="pills">
        <div class="actions">
          {states.map((state) => (
            <ui.JobStatePill state={state} t={t} />
          ))}
          {(["pending", "paid", "void"] as const).map((state) => (
            <ui.ReceiptPill state={state} t={t} />
          ))}
        </div>
      </ui.Panel>
      <ui.Panel title="Fields and buttons" id="fields">
        <form class="stack-form" method="post" action="/x">
          <ui.Input
            id="a"
            name="a"
            label="CPU"
            unit="฿ per core-hour"
            numeric
            width="short"
            inputMode="decimal"
            value="1.250000"
            hint="Six places at most."
          />
          <ui.Input
            id="b"
            name="b"
            label="Memory"
            unit="฿ per GiB-hour"
            numeric
            width="short"
            value="-1"
            error="A rate cannot be negative."
          />
          <ui.DateField t={t} id="c" name="c" label="From" value="2026-11-01" hint="Jobs that end from this day on." />
          <ui.Select
            id="d"
            name="d"
            label="Tier"
            value="gov"
            options={[
              { value: "mu", label: "MU" },
              { value: "gov", label: "Government" },
            ]}
          />
          <div class="actions">
            <ui.Button kind="primary">Save rates</ui.Button>
            <ui.Button icon="refresh">Sync now</ui.Button>
            <ui.Button kind="danger">Void receipt</ui.Button>
            <ui.Button disabled>Not now</ui.Button>
            <ui.CopyButton text="sbatch" t={t} />
          </div>
        </form>
      </ui.Panel>
      <ui.Panel title="Long work" id="work">
        <ui.Progress label={`Pricing ${fmt.integer(1204)} of ${fmt.integer(6120)} jobs`} done={1204} total={6120} />
      </ui.Panel>
      <ui.Panel>
        <ui.EmptyState
          title="No jobs ended in these days"
          action={<ui.LinkButton href="/me?last">Go to September</ui.LinkButton>}
        >
          Your last job ended on 28 September 2026.
        </ui.EmptyState>
      </ui.Panel>
      <ui.Pagination t={t} shown={5} total={5} olderHref="/older" />
    </>
  );
}

export function ConfirmPage({ view: { t, csrfToken } }: Viewed) {
  return (
    <ui.ConfirmBody
      t={t}
      csrfToken={csrfToken}
      action="/admin/invoices/create_month"
      submit="Bill 6,120 jobs of 143 people"
      cancelHref="/admin"
      fields={{ month: "2026-10" }}
    >
      <p>
        143 receipts over <strong>฿481,209.44</strong> are created, one for each person, for jobs that ended up to 31
        October 2026.
      </p>
      <p>A receipt can be voided later, but its number stays used.</p>
    </ui.ConfirmBody>
  );
}

export function LoginPage({ view: { csrfToken, words } }: Viewed) {
  return (
    <section class="panel panel-padded">
      <form class="stack-form" method="post" action="/login">
        <ui.CsrfField token={csrfToken} />
        <ui.Input id="username" name="username" label={words("User name", "ชื่อผู้ใช้")} autocomplete="username" required />
        <ui.Input
          id="password"
          name="password"
          type="password"
          label={words("Password", "รหัสผ่าน")}
          autocomplete="current-password"
          required
        />
        <div class="actions">
          <ui.Button kind="primary">{words("Sign in", "เข้าสู่ระบบ")}</ui.Button>
        </div>
      </form>
    </section>
  );
}
