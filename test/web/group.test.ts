/** Who coordinates an account sees what its group used, and nothing beside it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatter } from "../../src/web/format.ts";
import { storeAccounts } from "../../src/usage/accounts/store.ts";
import { issueReceipt } from "../../src/billing/issue.ts";
import { usageTotals } from "../../src/usage/queries/summary.ts";
import { anAccount, aSnapshot } from "../support/accounts.ts";
import { aJob } from "../support/context.ts";
import { importUniversity } from "./group-data.ts";
import { csvRows, minorSum } from "./me-csv.ts";
import { startMeSite, textOf, type MeSite } from "./me-site.ts";
import type { Browser } from "./server-harness.ts";

const OCTOBER = "start=2026-10-01&before=2026-10-31";
const fmt = formatter({ lang: "en", timeZone: "Asia/Bangkok", currency: "THB" });

let site: MeSite;
let pi: Browser;
let dean: Browser;
let prof: Browser;
let erin: Browser;
let alice: Browser;
beforeAll(async () => {
  site = await startMeSite();
  await importUniversity(site);
  [pi, dean, prof, erin, alice] = [
    await site.browserOf("pi"),
    await site.browserOf("dean"),
    await site.browserOf("prof"),
    await site.browserOf("erin"),
    await site.browserOf("alice"),
  ];
});
afterAll(() => site.close());

/** The content of a page: what stands around it names the reader and the site. */
const mainOf = (html: string): string => textOf(html.slice(html.indexOf("<main"), html.indexOf("</main>")));

const group = async (browser: Browser, query = OCTOBER) => {
  const answer = await browser.get(`/me?view=group&${query}`);
  expect(answer.statusCode).toBe(200);
  return answer.body;
};

const file = async (browser: Browser, query = "start=2026-10-01&end=2026-10-31") => {
  const answer = await browser.get(`/me/group.csv?${query}`);
  expect(answer.statusCode).toBe(200);
  return csvRows(answer.body);
};

const whoAndWhere = (rows: Awaited<ReturnType<typeof file>>) =>
  rows.map(({ cluster, account, user, jobs }) => `${cluster}/${account}/${user}: ${jobs}`);

describe("the file of a group", () => {
  it("has each member on each account that the reader coordinates, and on those below", async () => {
    expect(whoAndWhere(await file(prof))).toEqual([
      "test/optics/bob: 1",
      "test/physics/alice: 2",
      "test/science/carol: 1",
    ]);
    expect(whoAndWhere(await file(pi))).toEqual(["test/optics/bob: 1", "test/physics/alice: 2"]);
    expect(whoAndWhere(await file(dean))).toEqual(["test/optics/bob: 1"]);
    expect(whoAndWhere(await file(erin))).toEqual(["other/physics/alice: 1", "other/physics/eve: 1"]);
  });

  it("has everything without dates, and is named after what it holds", async () => {
    expect(whoAndWhere(await file(pi, ""))).toEqual(["test/optics/bob: 1", "test/physics/alice: 3"]);
    const answer = await pi.get("/me/group.csv?account=physics&member=alice&end=2026-09-30");
    expect(answer.headers["content-disposition"]).toBe('attachment; filename="group-physics-alice-2026-09-30.csv"');
    expect(csvRows(answer.body)).toMatchObject([{ user: "alice", jobs: "1", cpu_seconds: String(4 * 3_600) }]);
  });

  it("is narrowed to an account with all below it, and to a member", async () => {
    expect(whoAndWhere(await file(prof, "account=physics"))).toEqual(["test/optics/bob: 1", "test/physics/alice: 3"]);
    expect(whoAndWhere(await file(prof, "account=optics"))).toEqual(["test/optics/bob: 1"]);
    expect(whoAndWhere(await file(prof, "member=alice"))).toEqual(["test/physics/alice: 3"]);
    expect(whoAndWhere(await file(prof, "member=frank"))).toEqual([]);
  });

  it("says what is wrong with a day", async () => {
    const answer = await pi.get("/me/group.csv?start=31-10-2026", { headers: { accept: "application/json" } });
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain("YYYY-MM-DD");
  });
});

describe("the page of a group", () => {
  it("shows the same numbers as the file and the sums, to the last satang", async () => {
    await issueReceipt(site, { userName: "bob", cutoffDay: "2026-10-31" }, { actor: "test" });
    const accounts = [
      { cluster: "test", account: "physics" },
      { cluster: "test", account: "optics" },
    ];
    const sums = await usageTotals(site.db, { fromDay: "2026-10-01", toDay: "2026-10-31", accounts });
    const rows = await file(pi);
    const page = mainOf(await group(pi));
    expect(sums.jobs).toBe(3n);
    expect(minorSum(rows, "amount")).toBe(sums.costMinor);
    expect(minorSum(rows, "unbilled_amount")).toBe(sums.unbilledMinor);
    expect(sums.unbilledMinor).toBeLessThan(sums.costMinor);
    expect(page).toContain(`Cost of your group ฿ ${fmt.money(sums.costMinor).slice(1)} 3 jobs of 2 people`);
    expect(page).toContain(`Not yet billed ${fmt.money(sums.unbilledMinor)} 2 jobs`);
    const total = [
      fmt.integer(sums.jobs),
      fmt.hours(sums.cpuSeconds),
      fmt.hours(sums.gpuSeconds),
      fmt.gibHours(sums.memMibSeconds),
      fmt.money(sums.unbilledMinor),
      fmt.money(sums.costMinor),
    ].join(" ");
    expect(page.split(`Total ${total}`)).toHaveLength(3);
    for (const { user = "", amount = "" } of rows)
      expect(page).toMatch(
        new RegExp(`${user} \\d+ [\\d.,]+ [\\d.,]+ [\\d.,]+ ฿[\\d.,]+ ฿${amount.replace(".", "\\.")}`, "u"),
      );
  });

  it("never names an account or a person that is not below", async () => {
    const all = ["science", "physics", "optics", "history", "alice", "bob", "carol", "dave", "eve", "frank"];
    const named = async (browser: Browser, query?: string) => {
      const page = mainOf(await group(browser, query));
      return all.filter((name) => page.includes(name));
    };
    expect(await named(pi)).toEqual(["physics", "optics", "alice", "bob"]);
    expect(await named(dean)).toEqual(["optics", "bob"]);
    expect(await named(prof)).toEqual(["science", "physics", "optics", "alice", "bob", "carol"]);
    expect(await named(erin)).toEqual(["physics", "alice", "eve"]);
    expect(await named(dean, `${OCTOBER}&member=bob`)).toEqual(["optics", "bob"]);
    expect(await named(pi, `${OCTOBER}&account=physics&member=alice`)).toEqual(["physics", "alice"]);
  });

  it("counts of a member who also works elsewhere only what is on the reader's accounts", async () => {
    const coreHours = (cores: bigint) => fmt.hours(cores * 3_600n);
    const ofPi = mainOf(await group(pi, `${OCTOBER}&member=alice`));
    expect(ofPi).toContain("Cost of alice on accounts of your group");
    expect(ofPi).toContain(`Total 2 ${coreHours(3n)}`);
    expect(mainOf(await group(erin, `${OCTOBER}&member=alice`))).toContain(`Total 1 ${coreHours(256n)}`);
  });

  it("shows no job and leads to none", async () => {
    for (const query of [OCTOBER, `${OCTOBER}&member=alice`, `${OCTOBER}&account=physics`]) {
      const page = await group(pi, query);
      expect(page).not.toContain("secret");
      expect(page).not.toContain("/me/jobs/");
    }
  });

  it("keeps what it is narrowed to when the period changes, and offers a way out", async () => {
    const page = (await group(prof, `${OCTOBER}&account=physics&member=alice`)).replaceAll("&amp;", "&");
    expect(page).toContain('href="/me?view=group&start=2026-09-01&before=2026-09-30&account=physics&member=alice"');
    expect(page).toContain('aria-label="Without physics"');
    expect(page).toContain('href="/me/group.csv?start=2026-10-01&end=2026-10-31&account=physics&member=alice"');
  });

  it("says where an account is, and of which cluster where there are several", async () => {
    expect(mainOf(await group(prof))).toContain("optics science › physics");
    const snapshot = aSnapshot({
      accounts: [anAccount("root", null), anAccount("lab")],
      coordinators: { lab: ["bob"] },
    });
    for (const cluster of ["third", "fourth"]) await storeAccounts(site, cluster, snapshot, { actor: "test" });
    await site.importJobs([
      aJob({ cluster: "third", account: "lab", user: "gil" }),
      aJob({ cluster: "fourth", account: "lab", user: "hal" }),
    ]);
    const page = mainOf(await group(await site.browserOf("bob")));
    expect(page).toContain("lab third");
    expect(page).toContain("lab fourth");
    expect(page).toContain("2 accounts, as the cluster has them now");
  });

  it("says when the last job ran where a window is empty", async () => {
    const empty = await group(dean, "start=2025-01-01&before=2025-01-31");
    expect(textOf(empty)).toContain("The last of these jobs ended on 10 October 2026.");
    expect(empty).toContain('href="/me?view=group&amp;start=2026-10-01&amp;before=2026-10-31"');
    expect(textOf(await group(pi, `${OCTOBER}&member=frank`))).toContain("No jobs on these accounts yet");
    expect(textOf(await group(pi, "before=2026-10-31"))).toContain(fmt.dateRange("2026-09-10", "2026-10-31"));
  });

  it("answers 400 to a wrong day and still shows the page", async () => {
    const answer = await pi.get("/me?view=group&start=31-10-2026");
    expect(answer.statusCode).toBe(400);
    expect(textOf(answer.body)).toContain("Cost of your group");
  });

  it("speaks Thai", async () => {
    const cookie = `${[...pi.cookies].map(([name, value]) => `${name}=${value}`).join("; ")}; lang=th`;
    const page = textOf((await pi.get("/me?view=group", { headers: { cookie } })).body);
    expect(page).toContain("ค่าใช้จ่ายของกลุ่ม");
    expect(page).toContain("1–31 ตุลาคม 2569");
  });

  it("lists a large group page by page, each person once", async () => {
    await storeAccounts(
      site,
      "big",
      aSnapshot({ accounts: [anAccount("root", null), anAccount("course")], coordinators: { course: ["dean"] } }),
      { actor: "test" },
    );
    await site.importJobs(
      Array.from({ length: 130 }, (_, index) =>
        aJob({ cluster: "big", account: "course", user: `student${index}`, allocCpus: 1 + (index % 7) }),
      ),
    );
    const linkOf = (html: string, rel: string): string =>
      (new RegExp(`<a href="([^"]+)"[^>]*rel="${rel}"`, "u").exec(html)?.[1] ?? "").replaceAll("&amp;", "&");
    const peopleOf = (html: string): string[] => [...html.matchAll(/member=student\d+"/gu)].map(([text]) => text);
    let html = await group(dean, `${OCTOBER}&account=course`);
    const first = peopleOf(html);
    const seen = [...first];
    for (let next = linkOf(html, "next"); next !== ""; next = linkOf(html, "next")) {
      html = (await dean.get(next)).body;
      seen.push(...peopleOf(html));
    }
    expect(seen).toHaveLength(130);
    expect(new Set(seen).size).toBe(130);
    for (let back = linkOf(html, "prev"); back !== ""; back = linkOf(html, "prev")) html = (await dean.get(back)).body;
    expect(peopleOf(html)).toEqual(first);
    expect(await file(dean, "account=course")).toHaveLength(130);
  });
});

describe("what is not the reader's", () => {
  it.each([
    ["pi", "account=science"],
    ["pi", "account=history"],
    ["pi", "account=nothing-like-it"],
    ["pi", "member=carol"],
    ["pi", "member=dave"],
    ["pi", "member=eve"],
    ["pi", "member=pi"],
    ["pi", "account=optics&member=alice"],
    ["dean", "account=physics"],
    ["dean", "member=alice"],
    ["erin", "account=optics"],
    ["erin", "member=bob"],
    ["prof", "account=history"],
    ["prof", "member=dave"],
    ["alice", ""],
    ["alice", "account=physics"],
    ["alice", "member=alice"],
    ["root", ""],
    ["root", "account=physics"],
  ])("is as unknown to %s as what never was (%s)", async (who, query) => {
    const browser = await site.browserOf(who);
    for (const path of [`/me?view=group&${query}`, `/me/group.csv?${query}`]) {
      const answer = await browser.get(path);
      expect(answer.statusCode, path).toBe(404);
      expect(textOf(answer.body)).not.toMatch(/physics|optics|history|secret|alice|carol|dave/u);
    }
  });

  it("needs a session", async () => {
    for (const url of ["/me?view=group", "/me/group.csv"]) {
      const answer = await site.app.inject({ method: "GET", url, headers: { accept: "text/csv" } });
      expect([302, 401]).toContain(answer.statusCode);
    }
  });

  it("has no tab for who coordinates nothing", async () => {
    expect((await alice.get("/me")).body).not.toContain("view=group");
    expect((await pi.get("/me")).body).toContain('href="/me?view=group"');
    expect((await pi.get("/me?view=detail")).body).toContain('href="/me?view=group"');
  });

  it("is gone with the next sync after somebody no longer coordinates", async () => {
    const before = await file(erin);
    expect(before.length).toBeGreaterThan(0);
    await storeAccounts(
      site,
      "other",
      aSnapshot({ accounts: [anAccount("root", null), anAccount("physics")], members: { physics: ["eve", "erin"] } }),
      { actor: "test" },
    );
    expect((await erin.get("/me/group.csv")).statusCode).toBe(404);
    expect((await erin.get("/me?view=group")).statusCode).toBe(404);
    expect((await erin.get("/me")).body).not.toContain("view=group");
  });
});
