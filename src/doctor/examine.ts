import { messageOf } from "../errors.ts";
import * as backups from "./backups.ts";
import * as database from "./database.ts";
import { byHand } from "./guide.ts";
import * as operation from "./operation.ts";
import { fail, type Outcome } from "./outcome.ts";
import * as secrets from "./secrets.ts";
import type { Check, Setup } from "./setup.ts";
import * as site from "./site.ts";
import * as slurm from "./slurm.ts";
import * as webhook from "./webhook.ts";

/** The guide's checklist and its troubleshooting, in their order. */
export const CHECKS: readonly Check[] = [
  site.tls,
  site.headers,
  site.cookies,
  site.adminer,
  site.swagger,
  site.apiDescription,
  secrets.webhookSecret,
  webhook.webhookReachable,
  webhook.webhookSignature,
  webhook.webhookIgnored,
  slurm.slurmTls,
  slurm.slurmToken,
  slurm.slurmCertificates,
  database.connection,
  database.network,
  database.role,
  database.appendOnly,
  database.schema,
  backups.backupFresh,
  backups.backupTested,
  site.probes,
  site.metrics,
  secrets.variables,
  secrets.secretKey,
  secrets.auditKey,
  secrets.adminPassword,
  secrets.envFiles,
  operation.adminAccount,
  operation.usageAge,
  operation.auditChain,
  operation.queue,
  operation.clocks,
  operation.disk,
  ...byHand,
];

export interface Finding extends Outcome {
  readonly id: string;
  readonly title: string;
}

/** Runs all checks at once. One that breaks is a failure of its item, and keeps none of the others from being made. */
export function examine(setup: Setup, checks: readonly Check[] = CHECKS): Promise<Finding[]> {
  return Promise.all(
    checks.map(async (check) => {
      const { id, title } = check;
      try {
        return { id, title, ...(await check.run(setup)) };
      } catch (error) {
        return { id, title, ...fail(messageOf(error), "the check itself failed; the message says on what") };
      }
    }),
  );
}
