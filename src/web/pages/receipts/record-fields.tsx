/** The facts of a job's record as it was kept, named and written as the job's own page does. */
import type { ComponentChildren } from "preact";
import type { RecordVersion } from "../../../billing/corrections.ts";
import type { Formatter } from "../../format.ts";
import type { Translator } from "../../i18n/index.ts";
import { When } from "../me/when.tsx";
import { resourceText } from "../me/words.ts";

/** A fact in both versions. */
export interface RecordField {
  readonly name: string;
  readonly before: ComponentChildren;
  readonly after: ComponentChildren;
  readonly isChanged: boolean;
}

/** How a column's text is written for people. */
type Writer = (text: string, fmt: Formatter) => ComponentChildren;

const plain: Writer = (text) => text;
const count: Writer = (text, fmt) => fmt.integer(BigInt(text));
const unit =
  (name: string): Writer =>
  (text, fmt) =>
    `${fmt.integer(BigInt(text))} ${name}`;
const instant: Writer = (text, fmt) => <When at={new Date(text)} fmt={fmt} look="long" />;
const money: Writer = (text, fmt) => fmt.money(BigInt(text));

/** The facts of two versions, in the job page's order; what neither has is left out. */
export function recordFields(
  t: Translator,
  fmt: Formatter,
  { before, after }: { readonly before: RecordVersion; readonly after: RecordVersion },
): RecordField[] {
  return columnsOf(t).flatMap(([column, name, write]): RecordField[] => {
    const [old, now] = [before.get(column) ?? "", after.get(column) ?? ""];
    if (old === "" && now === "") return [];
    const written = (text: string): ComponentChildren => (text === "" ? "–" : write(text, fmt));
    return [{ name, before: written(old), after: written(now), isChanged: old !== now }];
  });
}

function columnsOf(t: Translator): readonly (readonly [column: string, name: string, write: Writer])[] {
  const price = (resource: "cpu" | "gpu" | "mem"): string =>
    t("corrections.priceOf", { resource: resourceText(t, resource, null) });
  return [
    ["user_name", t("job.user"), plain],
    ["account", t("job.account"), plain],
    ["partition", t("job.partition"), plain],
    ["qos", t("job.qos"), plain],
    ["job_name", t("job.name"), plain],
    ["comment", t("job.comment"), plain],
    ["state", t("job.state"), plain],
    ["exit_code", t("job.exitCode"), plain],
    ["start_at", t("job.started"), instant],
    ["end_at", t("job.ended"), instant],
    ["elapsed_seconds", t("job.elapsed"), (text, fmt) => fmt.duration(Number(text))],
    ["node_list", t("job.nodes"), plain],
    ["alloc_nodes", t("corrections.nodeCount"), count],
    ["alloc_cpus", t("job.cpus"), count],
    ["alloc_mem_mib", t("job.memory"), unit("MiB")],
    ["alloc_gpus", t("job.gpus"), count],
    ["gpu_types", t("corrections.gpuTypes"), plain],
    ["alloc_billing", t("job.tres"), count],
    ["energy_joules", t("job.energy"), unit("J")],
    ["used_cpu_ms", t("job.usedCpu"), (text, fmt) => `${fmt.decimal(BigInt(text), 1000n, 3)} ${t("unit.seconds")}`],
    ["used_mem_kib_seconds", t("corrections.usedMemory"), unit("KiB·s")],
    ["cpu_minor", price("cpu"), money],
    ["gpu_minor", price("gpu"), money],
    ["mem_minor", price("mem"), money],
  ];
}
