import { encodeQR } from "qr";
import type { DocumentQr, PaymentDocument } from "../../../src/documents/pdf/payment-document.ts";

export const PAYLOAD = "00020101021230570016A00000067701011201150994000158378000203R26630499AB";

export function qrOf(payload: string): DocumentQr {
  const bordered = encodeQR(payload, "raw", { ecc: "medium", border: 1 });
  const modules = bordered.slice(1, -1).map((row) => row.slice(1, -1));
  const dark = modules.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return { size: modules.length, d: dark.join(""), description: "PromptPay QR code, ฿13,357.10" };
}

export const ENGLISH: PaymentDocument = {
  lang: "en",
  site: "HPC Billing, Mahidol University",
  number: "R-2026-000431",
  title: "Receipt R-2026-000431",
  subtitle: "214 jobs that ended up to 31 October 2026 · issued 1 November 2026, 09:12",
  state: { word: "Waiting for payment", look: "waiting" },
  issuedOn: "2026-11-01",
  facts: [
    { label: "Billed to", value: "Somchai Jaidee", note: "mu-climate" },
    { label: "Price tier", value: "MU, own university", note: "rates as of 1 October 2026" },
  ],
  tables: [
    {
      columns: [
        { header: "Resource", align: "start" },
        { header: "Quantity", align: "end" },
        { header: "Rate", align: "end" },
        { header: "Amount", align: "end" },
      ],
      rows: [
        ["CPU", "2,804.7500 core-h", "฿1.250000", "฿3,505.94"],
        ["GPU a100", "96.5000 GPU-h", "฿42.500000", "฿4,101.25"],
      ],
    },
  ],
  sums: [
    { label: "Subtotal", value: "฿7,607.19", look: "strong" },
    { label: "VAT 7 %", value: "฿532.50", look: "plain" },
    { label: "Total", value: "฿8,139.69", look: "total" },
  ],
  payment: {
    title: "How to pay",
    lines: ["Scan with a banking app."],
    reference: { label: "Reference", value: "R2026000431" },
    qr: qrOf(PAYLOAD),
  },
  notes: ["Each job is rounded once."],
  footer: "Mahidol University, tax ID 0994000158378",
};

export const THAI: PaymentDocument = {
  ...ENGLISH,
  lang: "th",
  site: "ระบบคิดค่าบริการ มหาวิทยาลัยมหิดล",
  title: "ใบแจ้งยอด R-2026-000431",
  subtitle: "214 งานที่สิ้นสุดภายใน 31 ตุลาคม 2569",
  state: { word: "รอชำระเงิน", look: "waiting" },
  facts: [
    { label: "เรียกเก็บจาก", value: "กตัญญู ใจดี", note: "น้ำใต้ดิน ป่าชายเลน ฟื้นฟู" },
    { label: "ระดับราคา", value: "มหาวิทยาลัยของเรา", note: "อัตรา ณ วันที่ 1 ตุลาคม 2569" },
  ],
  sums: [{ label: "รวมทั้งสิ้น", value: "฿8,139.69", look: "total" }],
  notes: ["ปริมาณ × อัตรา อาจต่างจากยอดนี้อยู่เล็กน้อย เพราะปัดเศษครั้งเดียวต่องาน"],
};

/** The sample with these rows in one column. */
export function withRows(rows: readonly string[]): PaymentDocument {
  return {
    ...ENGLISH,
    tables: [{ columns: [{ header: "Job name", align: "start" }], rows: rows.map((row) => [row]) }],
  };
}
