import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { readCsv } from "../../../src/payments/bank/csv.ts";
import { EUROPEAN, KBANK_LIKE, KRUNGTHAI_LIKE, SCB_LIKE } from "./csv-samples.ts";
import { EUR, THB } from "./thb.ts";

function read(text: string) {
  return readCsv(text, { currency: THB });
}

/** Day, amount and place of each line: what most tests are about. */
function brief(text: string) {
  return read(text).lines.map(({ bookedOn, amountMinor }) => [bookedOn, amountMinor]);
}

test("an export in the manner of KBank is read: Thai names, Buddhist years, text above, a balance brought forward", () => {
  const common = { currency: "THB", account: "0123456789", bankReference: "", counterparty: "", isReversal: false };
  expect(read(KBANK_LIKE)).toEqual({
    format: "csv",
    account: "0123456789",
    rejects: [],
    pendingEntries: 0,
    lines: [
      { ...common, bookedOn: "2026-11-17", amountMinor: 123_450n, text: "รับโอนเงิน K PLUS จาก SCB X4321 นาย สมชาย ใจดี++ r2026 000123", place: "line 8" },
      { ...common, bookedOn: "2026-11-17", amountMinor: 250_025n, text: "รับโอนเงินผ่าน QR EDC/K SHOP/MYQR Ref X9X R2026000124, จาก KTB", place: "line 9" },
      { ...common, bookedOn: "2026-11-18", amountMinor: -48_400n, text: "หักบัญชี หักบัญชีอัตโนมัติ ค่าธรรมเนียม", place: "line 10" },
    ],
  }); // prettier-ignore
});

test("an export in the manner of SCB is read: newest first, withdrawals in brackets, lines ended as on Windows", () => {
  const { account, lines, rejects } = read(SCB_LIKE);
  expect(account).toBe("1112223334");
  expect(rejects).toEqual([]);
  expect(lines.map(({ bookedOn, amountMinor, text, place }) => [bookedOn, amountMinor, text, place])).toEqual([
    ["2026-11-19", 50_000n, "X1 ENET กสิกรไทย (KBANK) /X685027 R2026/000125", "line 5"],
    ["2026-11-18", -40_000n, "C2 BCMS 00012345 CHEQUE", "line 6"],
    ["2026-11-17", 50_000n, "X1 ENET PromptPay x1234 MISS A", "line 7"],
  ]);
});

test("an export in the manner of Krungthai is read: tabs, names in two languages, debit and credit by a mark", () => {
  const { account, lines } = read(KRUNGTHAI_LIKE);
  expect(account).toBe("9810123456");
  expect(lines.map(({ bookedOn, amountMinor, bankReference, text }) => [bookedOn, amountMinor, bankReference, text])).toEqual([
    ["2026-11-17", 100_000n, "KTB0001", "เงินโอน (IORSDT) KTB0001 0981"],
    ["2026-11-17", 100_000n, "KTB0001", "เงินโอน (IORSDT) KTB0001 0981"],
    ["2026-11-18", -1_500n, "KTB0003", "ค่าธรรมเนียม KTB0003 0981"],
  ]); // prettier-ignore
});

test("a European export is read: semicolons, decimal commas, its own currency, a field over two lines", () => {
  const lines = [
    { bookedOn: "2026-11-16", amountMinor: 123_450n, currency: "EUR", account: "", bankReference: "", counterparty: "Universität Zürich", text: "Universität Zürich R-2026-000200; fees October", place: "line 2", isReversal: false },
    { bookedOn: "2026-11-17", amountMinor: -700n, currency: "EUR", account: "", bankReference: "", counterparty: "Own bank", text: "Own bank Fee", place: "line 4", isReversal: false },
  ]; // prettier-ignore
  expect(read(EUROPEAN.slice(1)).lines).toEqual(lines);
});

describe("dates", () => {
  const dated = (...dates: readonly string[]): string =>
    `Date,Amount\n${dates.map((date) => `${date},1.00\n`).join("")}`;
  const days = (...dates: readonly string[]) => read(dated(...dates)).lines.map(({ bookedOn }) => bookedOn);

  test.each([
    ["17/11/2026", "2026-11-17"],
    ["17-11-2026 14:05", "2026-11-17"],
    ["7.1.2026", "2026-01-07"],
    ["2026-11-17T14:05:00", "2026-11-17"],
    ["2026/11/17", "2026-11-17"],
    ["17/11/2569", "2026-11-17"],
    ["2569-11-17", "2026-11-17"],
    ["17/11/26", "2026-11-17"],
    ["17/11/69", "2026-11-17"],
    ["29/02/2567", "2024-02-29"],
  ])("%s is %s", (cell, day) => {
    expect(days(cell)).toEqual([day]);
  });

  test("put the month first when another row of the file shows it", () => {
    expect(days("11/02/2026", "11/17/2026")).toEqual(["2026-11-02", "2026-11-17"]);
  });

  test("put the day first when nothing shows it", () => {
    expect(days("11/02/2026", "12/03/2026")).toEqual(["2026-02-11", "2026-03-12"]);
  });

  test.each(["31/02/2026", "17/13/2026 x", "yesterday", "17/11/1026", ""])(
    "that are none make a reject: %s",
    (cell) => {
      const { lines, rejects } = read(dated("17/11/2026", cell));
      expect(lines).toHaveLength(1);
      expect(rejects).toEqual([{ place: "line 3", reason: `the date "${cell}" is none (day first in this file); accepted are DD/MM/YYYY, DD-MM-YYYY, YYYY-MM-DD and DD/MM/YY, in years of either calendar` }]); // prettier-ignore
    },
  );
});

describe("amounts", () => {
  const amounts = (...cells: readonly string[]) =>
    read(`Date;Amount\n${cells.map((cell) => `17/11/2026;${cell}\n`).join("")}`).lines.map(
      ({ amountMinor }) => amountMinor,
    );

  test.each([
    ["1,234.50", 123_450n],
    ["1234.5", 123_450n],
    ["1,234,567.00", 123_456_700n],
    ["(100.00)", -10_000n],
    ["-100", -10_000n],
    ["100.00-", -10_000n],
    ["\u2212100.00", -10_000n],
    ["+100.00", 10_000n],
    ["฿100.00", 10_000n],
    ["-฿ 100.00", -10_000n],
    ["100.00 THB", 10_000n],
    ["1,000.00 บาท", 100_000n],
    ["1,234", 123_400n],
    ["1.234,50", 123_450n],
    ["1.234", 123_400n],
    ["1.234.567", 123_456_700n],
    ["1 234,50", 123_450n],
    ["1'234.50", 123_450n],
    ["0,05", 5n],
    [".50", 50n],
  ])("%s is %s satang", (cell, minor) => {
    expect(amounts(cell)).toEqual([minor]);
  });

  test("are read with the decimal mark that most of the file shows", () => {
    expect(amounts("1.234", "1.234,50", "2,00")).toEqual([123_400n, 123_450n, 200n]);
    expect(amounts("1,234", "1,234.50", "2.00")).toEqual([123_400n, 123_450n, 200n]);
  });

  test("of a currency without decimals have none", () => {
    const { lines } = readCsv("Date,Amount\n17/11/2026,1234\n", { currency: { code: "JPY", minorDigits: 0 } });
    expect(lines.at(0)?.amountMinor).toBe(1234n);
  });

  test.each(["12.345.67", "1.00 USD", "--1.00", "(-1.00)", "one", "1,23.00", "1.005", "1".repeat(30), "0x10", "1e3"])(
    "that are none make a reject, and no guess: %s",
    (cell) => {
      const { lines, rejects } = read(`Date;Amount\n17/11/2026;2.50\n17/11/2026;7.25\n17/11/2026;${cell}\n`);
      expect(lines).toHaveLength(2);
      expect(rejects).toEqual([{ place: "line 4", reason: expect.stringContaining("is no amount of THB") }]);
    },
  );
});

describe("a running balance", () => {
  const rows = ["17/11/2026,100.00,1100.00", "18/11/2026,-50.00,1050.00", "19/11/2026,25.00,1075.00"];
  const file = (...some: readonly (string | undefined)[]): string => `Date,Amount,Balance\n${some.map((row) => `${row}\n`).join("")}`; // prettier-ignore

  test("may run either way", () => {
    expect(brief(file(...rows))).toEqual(brief(file(...rows.toReversed())).toReversed());
  });

  test("that breaks off names the row and both amounts", () => {
    expect(() => read(file(rows[0], rows[2]))).toThrow(UserError);
    expect(() => read(file(rows[0], rows[2]))).toThrow(
      "The balance of line 3 is 1075.00 THB, but the balance before it and the amount give 1125.00.",
    );
  });

  test("is not followed across a row that could not be read, but is after it", () => {
    const unread = "18/11/2026,fifty,1050.00";
    expect(read(file(rows[0], unread, rows[2])).rejects).toHaveLength(1);
    expect(() => read(file(rows[0], unread, rows[2], "20/11/2026,1.00,1077.00"))).toThrow("The balance of line 5");
  });

  test("may be left out of some rows", () => {
    expect(read(file(rows[0], "18/11/2026,-50.00,", rows[2])).lines).toHaveLength(3);
    expect(() => read(file(rows[0], "18/11/2026,-51.00,", rows[2]))).toThrow("The balance of line 4");
  });

  test("is followed for each account of the file by itself", () => {
    const { account, lines } = read(
      "Date,Account No,Amount,Balance\n17/11/2026,111-1,1.00,11.00\n17/11/2026,222-2,5.00,55.00\n18/11/2026,111-1,2.00,13.00\n",
    );
    expect(account).toBe("1111, 2222");
    expect(lines.map(({ account: own }) => own)).toEqual(["1111", "2222", "1111"]);
  });

  test("may end at its first or last row when its rows add up in either order", () => {
    const table = "Date,Amount,Balance\n17/11/2026,4.00,10.00\n17/11/2026,-4.00,6.00\n";
    for (const closing of ["10.00", "6.00"]) expect(read(`Closing balance,${closing}\n${table}`).lines).toHaveLength(2);
    expect(() => read(`Closing balance,14.00\n${table}`)).toThrow("closing balance is 14.00");
  });

  test("must end at the closing balance that the file states above or below its rows", () => {
    for (const text of [
      `Closing balance,1075.00\n${file(...rows)}`,
      `${file(...rows)}Total,-25.00,\nEnding Balance:,1075.00,\n`,
    ]) {
      expect(read(text).lines).toHaveLength(3);
      expect(() => read(text.replace(`${rows[2]}\n`, ""))).toThrow("the file says that its closing balance is 1075.00");
    }
  });
});

test.each([
  ["has both a deposit and a withdrawal", "17/11/2026,1.00,2.00,a", "it has both a deposit and a withdrawal"],
  ["moves nothing", "17/11/2026,,0.00,a", "it moves no money: all its amounts are empty"],
  ["is a note", "Printed by the bank,,,", "it moves no money: all its amounts are empty"],
  ["has more columns than the header", "17/11/2026,1,234.00,,a,b", "it has 6 columns and the header 4: is a delimiter unquoted?"],
])("a row that %s is a reject with its line", (_, row, reason) => {
  const { lines, rejects } = read(`Date,Withdrawal,Deposit,Details\n17/11/2026,,5.00,fine\n${row}\n`);
  expect(lines).toHaveLength(1);
  expect(rejects).toEqual([{ place: "line 3", reason }]);
}); // prettier-ignore

test("a currency or direction that is none is a reject", () => {
  const { lines, rejects } = read("Date,Amount,Currency,DR/CR\n17/11/2026,1.00,USD,CR\n17/11/2026,1.00,XQX,CR\n17/11/2026,1.00,,?\n");
  expect(lines.map(({ currency }) => currency)).toEqual(["USD"]);
  expect(rejects).toEqual([
    { place: "line 3", reason: 'the currency "XQX" is no code of ISO 4217' },
    { place: "line 4", reason: '"?" is neither credit nor debit; accepted are CR, DR and their like' },
  ]);
}); // prettier-ignore

test("a header repeated on every page is no row", () => {
  expect(read("Date,Amount\n17/11/2026,1.00\nDate,Amount\n18/11/2026,2.00\n")).toMatchObject({ lines: { length: 2 }, rejects: [] }); // prettier-ignore
});

test("cells that a spreadsheet protects lose their protection", () => {
  expect(readCsv('Date,Amount,Reference\n17/11/2026,1.00,="00123"\n18/11/2026,1.00,\'00124\n', { currency: EUR }).lines.map(({ bankReference }) => bankReference)).toEqual(["00123", "00124"]); // prettier-ignore
});

test("one unsigned column for withdrawals and deposits is refused, as no row says which it is", () => {
  expect(() => read("วันที่,รายการ,ถอนเงิน / ฝากเงิน,ยอดคงเหลือ\n17/11/2569,โอน,100.00,1100.00\n")).toThrow(
    "The file has no row of column names",
  );
});

test.each([
  ["no column names", "17/11/2026,1.00\n", "no row of column names within its first 100 rows. Accepted is a header with a date column"],
  ["column names and nothing below", "x\nDate,Amount\n\n", "There are no rows below the column names (line 2)"],
  ["a column twice", "Date,Amount,Amount (THB)\n17/11/2026,1,1\n", 'columns for one thing: "Amount" and "Amount (THB)"'],
  ["a quoted field that does not end", 'Date,Amount,Note\n17/11/2026,1.00,"R2026', "cannot be split into fields, or it is cut off: Quote Not Closed"],
])("a file with %s is refused", (_, text, message) => {
  expect(() => read(text)).toThrow(UserError);
  expect(() => read(text)).toThrow(message);
}); // prettier-ignore
