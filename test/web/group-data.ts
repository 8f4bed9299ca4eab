/** A university with two clusters, three coordinators, and people who work in several places. */
import { createUser } from "../../src/identity/index.ts";
import { storeAccounts } from "../../src/usage/accounts/store.ts";
import { anAccount, aSnapshot } from "../support/accounts.ts";
import { aJob, at, type TestContext } from "../support/context.ts";
import { PASSWORD } from "./server-harness.ts";

const BY = { actor: "test" };

/** Who can sign in beside those of the site: `pi` has physics, `dean` optics below it, `prof` all of science. */
export const COORDINATORS = ["pi", "dean", "prof", "erin"] as const;

export async function importUniversity(context: TestContext): Promise<void> {
  for (const username of COORDINATORS)
    await createUser(context.db, context.clock, BY, { username, password: PASSWORD, role: "user" });
  await storeAccounts(
    context,
    "test",
    aSnapshot({
      accounts: [
        anAccount("root", null),
        anAccount("science"),
        anAccount("physics", "science"),
        anAccount("optics", "physics"),
        anAccount("history"),
      ],
      members: { physics: ["alice", "frank"], optics: ["bob"], science: ["carol"], history: ["dave", "alice"] },
      coordinators: { science: ["prof"], physics: ["pi"], optics: ["dean"] },
    }),
    BY,
  );
  // The same name on another cluster is another account, with people of its own.
  await storeAccounts(
    context,
    "other",
    aSnapshot({
      accounts: [anAccount("root", null), anAccount("physics")],
      members: { physics: ["eve", "alice"] },
      coordinators: { physics: ["erin"] },
    }),
    BY,
  );
  const on = (user: string, account: string, allocCpus: number, overrides: Parameters<typeof aJob>[0] = {}) =>
    aJob({ user, account, allocCpus, jobName: `secret-of-${user}`, ...overrides });
  await context.importJobs([
    on("alice", "physics", 1),
    on("alice", "physics", 2, { endAt: at("2026-10-20T03:00:00Z") }),
    on("alice", "physics", 4, { endAt: at("2026-09-10T03:00:00Z") }),
    on("alice", "history", 8),
    on("bob", "optics", 16, { allocGpus: 2, gpuTypes: [{ type: "a100", count: 2 }] }),
    on("carol", "science", 32),
    on("dave", "history", 64),
    on("eve", "physics", 128, { cluster: "other" }),
    on("alice", "physics", 256, { cluster: "other" }),
  ]);
}

const CLIMATE = [
  "arun",
  "benja",
  "chai",
  "darika",
  "ekachai",
  "fah",
  "gan",
  "hansa",
  "itthi",
  "jira",
  "kanya",
] as const;

/** A group that somebody coordinates: colleagues on accounts below `mu`, with jobs all through October 2026. */
export async function importGroupOf(context: TestContext, coordinator: string): Promise<void> {
  await storeAccounts(
    context,
    "test",
    aSnapshot({
      accounts: [
        anAccount("root", null),
        anAccount("mu"),
        anAccount("mu-climate", "mu"),
        anAccount("mu-climate-ocean", "mu-climate"),
        anAccount("mu-genome", "mu"),
        anAccount("history"),
      ],
      members: { "mu-climate": CLIMATE },
      coordinators: { mu: [coordinator] },
    }),
    BY,
  );
  const accounts = ["mu-climate", "mu-climate-ocean", "mu-genome"] as const;
  await context.importJobs(
    Array.from({ length: 240 }, (_, index) => {
      const isGpu = index % 3 === 0;
      return aJob({
        user: CLIMATE[(index * index + 3 * index) % CLIMATE.length] ?? "arun",
        account: accounts[((index * 5) % 7) % accounts.length] ?? "mu-climate",
        partition: isGpu ? "gpu" : "cpu",
        endAt: at("2026-10-01T02:00:00Z") + index * 10_800,
        elapsedSeconds: 600 + ((index * 7_919) % 30_000),
        allocCpus: 4 + (index % 5) * 8,
        allocGpus: isGpu ? 1 + (index % 2) : 0,
        gpuTypes: isGpu ? [{ type: "a100", count: 1 + (index % 2) }] : [],
        jobName: "private-matter",
      });
    }),
  );
}
