/** The files of deploy/ that this is about, read with what a reader of theirs would insist on. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { ROOT } from "../proxy/processes.ts";

export const PROMETHEUS = join(ROOT, "deploy/prometheus");

const rulesSchema = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^HpcBilling[A-Z]\w+$/u),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(["critical", "warning", "info"]) }),
          annotations: z.strictObject({ summary: z.string().min(10), action: z.string().min(20) }),
        }),
      ),
    }),
  ),
});

/** All alert rules. */
export function alertRules(): z.output<typeof rulesSchema>["groups"][number]["rules"] {
  const text = readFileSync(join(PROMETHEUS, "rules.yml"), "utf8");
  return rulesSchema.parse(parse(text)).groups.flatMap(({ rules }) => rules);
}

const datasource = z.strictObject({ type: z.literal("prometheus"), uid: z.literal("${datasource}") });
const gridPos = z.strictObject({
  x: z.int().min(0).max(23),
  y: z.int().min(0),
  w: z.int().min(1).max(24),
  h: z.int().min(1),
});

const targetSchema = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/u),
  datasource,
  expr: z.string(),
  legendFormat: z.string(),
  editorMode: z.literal("code"),
  range: z.boolean(),
  instant: z.boolean().optional(),
});

/** Of the panels that we use, what Grafana 11 and 12 know of them (schema version 39, which both take). */
const panelSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("row"),
    id: z.int().positive(),
    title: z.string().min(1),
    gridPos,
    collapsed: z.literal(false),
    panels: z.tuple([]),
  }),
  ...(["timeseries", "stat"] as const).map((type) =>
    z.strictObject({
      type: z.literal(type),
      id: z.int().positive(),
      title: z.string().min(1),
      description: z.string(),
      gridPos,
      datasource,
      fieldConfig: z.strictObject({ defaults: z.record(z.string(), z.unknown()), overrides: z.array(z.unknown()) }),
      options: z.record(z.string(), z.unknown()),
      targets: z.array(targetSchema).min(1),
    }),
  ),
]);

const variableSchema = z.looseObject({
  name: z.string(),
  type: z.enum(["datasource", "query"]),
  query: z.union([z.string(), z.strictObject({ query: z.string(), refId: z.string() })]),
});

const dashboardSchema = z.strictObject({
  uid: z.string().max(40),
  title: z.string().min(1),
  description: z.string(),
  tags: z.array(z.string()),
  schemaVersion: z.literal(39),
  version: z.int(),
  editable: z.boolean(),
  graphTooltip: z.int().min(0).max(2),
  timezone: z.string(),
  refresh: z.string(),
  time: z.strictObject({ from: z.string(), to: z.string() }),
  timepicker: z.strictObject({}),
  fiscalYearStartMonth: z.int(),
  weekStart: z.string(),
  links: z.array(z.unknown()),
  annotations: z.strictObject({ list: z.array(z.looseObject({ datasource, expr: z.string() })) }),
  templating: z.strictObject({ list: z.array(variableSchema) }),
  panels: z.array(panelSchema).min(1),
});

export type Dashboard = z.output<typeof dashboardSchema>;

export function readDashboard(): Dashboard {
  const text = readFileSync(join(ROOT, "deploy/grafana/dashboards/hpc-billing.json"), "utf8");
  return dashboardSchema.parse(JSON.parse(text));
}

/** Every expression of the dashboard, with Grafana's variables as they could be. */
export function dashboardExpressions({ panels, annotations }: Dashboard): readonly string[] {
  const written = panels.flatMap((panel) => (panel.type === "row" ? [] : panel.targets.map(({ expr }) => expr)));
  return [...written, ...annotations.list.map(({ expr }) => expr)].map((expr) =>
    expr.replaceAll("$__rate_interval", "1m").replaceAll("$job", "hpc-billing").replaceAll("$instance", ".*"),
  );
}

/** Names of metrics in an expression: words with an underscore, outside of strings, label lists and functions. */
export function metricsIn(expr: string): readonly string[] {
  const bare = expr
    .replaceAll(/"[^"]*"/gu, "")
    .replaceAll(/\{[^}]*\}/gu, "")
    .replaceAll(/\b(?:by|on|group_left)\s*\([^)]*\)/gu, "");
  return [...bare.matchAll(/\b(?:[a-z]+_\w+|up|ALERTS)\b(?!\s*\()/gu)].map(([name]) => name).filter((name) => !FUNCTIONS.has(name)); // prettier-ignore
}

const FUNCTIONS: ReadonlySet<string> = new Set(["group_left", "group_right"]);
