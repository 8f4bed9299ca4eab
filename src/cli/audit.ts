import { Command } from "commander";
import { checkAudit } from "../audit/verify.ts";
import { UserError } from "../errors.ts";
import { exactJson, withServices } from "./options.ts";

export function auditCommand(): Command {
  const verify = new Command("verify")
    .description("recompute the whole audit chain; exit code 1 when it is broken")
    .option("--json", "print the answer as JSON")
    .action(async (options: { json?: true }) => {
      await withServices(async ({ db, config, clock }) => {
        const verdict = await checkAudit(db, config.auditKeyring, clock);
        if (options.json === true) {
          const answer = verdict.ok ? verdict : { ok: false, broken_at: verdict.brokenAt, reason: verdict.reason };
          process.stdout.write(`${exactJson(answer)}\n`);
        }
        if (!verdict.ok)
          throw new UserError(`the audit chain is broken at record ${verdict.brokenAt}: ${verdict.reason}`);
        if (options.json !== true)
          process.stdout.write(`the chain of ${verdict.records} records is whole, head ${verdict.head}\n`);
      });
    });
  return new Command("audit").description("the audit trail").addCommand(verify);
}
