import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { readCamt053 } from "../../../src/payments/bank/camt053.ts";
import { readStatement } from "../../../src/payments/bank/read-statement.ts";
import { VERSION_2, VERSION_8 } from "./camt-samples.ts";
import { THB, utf8 } from "./thb.ts";

function edited(...edits: readonly (readonly [from: string, to: string])[]): string {
  return edits.reduce((xml, [from, to]) => {
    expect(xml).toContain(from);
    return xml.replaceAll(from, to);
  }, VERSION_2);
}

describe("a statement of version 2 without a prefix", () => {
  const { lines, ...rest } = readCamt053(VERSION_2);

  test("gives its account, and counts what is not booked yet", () => {
    expect(rest).toEqual({ format: "camt.053", account: "1234567890", rejects: [], pendingEntries: 1 });
  });

  test("gives one line per booked entry, and one per transaction of a batch that adds up", () => {
    const common = { bookedOn: "2026-11-17", currency: "THB", account: "1234567890", isReversal: false };
    expect(lines).toEqual([
      { ...common, amountMinor: 123_450n, bankReference: "FT26321A1", counterparty: "Faculty of Science", text: "HPC fees R2026/000123 October & November Faculty of Science", place: "entry 1 of statement STM-20261117" },
      { ...common, amountMinor: 50_000n, bankReference: "FT26321B7-1", counterparty: "Somchai J.", text: "R2026000124 Somchai J.", place: "transaction 1 of entry 2 of statement STM-20261117" },
      { ...common, amountMinor: 100_000n, bankReference: "FT26321B7", counterparty: "", text: "RF18R2026000125 R2026000125", place: "transaction 2 of entry 2 of statement STM-20261117" },
      { ...common, amountMinor: -30_000n, bankReference: "", counterparty: "", text: "CHEQUE RETURNED", place: "entry 3 of statement STM-20261117", isReversal: true },
    ]); // prettier-ignore
  });

  test("keeps a batch in one line when its transactions do not add up", () => {
    const batch = readCamt053(edited(['<Amt Ccy="THB">500.00</Amt>', '<Amt Ccy="THB">400.00</Amt>'])).lines.at(1);
    expect(batch).toMatchObject({ amountMinor: 150_000n, counterparty: "Somchai J.", place: "entry 2 of statement STM-20261117" }); // prettier-ignore
    expect(batch?.text).toBe("R2026000124 Somchai J. RF18R2026000125 R2026000125");
  });

  test("keeps a batch in one line when a transaction does not say its amount", () => {
    const xml = edited(['<AmtDtls><TxAmt><Amt Ccy="THB">500.00</Amt></TxAmt></AmtDtls>', ""]);
    expect(readCamt053(xml).lines.map(({ amountMinor }) => amountMinor)).toEqual([123_450n, 150_000n, -30_000n]);
  });
});

test("a message of version 8 with a prefix gives the lines of all its statements, each with its account", () => {
  expect(readCamt053(VERSION_8)).toEqual({
    format: "camt.053",
    account: "DE89370400440532013000, DE02120300000000202051",
    rejects: [],
    pendingEntries: 1,
    lines: [
      { bookedOn: "2026-11-16", amountMinor: 10_005n, currency: "EUR", account: "DE89370400440532013000", bankReference: "", counterparty: "Universität Zürich", text: "R-2026-000200 <fees> Universität Zürich", place: "entry 1 of statement 1", isReversal: false },
      { bookedOn: "2026-11-17", amountMinor: -700n, currency: "EUR", account: "DE02120300000000202051", bankReference: "", counterparty: "Own bank", text: "Own bank Account fee", place: "entry 1 of statement 2", isReversal: false },
    ],
  }); // prettier-ignore
});

test.each(["02", "04", "06", "08", "10", "13"])("version %s is read", (version) => {
  expect(readCamt053(edited(["camt.053.001.02", `camt.053.001.${version}`])).lines).toHaveLength(4);
});

test("an entry whose date is no day is a reject, and not lost", () => {
  const { lines, rejects } = readCamt053(edited(["2026-11-17T16:20:00+07:00", "2026-02-30T16:20:00"]));
  expect(lines).toHaveLength(3);
  expect(rejects).toEqual([{ place: "entry 3 of statement STM-20261117", reason: 'the booking date "2026-02-30T16:20:00" is no calendar day' }]); // prettier-ignore
});

test.each([
  ["closing balance that the entries do not reach", ["3434.5", "3434.51"], "they end at 343450, it says 343451 (minor units of THB)"],
  ["amount with too many decimals", [">1234.50<", ">1234.505<"], 'The amount in entry 1 of statement STM-20261117 is "1234.505"; accepted are digits with at most 2 decimals'],
  ["amount with a comma", [">1234.50<", ">1234,50<"], '"1234,50"'],
  ["negative amount", [">1234.50<", ">-1234.50<"], '"-1234.50"'],
  ["amount in no currency", ['Ccy="THB">1234.50', 'Ccy="XQX">1234.50'], 'the currency "XQX"'],
  ["balance in another currency", ['Ccy="THB">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt>', 'Ccy="USD">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt>'], "are in different currencies"],
  ["direction that is none", ["<CdtDbtInd>DBIT</CdtDbtInd>", "<CdtDbtInd>DEBIT</CdtDbtInd>"], 'CdtDbtInd in entry 3 of statement STM-20261117 is "DEBIT"; accepted are CRDT and DBIT'],
  ["missing status", ["<Sts>PDNG</Sts>", ""], "There is no status (Sts) in entry 4"],
  ["missing amount", ['<Amt Ccy="THB">300.00</Amt>', ""], "There is no amount (Amt) in entry 3"],
  ["version to come", ["camt.053.001.02", "camt.053.001.14"], 'camt.053.001.14". Accepted is camt.053.001.02 to camt.053.001.13'],
  ["notification", ["BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn"], "The file is a camt.054 notification"],
  ["report within the day", ["BkToCstmrStmt", "BkToCstmrAcctRpt"], "The file is a camt.052 report"],
  ["other XML", ["BkToCstmrStmt", "CstmrCdtTrfInitn"], 'XML with the root element "Document", not a bank statement'],
  ["document type", ["<Document ", '<!DOCTYPE Document SYSTEM "file:///etc/passwd"><Document '], "The XML has a DOCTYPE (line 2)"],
  ["entity bomb", ["<Document ", '<!DOCTYPE Document [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Document '], "The XML has a DOCTYPE"],
  ["entity of its own", ["October &amp; November", "&xxe;"], "undefined entity"],
  ["unclosed element", ["</BkToCstmrStmt>", ""], "or it is cut off (line 52: unexpected close tag)"],
] as const)("refused: %s", (_, edit, message) => {
  expect(() => readCamt053(edited(edit))).toThrow(UserError);
  expect(() => readCamt053(edited(edit))).toThrow(message);
}); // prettier-ignore

test("a message without a statement is refused", () => {
  const xml = edited(["<Stmt>", "<Report>"], ["</Stmt>", "</Report>"]);
  expect(() => readCamt053(xml)).toThrow("The message holds no statement (Stmt).");
});

test("XML nested absurdly deep is refused", () => {
  expect(() => readCamt053("<a>".repeat(100_000))).toThrow("nests more than 50 levels");
});

test.each([
  ["version 2", VERSION_2],
  ["version 8", VERSION_8],
])("a file of %s cut at any byte is refused, unless only blanks are missing", (_, xml) => {
  const bytes = utf8(xml);
  for (let end = 0; end < utf8(xml.trimEnd()).length; end += 1)
    expect(() => readStatement(bytes.subarray(0, end), { currency: THB })).toThrow(UserError);
});
