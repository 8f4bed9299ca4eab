import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../src/config.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "clusters-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function clustersFile(content: unknown): string {
  const path = join(folder, "clusters.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const slurm = (env: Readonly<Record<string, string>>) => loadConfig(env).slurm;

describe("the variables for one cluster", () => {
  it("mean no cluster where none of them is set", () => {
    expect(slurm({})).toMatchObject({ clusters: [], sync: { cron: "*/10 * * * *" }, reconcile: { days: 35 } });
  });

  it("of the documented platform are slurmrestd with a token, and sacct where it is found", () => {
    const [cluster] = slurm({ SLURMRESTD_URL: "https://slurm.example.org:6820", SLURMRESTD_TOKEN: "secret" }).clusters;
    expect(cluster).toEqual({
      name: null,
      slurmrestd: {
        url: "https://slurm.example.org:6820",
        user: null,
        token: { kind: "value", value: "secret" },
        version: null,
        caPath: null,
        clientCertPath: null,
        clientKeyPath: null,
      },
      sacct: { path: "sacct", isNamed: false, slurmConf: null },
      dropFolder: null,
      fallbackFile: null,
    });
  });

  it("take a unix socket, a token file, a version and certificates", () => {
    const [cluster] = slurm({
      SLURM_CLUSTER: "alpha",
      SLURMRESTD_URL: "unix:/run/slurmrestd.sock",
      SLURMRESTD_USER: "billing",
      SLURMRESTD_TOKEN_FILE: "/run/token",
      SLURMRESTD_VERSION: "v0.0.40",
      SLURMRESTD_CA: "/ca.pem",
      SLURMRESTD_CLIENT_CERT: "/cert.pem",
      SLURMRESTD_CLIENT_KEY: "/key.pem",
    }).clusters;
    expect(cluster?.name).toBe("alpha");
    expect(cluster?.slurmrestd).toMatchObject({
      user: "billing",
      token: { kind: "file", path: "/run/token" },
      version: "v0.0.40",
      clientKeyPath: "/key.pem",
    });
  });

  it("may be files only", () => {
    expect(slurm({ FALLBACK_CSV: "/app/instance/test.csv" }).clusters).toEqual([
      { name: null, slurmrestd: null, sacct: null, dropFolder: null, fallbackFile: "/app/instance/test.csv" },
    ]);
  });

  it.each([
    ["SLURMRESTD_URL", { SLURMRESTD_URL: "slurm.example.org" }],
    ["SLURMRESTD_URL", { SLURMRESTD_URL: "unix:run/slurmrestd.sock" }],
    ["SLURMRESTD_VERSION", { SLURMRESTD_URL: "http://a", SLURMRESTD_VERSION: "v0.0.37" }],
    ["SLURM_CLUSTER", { SACCT_PATH: "sacct", SLURM_CLUSTER: "-M all; rm" }],
    ["SLURMRESTD_TOKEN_FILE", { SLURMRESTD_URL: "http://a", SLURMRESTD_TOKEN: "secret", SLURMRESTD_TOKEN_FILE: "/x" }],
    ["SLURMRESTD_VERSION", { SLURMRESTD_URL: "http://a", SLURMRESTD_VERSION: "40" }],
    ["SLURMRESTD_CLIENT_CERT", { SLURMRESTD_URL: "https://a", SLURMRESTD_CLIENT_CERT: "/cert.pem" }],
    ["SYNC_CRON", { SYNC_CRON: "every minute" }],
    ["SYNC_CRON", { SYNC_CRON: "* * * * * *" }],
    ["SYNC_FROM", { SYNC_FROM: "last year" }],
    ["SYNC_OVERLAP_HOURS", { SYNC_OVERLAP_HOURS: "0" }],
    ["RECONCILE_CRON", { RECONCILE_CRON: "61 4 * * *" }],
  ])("name what is wrong with %s, and never its value", (name, env) => {
    expect(() => slurm(env)).toThrow(`- ${name} `);
    expect(() => slurm(env)).not.toThrow("secret");
  });

  it("switch schedules off", () => {
    expect(slurm({ SYNC_CRON: "off", RECONCILE_CRON: "OFF" })).toMatchObject({
      sync: { cron: null },
      reconcile: { cron: null },
    });
  });
});

describe("the file of clusters", () => {
  it("describes several, each with its sources; tokens come from variables or files", () => {
    const path = clustersFile({
      clusters: [
        { name: "alpha", slurmrestd: { url: "http://a:6820", user: "billing", token_env: "ALPHA_TOKEN" }, sacct: {} },
        { name: "beta", sacct: { path: "/opt/slurm/bin/sacct", slurm_conf: "/etc/slurm/beta.conf" }, folder: "/dumps" },
      ],
    });
    expect(slurm({ CLUSTERS: path, ALPHA_TOKEN: "secret" }).clusters).toMatchObject([
      { name: "alpha", slurmrestd: { token: { kind: "value", value: "secret" } }, sacct: { path: "sacct" } },
      { name: "beta", slurmrestd: null, sacct: { slurmConf: "/etc/slurm/beta.conf" }, dropFolder: "/dumps" },
    ]);
  });

  it.each([
    ["is no JSON", "{", "takes the path of a JSON file"],
    ["names no cluster", { clusters: [] }, "clusters: "],
    ["has a word too many", { clusters: [{ name: "a", sacct: {}, tokn: "secret" }] }, "clusters.0"],
    ["has a cluster without a source", { clusters: [{ name: "a" }] }, "needs a source"],
    ["has a name that is none", { clusters: [{ name: "a b", sacct: {} }] }, "clusters.0.name"],
    [
      "names a cluster twice",
      {
        clusters: [
          { name: "a", sacct: {} },
          { name: "a", sacct: {} },
        ],
      },
      "more than once",
    ],
  ])("is refused when it %s", (_what, content, message) => {
    const path = clustersFile(content);
    expect(() => slurm({ CLUSTERS: path })).toThrow(message);
    expect(() => slurm({ CLUSTERS: path })).not.toThrow("secret");
  });

  it("is refused when it is not there, when its token is not set, and beside the variables for one cluster", () => {
    expect(() => slurm({ CLUSTERS: join(folder, "nothing.json") })).toThrow("CLUSTERS takes the path of a JSON file");
    const path = clustersFile({ clusters: [{ name: "a", slurmrestd: { url: "http://a", token_env: "A_TOKEN" } }] });
    expect(() => slurm({ CLUSTERS: path })).toThrow("A_TOKEN is not set");
    expect(() => slurm({ CLUSTERS: path, A_TOKEN: "x", SACCT_PATH: "sacct" })).toThrow("CLUSTERS takes the place of");
  });
});
