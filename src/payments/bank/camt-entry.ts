import { plainAmount, signedAmount, withDirection, type CamtAmount } from "./camt-amount.ts";
import { calendarDay, joinedText, quoted, type BankLine, type StatementReject } from "./statement.ts";
import { elementsAt, textAt, type XmlElement } from "./xml-tree.ts";

/** What a booked entry moves on the account, and the lines it is made of. */
export interface CamtEntry {
  readonly amount: CamtAmount;
  readonly lines: readonly BankLine[];
  readonly rejects: readonly StatementReject[];
}

/** `BOOK`, `PDNG`, `INFO`, `FUTR`: the text itself up to version 7 of the message, a code below it from version 8. */
export function entryStatus(entry: XmlElement): string {
  return textAt(entry, "Sts", "Cd") || textAt(entry, "Sts");
}

/**
 * A booked entry (`Ntry`) as lines: one for each transaction of a batch when their amounts add up to the entry's, else
 * one for the entry as a whole.
 * @throws UserError naming `place`, when the amount is not what the message's schema allows.
 */
export function readEntry(entry: XmlElement, { account, place }: { account: string; place: string }): CamtEntry {
  const amount = signedAmount(entry, place);
  const bookedOn = entryDay(entry);
  if (bookedOn === undefined) {
    const said = textAt(entry, "BookgDt", "Dt") || textAt(entry, "BookgDt", "DtTm");
    return { amount, lines: [], rejects: [{ place, reason: `the booking date ${quoted(said)} is no calendar day` }] };
  }
  const parts = partsOf(entry, amount, place);
  const lines = parts.map(({ details, minor }, index): BankLine => {
    return {
      bookedOn,
      amountMinor: minor,
      currency: amount.currency,
      account,
      text: joinedText([...details.flatMap(saidOf), textAt(entry, "AddtlNtryInf")]),
      bankReference:
        details.map((detail) => textAt(detail, "Refs", "AcctSvcrRef")).find((reference) => reference !== "") ??
        textAt(entry, "AcctSvcrRef"),
      counterparty: joinedText(details.map((detail) => counterpartyOf(detail, minor))),
      place: parts.length === 1 ? place : `transaction ${index + 1} of ${place}`,
      isReversal: ["true", "1"].includes(textAt(entry, "RvslInd")),
    };
  });
  // The schema allows entries of zero (information on fees); they move nothing.
  return { amount, lines: lines.filter(({ amountMinor }) => amountMinor !== 0n), rejects: [] };
}

function entryDay(entry: XmlElement): string | undefined {
  for (const date of ["BookgDt", "ValDt"]) {
    const said = textAt(entry, date, "Dt") || textAt(entry, date, "DtTm");
    const match = /^(\d{4})-(\d{2})-(\d{2})(?:$|[TZ+-])/u.exec(said);
    if (match !== null) return calendarDay(Number(match[1]), Number(match[2]), Number(match[3]));
    if (said !== "") return undefined;
  }
  return undefined;
}

interface EntryPart {
  readonly details: readonly XmlElement[];
  readonly minor: bigint;
}

function partsOf(entry: XmlElement, amount: CamtAmount, place: string): EntryPart[] {
  const details = elementsAt(entry, "NtryDtls", "TxDtls");
  const whole = [{ details, minor: amount.minor }];
  if (details.length < 2) return whole;
  const parts: EntryPart[] = [];
  for (const [index, detail] of details.entries()) {
    const own = detailAmount(detail, entry, `transaction ${index + 1} of ${place}`);
    if (own?.currency !== amount.currency) return whole;
    parts.push({ details: [detail], minor: own.minor });
  }
  return parts.reduce((sum, { minor }) => sum + minor, 0n) === amount.minor ? parts : whole;
}

/** `Amt` from version 3 of the message on, `AmtDtls/TxAmt` before; both may be left out. */
function detailAmount(detail: XmlElement, entry: XmlElement, place: string): CamtAmount | undefined {
  const own = elementsAt(detail, "Amt").at(0) ?? elementsAt(detail, "AmtDtls", "TxAmt", "Amt").at(0);
  if (own === undefined) return undefined;
  return withDirection(plainAmount(own, place), textAt(detail, "CdtDbtInd") || textAt(entry, "CdtDbtInd"), place);
}

/** The texts in which a payer's reference may stand. The bank's own ids are left out: they are not the payer's words. */
const SAID: readonly (readonly string[])[] = [
  ["RmtInf", "Ustrd"],
  ["RmtInf", "Strd", "CdtrRefInf", "Ref"],
  ["RmtInf", "Strd", "RfrdDocInf", "Nb"],
  ["RmtInf", "Strd", "AddtlRmtInf"],
  ["Refs", "EndToEndId"],
  ["Refs", "ChqNb"],
  ["RltdPties", "Dbtr", "Nm"],
  ["RltdPties", "Dbtr", "Pty", "Nm"],
  ["RltdPties", "UltmtDbtr", "Nm"],
  ["RltdPties", "UltmtDbtr", "Pty", "Nm"],
  ["RltdPties", "Cdtr", "Nm"],
  ["RltdPties", "Cdtr", "Pty", "Nm"],
  ["AddtlTxInf"],
];

function saidOf(detail: XmlElement): string[] {
  return SAID.flatMap((path) => elementsAt(detail, ...path).map(({ text }) => text)).filter(
    (text) => text !== "NOTPROVIDED",
  );
}

function counterpartyOf(detail: XmlElement, minor: bigint): string {
  const roles = minor > 0n ? ["Dbtr", "UltmtDbtr"] : ["Cdtr", "UltmtCdtr"];
  const names = roles.map(
    (role) => textAt(detail, "RltdPties", role, "Nm") || textAt(detail, "RltdPties", role, "Pty", "Nm"),
  );
  return names.find((name) => name !== "") ?? "";
}
