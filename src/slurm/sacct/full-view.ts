/** Whether Slurm shows all jobs to whoever asks: what it hides it leaves out without an error. */
import { UpstreamError } from "../../errors.ts";

/** Asks sacctmgr to show something; the lines it prints. */
type Show = (what: readonly string[], purpose: string) => Promise<readonly string[]>;

const USERNAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/u;

/**
 * Refuses to read as a user from whom slurmdbd hides the jobs of others (PrivateData in slurmdbd.conf): their usage would
 * be missing and nothing would say so. Operators and administrators see everything, as do root and SlurmUser.
 * @param user who runs the programs; null for root
 * @throws UpstreamError that says what to change
 */
export async function requireFullView(user: string | null, show: Show): Promise<void> {
  if (user === null) return;
  const settings = slurmdbdSettings(await show(["configuration"], "asked for slurmdbd's settings"));
  const hidden = (settings.get("PrivateData") ?? "").split(",").map((name) => name.trim());
  if (!hidden.includes("jobs") && !hidden.includes("all")) return;
  if (settings.get("SlurmUser")?.startsWith(`${user}(`) === true) return;
  if (await isOperator(user, show)) return;
  throw new UpstreamError(
    `Slurm hides the jobs of others from ${user} (PrivateData in slurmdbd.conf), so usage would be missing. ` +
      `Let an administrator run: sacctmgr modify user where name=${user} set adminlevel=operator`,
  );
}

async function isOperator(user: string, show: Show): Promise<boolean> {
  if (!USERNAME.test(user)) return false;
  const levels = await show(["user", `name=${user}`, "format=AdminLevel"], "asked for our own rights");
  return levels.some((level) => level === "Operator" || level === "Administrator");
}

/** The part of `sacctmgr show configuration` that slurmdbd answered; the part before it is the client's own. */
function slurmdbdSettings(lines: readonly string[]): ReadonlyMap<string, string> {
  const start = lines.findIndex((line) => /^slurmdbd configuration/iu.test(line));
  const pairs = lines.slice(start + 1).map((line): [string, string] => {
    const equals = line.indexOf("=");
    return [line.slice(0, Math.max(equals, 0)).trim(), line.slice(equals + 1).trim()];
  });
  return new Map(pairs);
}
