import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { ROOT } from "../proxy/processes.ts";
import { alertRules, dashboardExpressions, PROMETHEUS, readDashboard } from "./files.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "hpcb-rules-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const promtool = (...args: string[]) => run("promtool", args, { cwd: PROMETHEUS });

describe("the files for Prometheus", () => {
  it("are a configuration that Prometheus takes, with the token in a file of its own", async () => {
    for (const file of ["prometheus.yml", "rules.yml"]) copyFileSync(join(PROMETHEUS, file), join(folder, file));
    writeFileSync(join(folder, "hpc-billing.token"), "token");
    await run("promtool", ["check", "config", join(folder, "prometheus.yml")]);
    expect(readFileSync(join(PROMETHEUS, "prometheus.yml"), "utf8")).toContain("credentials_file: hpc-billing.token");
  });

  it("alert when they should, and not when they should not", async () => {
    await promtool("check", "rules", "rules.yml");
    await promtool("test", "rules", "rules.test.yml", "rules-days.test.yml");
  });

  it("have no alert without a test, and none twice", () => {
    const tests = ["rules.test.yml", "rules-days.test.yml"]
      .map((file) => readFileSync(join(PROMETHEUS, file), "utf8"))
      .join();
    const names = alertRules().map(({ alert }) => alert);
    expect(names.filter((name) => !tests.includes(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("the dashboard for Grafana", () => {
  const dashboard = readDashboard();

  it("has panels that are each there once, and do not lie on each other", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const taken = new Set<string>();
    for (const { gridPos, title } of dashboard.panels) {
      expect([title, gridPos.x + gridPos.w]).toEqual([title, Math.min(24, gridPos.x + gridPos.w)]);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, taken.has(`${x},${y}`)]).toEqual([title, false]);
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  it("takes the data source and the job as variables, and uses no other", () => {
    const names = dashboard.templating.list.map(({ name }) => name);
    expect(names).toEqual(["datasource", "job", "instance"]);
    const used = JSON.stringify(dashboard.panels).matchAll(/\$\{?(\w+)/gu);
    const builtIn = ["__rate_interval"];
    expect([...used].map(([, name = ""]) => name).filter((name) => ![...names, ...builtIn].includes(name))).toEqual([]);
  });

  it("asks only what Prometheus can parse", async () => {
    const rules = dashboardExpressions(dashboard).map((expr, index) => ({ record: `checked:expr${index}`, expr }));
    const file = join(folder, "dashboard-rules.yml");
    writeFileSync(file, stringify({ groups: [{ name: "dashboard", rules }] }));
    expect((await run("promtool", ["check", "rules", file])).stdout).toContain(`${rules.length} rules found`);
  });

  it("is where its provisioning looks for it, with a data source of the kind it wants", () => {
    const read = (path: string): unknown =>
      parse(readFileSync(join(ROOT, "deploy/grafana/provisioning", path), "utf8"));
    const sources = z.object({ datasources: z.array(z.object({ type: z.string(), isDefault: z.boolean() })) });
    const { datasources } = sources.parse(read("datasources/hpc-billing.yml"));
    expect(datasources).toEqual([{ type: "prometheus", isDefault: true }]);
    const providers = z.object({
      apiVersion: z.literal(1),
      providers: z.array(z.object({ type: z.literal("file"), options: z.object({ path: z.string() }) })),
    });
    expect(providers.parse(read("dashboards/hpc-billing.yml")).providers).toHaveLength(1);
  });
});
