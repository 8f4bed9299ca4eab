import { UserError } from "../../errors.ts";
import { signedAmount } from "./camt-amount.ts";
import { entryStatus, readEntry, type CamtEntry } from "./camt-entry.ts";
import { accountId, quoted, type BankStatement } from "./statement.ts";
import { elementsAt, firstNamed, parseXml, textAt, type XmlElement } from "./xml-tree.ts";

const ACCEPTED = "camt.053.001.02 to camt.053.001.13 (bank to customer statement)";

/**
 * Reads an ISO 20022 bank-to-customer statement, camt.053.001.02 to .13, with any prefix and any number of statements.
 * Only booked entries become lines. Where a statement gives its opening and closing balance, its booked entries must
 * lead from the one to the other.
 *
 * camt.054 is refused: its entries come again in the statement, with other references, and would count twice.
 * @throws UserError naming the element, for anything but such a message, whole and consistent.
 */
export function readCamt053(xml: string): BankStatement {
  const root = parseXml(xml);
  const message = firstNamed(root, "BkToCstmrStmt");
  if (message === undefined) throw new UserError(`${otherMessage(root)} Accepted is ${ACCEPTED}.`);
  const version = /^urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(\d\d)$/u.exec(message.namespace)?.[1];
  if (version === undefined || version < "02" || version > "13")
    throw new UserError(`The statement is in the namespace ${quoted(message.namespace)}. Accepted is ${ACCEPTED}.`);
  const statements = elementsAt(message, "Stmt");
  if (statements.length === 0) throw new UserError("The message holds no statement (Stmt).");
  const read = statements.map(readOne);
  return {
    format: "camt.053",
    account: [...new Set(read.map(({ account }) => account))].join(", "),
    lines: read.flatMap(({ entries }) => entries.flatMap(({ lines }) => lines)),
    rejects: read.flatMap(({ entries }) => entries.flatMap(({ rejects }) => rejects)),
    pendingEntries: read.reduce((sum, { pending }) => sum + pending, 0),
  };
}

function otherMessage(root: XmlElement): string {
  if (firstNamed(root, "BkToCstmrDbtCdtNtfctn") !== undefined)
    return "The file is a camt.054 notification, whose entries come again in the statement of the day.";
  if (firstNamed(root, "BkToCstmrAcctRpt") !== undefined)
    return "The file is a camt.052 report within the day, whose entries are not final.";
  return `The file is XML with the root element ${quoted(root.name)}, not a bank statement.`;
}

interface OneStatement {
  readonly account: string;
  readonly entries: readonly CamtEntry[];
  readonly pending: number;
}

function readOne(statement: XmlElement, index: number): OneStatement {
  const id = textAt(statement, "Id");
  const name = `statement ${id === "" ? index + 1 : id}`;
  const account = accountId(textAt(statement, "Acct", "Id", "IBAN") || textAt(statement, "Acct", "Id", "Othr", "Id"));
  const all = elementsAt(statement, "Ntry").map((entry, at) => ({ entry, place: `entry ${at + 1} of ${name}` }));
  for (const { entry, place } of all)
    if (entryStatus(entry) === "") throw new UserError(`There is no status (Sts) in ${place}.`);
  const booked = all.filter(({ entry }) => entryStatus(entry) === "BOOK");
  const entries = booked.map(({ entry, place }) => readEntry(entry, { account, place }));
  checkBalances(statement, entries, name);
  return { account, entries, pending: all.length - booked.length };
}

/** A file that was cut or edited must not pass for a whole one. */
function checkBalances(statement: XmlElement, entries: readonly CamtEntry[], name: string): void {
  // A bank that gives the previous closing balance (PRCD) means the opening one.
  const opening = balanceOf(statement, ["OPBD", "PRCD"], name);
  const closing = balanceOf(statement, ["CLBD"], name);
  if (opening === undefined || closing === undefined) return;
  const foreign = entries.find(({ amount }) => amount.currency !== closing.currency);
  if (opening.currency !== closing.currency || foreign !== undefined)
    throw new UserError(`The balances and entries of ${name} are in different currencies.`);
  const reached = entries.reduce((sum, { amount }) => sum + amount.minor, opening.minor);
  if (reached !== closing.minor)
    throw new UserError(
      `The entries of ${name} do not lead from its opening balance (OPBD) to its closing balance (CLBD): they end at ${reached}, it says ${closing.minor} (minor units of ${closing.currency}). The file is incomplete or was changed.`,
    );
}

function balanceOf(statement: XmlElement, codes: readonly string[], name: string) {
  const balances = elementsAt(statement, "Bal");
  for (const code of codes) {
    const balance = balances.find((candidate) => textAt(candidate, "Tp", "CdOrPrtry", "Cd") === code);
    if (balance !== undefined) return signedAmount(balance, `the balance ${code} of ${name}`);
  }
  return undefined;
}
