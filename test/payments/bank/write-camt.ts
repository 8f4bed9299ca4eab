import { written, type Booking } from "./arbitrary-lines.ts";

export interface CamtStyle {
  readonly version: "02" | "08" | "13";
  /** With its colon, or empty. */
  readonly prefix: string;
  /** All bookings as transactions of one batch entry, or an entry each. */
  readonly batch: boolean;
  readonly pretty: boolean;
}

/** Writes bookings as a camt.053 message of one statement, with its opening and closing balance. */
export function writeCamt(bookings: readonly Booking[], style: CamtStyle): string {
  const total = bookings.reduce((sum, { minor }) => sum + minor, 0n);
  const entries = style.batch
    ? [entry(total, bookings, style)]
    : bookings.map((booking) => entry(booking.minor, [booking], style));
  const stmt = [
    el("Id", "S1"),
    el("Acct", el("Id", el("Othr", el("Id", "123-4-56789-0")))),
    balance("OPBD", 5_000n),
    balance("CLBD", 5_000n + total),
    ...entries,
  ];
  const xml = el("BkToCstmrStmt", el("GrpHdr", el("MsgId", "M1")) + el("Stmt", stmt.join(style.pretty ? "\n  " : "")));
  const colon = style.prefix === "" ? "" : `:${style.prefix.slice(0, -1)}`;
  const namespace = `urn:iso:std:iso:20022:tech:xsd:camt.053.001.${style.version}`;
  const body = xml.replace(/<(\/?)(?=\w)/gu, `<$1${style.prefix}`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${style.prefix}Document xmlns${colon}="${namespace}">${body}</${style.prefix}Document>`;
}

function entry(minor: bigint, bookings: readonly Booking[], style: CamtStyle): string {
  const [first] = bookings;
  const status = style.version === "02" ? "BOOK" : el("Cd", "BOOK");
  const day = el("Dt", first?.day ?? "");
  const details = bookings.map((booking) => transaction(booking, style)).join("");
  return el("Ntry", `${signed(minor)}${el("Sts", status)}${el("BookgDt", day)}${el("NtryDtls", details)}`);
}

function transaction({ minor, text, name, reference }: Booking, { version }: CamtStyle): string {
  const party = version === "02" ? el("Nm", escaped(name)) : el("Pty", el("Nm", escaped(name)));
  const role = minor > 0n ? "Dbtr" : "Cdtr";
  const amount =
    version === "02" ? el("CdtDbtInd", indicator(minor)) + el("AmtDtls", el("TxAmt", amountOf(minor))) : signed(minor);
  return el(
    "TxDtls",
    `${el("Refs", el("AcctSvcrRef", reference))}${amount}${el("RltdPties", el(role, party))}${el("RmtInf", el("Ustrd", escaped(text)))}`,
  );
}

function balance(code: string, minor: bigint): string {
  return el("Bal", el("Tp", el("CdOrPrtry", el("Cd", code))) + signed(minor));
}

function signed(minor: bigint): string {
  return amountOf(minor) + el("CdtDbtInd", indicator(minor));
}

function amountOf(minor: bigint): string {
  return `<Amt Ccy="THB">${written(minor < 0n ? -minor : minor)}</Amt>`;
}

function indicator(minor: bigint): string {
  return minor < 0n ? "DBIT" : "CRDT";
}

function el(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
