/**
 * What this process found when it verified the audit chain. Not read from the database: whoever could break the chain
 * there could also say there that it holds.
 */
import { Gauge, type Registry } from "prom-client";
import type { AuditVerdict } from "../../audit/verify.ts";

export interface AuditMetrics {
  readonly isOk: Gauge;
  /** Writes down what a check found, and when. */
  note(verdict: AuditVerdict, at: Date): void;
}

export function addAuditMetrics(registers: Registry[]): AuditMetrics {
  const isOk = new Gauge({
    name: "hpc_audit_chain_ok",
    help: "0 when the last check found the audit chain broken, else 1",
    registers,
  });
  // Nothing is known to be broken before the first check; 0 would raise the alarm at every start.
  isOk.set(1);
  const checkedAt = new Gauge({
    name: "hpc_audit_checked_timestamp_seconds",
    help: "When this process last verified the audit chain; 0 before the first time",
    registers,
  });
  const records = new Gauge({
    name: "hpc_audit_records",
    help: "Records of the audit chain when it last verified; 0 before. Fewer than before: an older state was put back",
    registers,
  });
  return {
    isOk,
    note: (verdict, at) => {
      isOk.set(verdict.ok ? 1 : 0);
      checkedAt.set(at.getTime() / 1000);
      if (verdict.ok) records.set(Number(verdict.records));
    },
  };
}
