/** The bodies of the gallery's pages. */
import type { Formatter } from "../../src/web/format.ts";
import type { Translator } from "../../src/web/i18n/index.ts";
import * as ui from "../../src/web/pages/ui/index.ts";
import { accounts, jobs, ninetyDays, october, type AccountRow, type JobRow } from "./ui-gallery-data.ts";

export interface View {
  readonly t: Translator;
  readonly fmt: Formatter;
  readonly csrfToken: string;
  /** Page words of the gallery itself, which is no page of the product. */
  readonly words: (en: string, th: string) => string;
}
export interface Viewed {
  readonly view: View;
}

const tabs = ({ words }: View, current: number) => (
  <ui.Tabs
    label={words("Views", "มุมมอง")}
    items={[
      words("Overview", "ภาพรวม"),
      words("Jobs", "งานทั้งหมด"),
      words("Billed", "ออกใบเสร็จแล้ว"),
      words("Trend", "แนวโน้ม"),
    ].map((label, index) => ({ label, href: `/me?view=${index}`, current: index === current }))}
  />
);
const csv = ({ words }: View, size: "normal" | "small") => (
  <ui.LinkButton href="/me.csv" icon="download" size={size} download>
    {words("Download CSV", "ดาวน์โหลด CSV")}
  </ui.LinkButton>
);

export const UsagePage = {
  head: (view: View) => ({
    subtitle: (
      <>
        {view.fmt.dateRange("2026-10-01", "2026-10-31")} · {view.words("price tier", "ระดับราคา")} <strong>MU</strong> ·{" "}
        {view.words("cluster data", "ข้อมูลคลัสเตอร์ล่าสุด")} {view.fmt.age(125)}
      </>
    ),
    actions: (
      <ui.DateRangePicker
        t={view.t}
        current="thisMonth"
        hrefs={{ thisMonth: "/me", lastMonth: "/me?last", days90: "/me?90" }}
        custom={{
          action: "/me",
          from: { name: "start", value: "2026-10-01" },
          to: { name: "before", value: "2026-10-31" },
          keep: { view: "aggregate" },
        }}
      />
    ),
    tabs: tabs(view, 0),
  }),
  Body: ({ view }: Viewed) => {
    const { t, fmt, words } = view;
    return (
      <>
        <ui.AnswerPanel
          answer={
            <>
              <ui.KeyFigure
                label={words("Not yet billed", "ยังไม่ออกใบเสร็จ")}
                value={fmt.moneyParts(1_248_327n)}
                note={words("214 finished jobs", "จาก 214 งานที่เสร็จสิ้นแล้ว")}
              />
              <form class="row-form" method="post" action="/me/receipt">
                <ui.CsrfField token={view.csrfToken} />
                <ui.DateField
                  t={t}
                  id="before"
                  name="before"
                  label={words("up to", "ถึงวันที่")}
                  labelLook="beside"
                  value="2026-10-31"
                  required
                />
                <ui.Button kind="primary" busyText={t("action.working")}>
                  {words("Create receipt", "สร้างใบเสร็จ")}
                </ui.Button>
              </form>
            </>
          }
        >
          <ui.FigureGrid
            figures={[
              {
                label: words("Cost this month", "ค่าใช้จ่ายเดือนนี้"),
                value: fmt.money(1_890_411n),
                note: fmt.percentChange(112n, 100n),
              },
              {
                label: words("CPU core-hours", "ชั่วโมง CPU"),
                value: fmt.hours(12_285_000n),
                note: fmt.percentChange(96n, 100n),
                href: "/me?view=detail",
              },
              {
                label: words("GPU-hours", "ชั่วโมง GPU"),
                value: fmt.hours(463_500n),
                note: fmt.percentChange(131n, 100n),
              },
              { label: words("Jobs", "งาน"), value: fmt.integer(261), note: words("7 failed", "ล้มเหลว 7") },
            ]}
          />
          <ui.TrustLine
            t={t}
            items={[
              {
                ok: true,
                text: words(
                  "Reconciled with Slurm through 30 Oct: no difference",
                  "กระทบยอดกับ Slurm ถึง 30 ต.ค. ไม่พบส่วนต่าง",
                ),
                href: "/reconcile",
              },
            ]}
          />
        </ui.AnswerPanel>
        <ui.StackedColumns t={t} fmt={fmt} id="cost" title={words("Cost per day", "ค่าใช้จ่ายรายวัน")} days={october} />
        <ui.Panel id="accounts" title={words("By account", "ตามบัญชีโครงการ")} actions={csv(view, "small")} body="flush">
          <ui.DataTable<AccountRow>
            caption={words("By account", "ตามบัญชีโครงการ")}
            rows={accounts}
            columns={[
              { key: "account", header: words("Account", "บัญชี"), cell: (row) => row.account },
              { key: "jobs", header: words("Jobs", "งาน"), align: "end", cell: (row) => fmt.integer(row.jobs) },
              {
                key: "cpu",
                header: words("CPU core-h", "ชั่วโมง CPU"),
                align: "end",
                cell: (row) => fmt.hours(row.cpuSeconds),
              },
              {
                key: "gpu",
                header: words("GPU-h", "ชั่วโมง GPU"),
                align: "end",
                cell: (row) => fmt.hours(row.gpuSeconds),
              },
              {
                key: "memory",
                header: words("Memory GiB-h", "หน่วยความจำ GiB-ชม."),
                align: "end",
                cell: (row) => fmt.gibHours(row.memMibSeconds),
              },
              {
                key: "amount",
                header: words("Amount", "จำนวนเงิน"),
                align: "end",
                cell: (row) => fmt.money(row.amountMinor),
              },
            ]}
            foot={[
              {
                cells: {
                  account: words("Total", "รวม"),
                  jobs: "261",
                  cpu: "3,412.50",
                  gpu: "128.75",
                  memory: "21,203.00",
                  amount: fmt.money(1_890_411n),
                },
              },
            ]}
          />
        </ui.Panel>
      </>
    );
  },
};

export const JobsPage = {
  head: (view: View) => ({
    subtitle: `${view.fmt.dateRange("2026-10-01", "2026-10-31")} · ${view.words("261 jobs", "261 งาน")} · ${view.fmt.money(1_890_411n)}`,
    actions: (
      <>
        <ui.FilterForm t={view.t} action="/me" keep={{ view: "detail" }}>
          <ui.Input
            id="q"
            name="q"
            type="search"
            width="search"
            label={view.words("Search", "ค้นหา")}
            labelLook="hidden"
            placeholder={view.words("Job id, name or account", "หมายเลขงาน ชื่อ หรือบัญชี")}
          />
          <ui.Select
            id="state"
            name="state"
            label={view.words("State", "สถานะ")}
            labelLook="hidden"
            value=""
            options={[
              { value: "", label: view.words("All states", "ทุกสถานะ") },
              { value: "COMPLETED", label: ui.jobStateText("COMPLETED", view.t) },
            ]}
          />
        </ui.FilterForm>
        {csv(view, "normal")}
      </>
    ),
    tabs: tabs(view, 1),
  }),
  Body: ({ view }: Viewed) => {
    const { t, fmt, words } = view;
    const billing = (row: JobRow) => {
      if (row.billing === "open") return <span class="second">{words("Not billed", "ยังไม่ออกใบเสร็จ")}</span>;
      if (row.billing === "free")
        return <span class="second">{words("Free: the node failed", "ไม่คิดเงิน: เครื่องขัดข้อง")}</span>;
      if (row.billing === "running") return <span class="second">{words("Billed when it ends", "คิดเงินเมื่องานจบ")}</span>;
      return <a href={`/me/receipts/${row.billing}`}>{row.billing}</a>;
    };
    return (
      <>
        <ui.Panel body="flush">
          <ui.DataTable<JobRow>
            caption={words("Jobs", "งานทั้งหมด")}
            rows={jobs}
            columns={[
              { key: "job", header: words("Job", "งาน"), cell: (row) => <ui.TwoLines main={row.id} note={row.of} /> },
              {
                key: "ended",
                header: words("Ended", "สิ้นสุด"),
                nowrap: true,
                cell: (row) =>
                  row.ended === null ? (
                    <span class="second">{words("running 6 h", "ทำงานมา 6 ชม.")}</span>
                  ) : (
                    fmt.dateTimeShort(row.ended)
                  ),
              },
              {
                key: "state",
                header: words("State", "สถานะ"),
                cell: (row) => <ui.JobStatePill state={row.state} t={t} />,
                phone: "bare",
              },
              { key: "allocated", header: words("Allocated", "ทรัพยากร"), align: "end", cell: (row) => row.allocated },
              {
                key: "elapsed",
                header: words("Elapsed", "เวลา"),
                align: "end",
                cell: (row) => fmt.duration(row.elapsedSeconds),
              },
              {
                key: "amount",
                header: words("Amount", "จำนวนเงิน"),
                align: "end",
                phone: "keep",
                cell: (row) => fmt.money(row.amountMinor),
              },
              {
                key: "billing",
                header: "",
                label: words("Billing", "การเรียกเก็บ"),
                align: "end",
                phone: "bare",
                cell: billing,
              },
            ]}
            detail={(row) =>
              row.id === "918273" ? (
                <ui.WhyPanel
                  t={t}
                  amount="฿357.92"
                  terms={words(
                    "Tier MU, rates in force since 1 Oct 2026 · allocated basis",
                    "ระดับ MU อัตราที่ใช้ตั้งแต่ 1 ต.ค. 2569 · คิดตามที่จอง",
                  )}
                  lines={[
                    {
                      resource: "CPU",
                      counted: "16 cores × 12,015 s",
                      quantity: "53.4000 core-h",
                      rate: "฿1.250000",
                      amount: "฿66.75",
                    },
                    {
                      resource: "GPU a100",
                      counted: "2 × 12,015 s",
                      quantity: "6.6750 GPU-h",
                      rate: "฿42.500000",
                      amount: "฿283.69",
                    },
                    {
                      resource: "Memory",
                      counted: "64 GiB × 12,015 s",
                      quantity: "213.6000 GiB-h",
                      rate: "฿0.035000",
                      amount: "฿7.48",
                    },
                  ]}
                />
              ) : null
            }
          />
        </ui.Panel>
        <ui.Pagination t={t} shown={5} total={261} newerHref="/me?newer" olderHref="/me?older" />
      </>
    );
  },
};

export function TrendPage({ view: { t, fmt, words } }: Viewed) {
  const days = october.map(({ day, cpu, gpu, memory }, index) => {
    const before = october[(index * 11 + 5) % 31];
    const september = `2026-09-${String(index + 1).padStart(2, "0")}`;
    return {
      day,
      value: cpu + gpu + memory,
      before:
        index < 30 && before !== undefined
          ? { day: september, value: before.cpu + before.gpu + before.memory }
          : undefined,
    };
  });
  return (
    <>
      <ui.ComparisonColumns t={t} fmt={fmt} id="trend" title={words("Cost per day", "ค่าใช้จ่ายรายวัน")} days={days} />
      <ui.StackedColumns
        t={t}
        fmt={fmt}
        id="none"
        title={words("A week without jobs", "สัปดาห์ที่ไม่มีงาน")}
        days={october.slice(0, 7).map(({ day }) => ({ day, cpu: 0n, gpu: 0n, memory: 0n }))}
      />
    </>
  );
}

export const ReceiptPage = {
  head: ({ t, fmt, words }: View) => ({
    title: words("Receipt R-2026-000431", "ใบเสร็จ R-2026-000431"),
    badge: <ui.ReceiptPill state="pending" t={t} />,
    subtitle: words(
      "214 jobs that ended up to 31 October 2026 · issued 1 November 2026, 09:12",
      "214 งานที่จบถึง 31 ตุลาคม 2569 · ออกเมื่อ 1 พฤศจิกายน 2569, 09:12",
    ),
    actions: (
      <>
        <ui.LinkButton href="/r.pdf" icon="file">
          PDF
        </ui.LinkButton>
        <ui.LinkButton href="/r.th.pdf">PDF ไทย</ui.LinkButton>
        <ui.LinkButton href="/pay" kind="primary">{`${words("Pay", "ชำระ")} ${fmt.money(1_335_710n)}`}</ui.LinkButton>
      </>
    ),
  }),
  Body: ({ view: { t, fmt, words } }: Viewed) => (
    <ui.Columns
      main={
        <section class="panel">
          <ui.Terms
            terms={[
              { term: words("Billed to", "ออกให้"), value: "Somchai Jaidee", note: "Faculty of Science, mu-climate" },
              {
                term: words("Price tier", "ระดับราคา"),
                value: "MU, own university",
                note: <span class="small second">rates as of 1 October 2026, kept with this receipt</span>,
              },
            ]}
          />
          <ui.DataTable
            caption={words("Lines of the receipt", "รายการในใบเสร็จ")}
            rows={
              [
                ["CPU", "2,804.7500 core-h", "฿1.250000", 350_594n],
                ["GPU a100", "96.5000 GPU-h", "฿42.500000", 410_125n],
                ["GPU h100", "32.2500 GPU-h", "฿140.000000", 451_500n],
                ["Memory", "10,316.5714 GiB-h", "฿0.035000", 36_108n],
              ] as const
            }
            columns={[
              { key: "resource", header: words("Resource", "ทรัพยากร"), cell: ([resource]) => resource },
              { key: "quantity", header: words("Quantity", "ปริมาณ"), align: "end", cell: ([, quantity]) => quantity },
              { key: "rate", header: words("Rate", "อัตรา"), align: "end", cell: ([, , rate]) => rate },
              {
                key: "amount",
                header: words("Amount", "จำนวนเงิน"),
                align: "end",
                cell: ([, , , amount]) => fmt.money(amount),
              },
            ]}
            foot={[
              { cells: { resource: words("Subtotal", "รวมก่อนภาษี"), amount: fmt.money(1_248_327n) } },
              { look: "plain", cells: { resource: words("VAT 7 %", "ภาษีมูลค่าเพิ่ม 7 %"), amount: fmt.money(87_383n) } },
              { look: "total", cells: { resource: words("Total", "รวมทั้งสิ้น"), amount: fmt.money(1_335_710n) } },
            ]}
          />
          <div class="panel-foot">
            <ui.Disclosure summary={words("Show the 214 jobs", "แสดงทั้ง 214 งาน")}>
              <p>…</p>
            </ui.Disclosure>
          </div>
        </section>
      }
      aside={
        <ui.Panel title={words("What happened", "ความเป็นมา")} id="story">
          <div data-poll-url="/status" data-poll-status="pending" />
          <ui.Timeline
            t={t}
            steps={[
              { state: "done", title: words("Issued", "ออกใบเสร็จ"), note: "1 Nov 09:12 by you" },
              { state: "done", title: words("Checkout opened", "เปิดหน้าชำระเงิน"), note: "1 Nov 09:14, PromptPay" },
              {
                state: "current",
                title: words("Waiting for the bank", "รอธนาคาร"),
                note: "Usually under a minute. You can close this page.",
              },
            ]}
          />
        </ui.Panel>
      }
    />
  ),
};

export function AdminPage({ view: { t, fmt, words } }: Viewed) {
  return (
    <>
      <ui.TrustLine
        t={t}
        look="panel"
        items={[
          { ok: true, subject: "Slurm", text: "testbed by REST, 2 min ago", href: "/admin?section=sources" },
          { ok: true, subject: "Reconciled", text: "through 30 Oct, 0 differences", href: "/reconcile" },
          { ok: true, subject: "Audit", text: "48,212 records verified", href: "/admin?section=audit" },
          { ok: false, subject: "Backup", text: "none since 28 Oct", href: "/backup" },
        ]}
      />
      <ui.AnswerPanel
        answer={
          <>
            <ui.KeyFigure
              label={words("Not yet billed", "ยังไม่ออกใบเสร็จ")}
              value={fmt.moneyParts(48_120_944n)}
              note="6,120 jobs of 143 people"
            />
            <div class="actions">
              <ui.LinkButton kind="primary" href="/admin/bill">
                {words("Bill October", "ออกใบเสร็จเดือนตุลาคม")}
              </ui.LinkButton>
            </div>
          </>
        }
      >
        <ui.FigureGrid
          figures={[
            {
              label: "Receivable",
              value: fmt.money(21_288_010n),
              note: "31 receipts, 4 overdue",
              href: "/admin?section=billing",
            },
            { label: "Paid this month", value: fmt.money(39_811_460n), note: "58 receipts" },
            { label: "Jobs this month", value: fmt.integer(24_918), note: "+8 % on September" },
            { label: "Failed or lost", value: fmt.percent(31n, 1000n), note: "412 GPU-h wasted" },
          ]}
        />
      </ui.AnswerPanel>
      <ui.StackedColumns
        t={t}
        fmt={fmt}
        id="cost"
        title={words("Cost per day, 90 days", "ค่าใช้จ่ายรายวัน 90 วัน")}
        days={ninetyDays}
      />
      <ui.Columns
        layout="wide"
        main={
          <ui.Panel id="top" title={words("Top users", "ผู้ใช้มากที่สุด")} body="flush">
            <ui.BarList
              items={(
                [
                  ["somchai", "mu-climate", 9_620_418n],
                  ["alice", "mu-genome", 7_188_002n],
                  ["dan", "gov-health", 5_011_355n],
                  ["erin", "co-acme", 4_190_700n],
                ] as const
              ).map(([name, note, size]) => ({
                label: <a href={`/admin?section=usage&user=${name}`}>{name}</a>,
                note,
                size,
                value: fmt.money(size),
              }))}
            />
          </ui.Panel>
        }
        aside={
          <ui.Panel id="tiers" title={words("Cost by tier", "ค่าใช้จ่ายตามระดับราคา")} body="flush">
            <ui.BarList
              items={[
                { label: "MU", size: 28_812_031n, value: fmt.money(28_812_031n) },
                { label: "Government", size: 11_290_113n, value: fmt.money(11_290_113n) },
                { label: "Private", size: 8_018_800n, value: fmt.money(8_018_800n) },
              ]}
            />
          </ui.Panel>
        }
      />
    </>
  );
}
