import { describe, expect, it } from "vitest";
import { UpstreamError, UserError } from "../../src/errors.ts";
import {
  aRestJob,
  gather,
  gatherUntilFailure,
  never,
  openApi,
  reading,
  routes,
  send,
  serve,
  source,
} from "./server.ts";

const T0 = 1_790_000_000;
const DAY = { from: T0, to: T0 + 86_400 };
const NOTHING = { errors: [{ error_number: 9003, error: "Nothing found with query" }], jobs: [] };

describe("the version that is spoken", () => {
  it.each([
    ["the newest that both sides know", [38, 40, 44, 45], "v0.0.44"],
    ["the only one there is", [38], "v0.0.38"],
    ["the nearest of the newer ones, where all are newer", [47, 46], "v0.0.46"],
  ])("is %s", async (_, offered, expected) => {
    const clusters = { clusters: [{ name: "alpha" }], meta: { slurm: { release: "25.11.1" } } };
    const { url } = await serve((request, response) => {
      send(response, request.url === "/openapi/v3" ? openApi(...offered) : clusters);
    });
    expect((await source({ url }).probe(never())).version).toBe(`slurmrestd ${expected}, Slurm 25.11.1`);
  });

  it("is found by asking where slurmrestd has no list of versions", async () => {
    const { url, asked } = await serve(routes({ "/slurmdb/v0.0.42/clusters/": { clusters: [{ name: "alpha" }] } }));
    expect(await source({ url }).clusters(never())).toEqual(["alpha"]);
    expect(asked).toContain("/slurmdb/v0.0.44/clusters/");
    expect(asked).not.toContain("/slurmdb/v0.0.41/clusters/");
  });

  it("is looked for again when it is gone after an upgrade", async () => {
    let offered = 38;
    const { url } = await serve((request, response) => {
      if (request.url === "/openapi/v3") return send(response, openApi(offered));
      if (!request.url?.startsWith(`/slurmdb/v0.0.${offered}/`)) return send(response, {}, 404);
      return send(response, { jobs: [aRestJob(1)], clusters: [{ name: `on-${offered}` }] });
    });
    const rest = source({ url });
    expect(await rest.clusters(never())).toEqual(["on-38"]);
    offered = 44;
    expect((await gather(rest.jobs(DAY, reading()))).records).toHaveLength(1);
    expect(await rest.clusters(never())).toEqual(["on-44"]);
  });

  it("is named when it was set and is not there", async () => {
    const { url } = await serve(routes({}));
    await expect(source({ url, version: "v0.0.40" }).probe(never())).rejects.toThrow(
      /v0\.0\.40 \(SLURMRESTD_VERSION\)/u,
    );
  });

  it("is named when there is none that can be read", async () => {
    const { url } = await serve(routes({ "/openapi/v3": { paths: { "/slurmdb/v0.0.36/jobs": {} } } }));
    await expect(source({ url }).probe(never())).rejects.toThrow("it offers v0.0.36; needed is v0.0.38 or newer");
  });

  it("tells what it cannot give", async () => {
    const operator = { administrator_level: ["Operator"] };
    const { url } = await serve((_, response) => send(response, { clusters: [{ name: "alpha" }], users: [operator] }));
    const limits = async (version: string) => (await source({ url, version }).probe(never())).limits;
    expect(await limits("v0.0.38")).toEqual(["hides_requeued_runs", "no_exit_codes"]);
    expect(await limits("v0.0.39")).toEqual(["hides_requeued_runs"]);
    expect(await limits("v0.0.40")).toEqual([]);
  });

  it.each([
    ["Operator", 200, []],
    ["Administrator", 200, []],
    ["None", 200, ["is_no_operator"]],
    ["Operator", 500, ["is_no_operator"]],
  ])("tells whether its user may see everything: level %s, answered with %i", async (level, status, limits) => {
    const { url } = await serve((request, response) => {
      const isAboutUser = request.url?.includes("/user/") === true;
      send(
        response,
        { clusters: [{ name: "alpha" }], users: [{ administrator_level: level }] },
        isAboutUser ? status : 200,
      );
    });
    expect((await source({ url, version: "v0.0.40", user: "billing" }).probe(never())).limits).toEqual(limits);
    expect((await source({ url, version: "v0.0.40", user: "root" }).probe(never())).limits).toEqual([]);
  });

  it("must be one that exists, and the address too", () => {
    expect(() => source({ url: "http://a", version: "v1" })).toThrow(UserError);
    expect(() => source({ url: "ftp://a" })).toThrow("SLURMRESTD_URL takes");
  });
});

describe("the jobs of a window", () => {
  it("come in batches, with a rejected one kept in its place", async () => {
    const jobs = [aRestJob(1), aRestJob(2, { user: null }), null, ...[3, 4, 5].map((id) => aRestJob(id))];
    const { url } = await serve((_, response) => send(response, { jobs, errors: [] }));
    const batches = [];
    for await (const batch of source({ url, version: "v0.0.44" }).jobs(DAY, reading({ jobsPerBatch: 2 })))
      batches.push(batch);
    expect(batches.map(({ records }) => records.map(({ rawJobId }) => rawJobId))).toEqual([
      ["1", "3"],
      ["4", "5"],
    ]);
    expect(batches.flatMap(({ rejects }) => rejects.map(({ line }) => line))).toEqual([2, 3]);
    expect(batches.reduce((sum, { rowsRead }) => sum + rowsRead, 0)).toBe(6);
  });

  it("are none when slurmrestd says that it found nothing, with whatever status", async () => {
    for (const status of [200, 404, 500]) {
      const { url } = await serve((_, response) => send(response, NOTHING, status));
      expect(await gather(source({ url, version: "v0.0.38" }).jobs(DAY, reading()))).toEqual({
        records: [],
        rejects: [],
      });
    }
  });

  it("are not none when another service answers with JSON of its own", async () => {
    for (const answer of [{}, { status: "ok" }, { jobs: null }, { jobs: {} }]) {
      const { url } = await serve((_, response) => send(response, answer));
      const { error } = await gatherUntilFailure(source({ url, version: "v0.0.44" }).jobs(DAY, reading()));
      expect(String(error)).toContain("holds no list of jobs");
    }
  });

  it("reach to all times that Slurm can be asked for where no end is given", async () => {
    const { url, asked } = await serve((_, response) => send(response, { jobs: [] }));
    await gather(source({ url, version: "v0.0.38", cluster: "al pha" }).jobs({ from: 0, to: null }, reading()));
    expect(asked).toEqual(["/slurmdb/v0.0.38/jobs?start_time=uts1000000&end_time=uts4000000000&cluster=al+pha"]);
  });

  it("are those of the asked cluster only", async () => {
    const jobs = [aRestJob(1), aRestJob(2, { cluster: "beta" })];
    const { url } = await serve((_, response) => send(response, { jobs }));
    const { records } = await gather(source({ url, version: "v0.0.44", cluster: "alpha" }).jobs(DAY, reading()));
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(["1"]);
  });

  it("are asked for once more by id where a version may have cut their times", async () => {
    const cutJob = aRestJob(1, { time: { elapsed: 10, submission: T0 - 500, start: T0, end: T0 + 10 } });
    const whole = aRestJob(1, { time: { elapsed: 510, submission: T0 - 500, start: T0 - 500, end: T0 + 10 } });
    const { url } = await serve(
      routes({ "/slurmdb/v0.0.38/jobs": { jobs: [cutJob, aRestJob(2)] }, "/slurmdb/v0.0.38/job/1": { jobs: [whole] } }),
    );
    const { records } = await gather(source({ url, version: "v0.0.38" }).jobs(DAY, reading()));
    expect(records.map(({ rawJobId, elapsedSeconds }) => [rawJobId, elapsedSeconds])).toEqual([
      ["2", 100],
      ["1", 510],
    ]);
  });

  it("include requeued runs when every job is looked up", async () => {
    const first = aRestJob(1, { state: { current: "REQUEUED" } });
    const second = aRestJob(1, { time: { elapsed: 1, submission: T0 + 9, start: T0 + 10, end: T0 + 11 } });
    const { url } = await serve(
      routes({
        "/slurmdb/v0.0.38/jobs": { jobs: [second, aRestJob(3)] },
        "/slurmdb/v0.0.38/job/1": { jobs: [first, second] },
        "/slurmdb/v0.0.38/job/3": { jobs: [aRestJob(3), aRestJob(1)] },
      }),
    );
    const { records } = await gather(source({ url, version: "v0.0.38" }).jobsById(["1", "3"], reading()));
    expect(records.map(({ rawJobId, state }) => `${rawJobId} ${state}`)).toEqual([
      "1 REQUEUED",
      "1 COMPLETED",
      "3 COMPLETED",
    ]);
    expect(records.every(({ exitCode }) => exitCode === "")).toBe(true);
  });

  it("fail, after the batches that were whole, when the answer holds an error at its end", async () => {
    const answer = {
      jobs: [1, 2, 3].map((id) => aRestJob(id)),
      errors: [{ error_number: 7, error: "slurmdbd went away" }],
    };
    const { url } = await serve((_, response) => send(response, answer));
    const { jobs, error } = await gatherUntilFailure(
      source({ url, version: "v0.0.44" }).jobs(DAY, reading({ jobsPerBatch: 1 })),
    );
    expect(jobs).toBe(2);
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error).toMatchObject({ message: expect.stringContaining("slurmdbd went away (7)") });
  });
});

describe("jobs by their ids", () => {
  it("come with all their runs, and without those that accounting does not know", async () => {
    const runs = [aRestJob(1, { state: { current: ["REQUEUED"] } }), aRestJob(1), aRestJob(2)];
    const { url } = await serve((request, response) =>
      send(response, request.url?.endsWith("/1") ? { jobs: runs } : NOTHING),
    );
    const { records } = await gather(source({ url, version: "v0.0.44" }).jobsById(["1", "404", "1"], reading()));
    expect(records.map(({ state }) => state)).toEqual(["REQUEUED", "COMPLETED"]);
  });

  it("are only asked for by plain numbers, because others make slurmrestd 22.05 exit", async () => {
    const { url, asked } = await serve((_, response) => send(response, NOTHING));
    await gather(
      source({ url, version: "v0.0.38" }).jobsById(["abc", "3_4", "77+1", "", "0", "99999999999", "8/x"], reading()),
    );
    expect(asked).toEqual([]);
  });

  it("are asked for four at a time, in order", async () => {
    const waiting: (() => void)[] = [];
    let most = 0;
    const { url } = await serve((request, response) => {
      const id = Number(request.url?.split("/").at(-1));
      waiting.push(() => send(response, { jobs: [aRestJob(id)] }));
      most = Math.max(most, waiting.length);
      // Answered in the other order, and only when nobody else is about to ask.
      if (waiting.length === 4 || id >= 9) for (const answer of waiting.splice(0).reverse()) answer();
    });
    const ids = Array.from({ length: 12 }, (_, at) => String(at + 1));
    const { records } = await gather(source({ url, version: "v0.0.44" }).jobsById(ids, reading()));
    expect(records.map(({ rawJobId }) => rawJobId)).toEqual(ids);
    expect(most).toBe(4);
  });
});

describe("accounts", () => {
  it("have the coordinators that were set on them, not those that follow from above", async () => {
    const { url } = await serve(
      routes({
        "/slurmdb/v0.0.44/associations/": {
          associations: [
            { account: "root", cluster: "alpha", user: "", parent_account: "" },
            { account: "physics", cluster: "alpha", user: "", parent_account: "root" },
            { account: "physics", cluster: "alpha", user: "alice", parent_account: "", partition: "cpu" },
            { account: "physics", cluster: "alpha", user: "alice", parent_account: "", partition: "gpu" },
            { account: "gone", cluster: "alpha", user: "", parent_account: "root", flags: ["DELETED"] },
            { account: "far", cluster: "beta", user: "", parent_account: "root" },
          ],
        },
        "/slurmdb/v0.0.44/accounts/": {
          accounts: [
            {
              name: "physics",
              description: "Physics",
              organization: "MU",
              coordinators: [
                { name: "pi", direct: true },
                { name: "dean", direct: false },
              ],
            },
            { name: "far", coordinators: [{ name: "other" }] },
          ],
        },
      }),
    );
    expect(await source({ url, version: "v0.0.44", cluster: "alpha" }).accounts(never())).toEqual({
      accounts: [
        { name: "root", parent: null, description: "", organization: "" },
        { name: "physics", parent: "root", description: "Physics", organization: "MU" },
      ],
      members: [{ account: "physics", user: "alice" }],
      coordinators: [{ account: "physics", user: "pi" }],
    });
  });
});
