/** What a column holds. Every column without a role is text. */
export type ColumnRole =
  | "date"
  | "valueDate"
  | "amount"
  | "credit"
  | "debit"
  | "direction"
  | "balance"
  | "reference"
  | "counterparty"
  | "currency"
  | "account"
  | "unused"
  | "text";

/** Column names of bank exports in English and Thai, without blanks and punctuation. */
const NAMES: readonly (readonly [ColumnRole, readonly string[]])[] = [
  ["date", ["date", "datetime", "transactiondate", "transactiondatetime", "transdate", "trandate", "txndate", "bookingdate", "bookdate", "bookedon", "postingdate", "posteddate", "postdate", "entrydate", "วันที่", "วันที่ทำรายการ", "วันเวลาที่ทำรายการ", "วันที่รายการ", "วันที่บันทึกรายการ", "วันที่บันทึกบัญชี", "วันเดือนปี"]],
  ["valueDate", ["valuedate", "effectivedate", "effdate", "วันที่มีผล", "วันที่เงินเข้า"]],
  ["amount", ["amount", "transactionamount", "จำนวนเงิน", "จำนวน", "ยอดเงิน"]],
  ["credit", ["credit", "credits", "creditamount", "cr", "deposit", "deposits", "depositamount", "moneyin", "paidin", "received", "ฝาก", "ฝากเงิน", "ฝากเข้า", "เงินฝาก", "เงินเข้า", "รายการฝาก", "จำนวนเงินฝาก", "จำนวนเงินเข้า", "เครดิต"]],
  ["debit", ["debit", "debits", "debitamount", "dr", "withdrawal", "withdrawals", "withdraw", "withdrawalamount", "moneyout", "paidout", "ถอน", "ถอนเงิน", "ถอนออก", "เงินถอน", "เงินออก", "รายการถอน", "จำนวนเงินถอน", "จำนวนเงินออก", "หักบัญชี", "เดบิต"]],
  ["direction", ["debitcredit", "creditdebit", "drcr", "crdr", "dc", "cd", "debitcreditindicator", "creditdebitindicator"]],
  ["balance", ["balance", "runningbalance", "outstandingbalance", "ledgerbalance", "accountbalance", "bookbalance", "balanceafter", "คงเหลือ", "ยอดคงเหลือ", "ยอดเงินคงเหลือ", "จำนวนเงินคงเหลือ"]],
  ["reference", ["reference", "referenceno", "referencenumber", "ref", "refno", "bankreference", "bankref", "transactionid", "transactionno", "transactionreference", "เลขที่อ้างอิง", "เลขอ้างอิง", "หมายเลขอ้างอิง", "เลขที่รายการ"]],
  ["counterparty", ["counterparty", "payer", "payername", "payee", "sender", "sendername", "from", "name", "ชื่อผู้โอน", "ผู้โอน", "ผู้โอนเงิน", "ชื่อผู้ชำระ", "ผู้ชำระเงิน", "ชื่อผู้ชำระเงิน", "จาก"]],
  ["currency", ["currency", "ccy", "สกุลเงิน"]],
  ["account", ["account", "accountno", "accountnumber", "iban", "เลขที่บัญชี", "หมายเลขบัญชี", "บัญชี"]],
  // They differ from one export to the next, or say nothing of the payment.
  ["unused", ["no", "seq", "sequence", "sequenceno", "ลำดับ", "ลำดับที่", "ที่", "time", "เวลา", "availablebalance", "ยอดเงินที่ใช้ได้"]],
  ["text", ["description", "descriptions", "details", "detail", "transaction", "transactiontype", "particulars", "narrative", "remark", "remarks", "memo", "note", "purpose", "channel", "branch", "code", "type", "chequeno", "chqno", "ref1", "ref2", "รายการ", "รายละเอียด", "คำอธิบาย", "หมายเหตุ", "บันทึกช่วยจำ", "ช่องทาง", "สาขา", "ประเภทรายการ"]],
]; // prettier-ignore

const ROLE_BY_NAME: ReadonlyMap<string, ColumnRole> = new Map(
  NAMES.flatMap(([role, names]) => names.map((name): [string, ColumnRole] => [keyOf(name), role])),
);

/** Role of a column by its header, in one language or both (`ถอนเงิน / Withdrawal (THB)`); undefined when unknown. */
export function roleOf(header: string): ColumnRole | undefined {
  if (header.trim() === "#") return "unused";
  const whole = ROLE_BY_NAME.get(keyOf(header));
  if (whole !== undefined) return whole;
  const roles = new Set(header.split(/[/()[\]|\n]/u).flatMap((part) => ROLE_BY_NAME.get(keyOf(part)) ?? []));
  // One column for both directions: what it holds says which, not its name.
  if (roles.has("credit") && roles.has("debit")) return "direction";
  return roles.values().next().value;
}

function keyOf(name: string): string {
  const key = name.normalize("NFKC").toLowerCase().replace(/[^\p{L}\p{M}\p{N}]/gu, ""); // prettier-ignore
  return key.replace(/(?!^)(?:thb|baht|บาท)$/u, "");
}
