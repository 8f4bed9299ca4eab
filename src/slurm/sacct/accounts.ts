/** The accounts of a cluster, from what sacctmgr(1) prints. */
import { UpstreamError } from "../../errors.ts";
import type { AccountMember, AccountSnapshot, SlurmAccount } from "../source.ts";

/** Columns of `sacctmgr show association` that `readAccounts` takes. */
export const ASSOCIATION_COLUMNS = "Account,ParentName,User";
/** Columns of `sacctmgr show account withcoord`; the free text stands last, because sacctmgr escapes nothing. */
export const ACCOUNT_COLUMNS = "Account,Coordinators,Organization,Description";

interface Details {
  readonly coordinators: readonly string[];
  readonly organization: string;
  readonly description: string;
}

const NO_DETAILS: Details = { coordinators: [], organization: "", description: "" };

/**
 * @param associationLines of the cluster: one for each account (without a user) and one for each member, several where
 * a member has one for each partition.
 * @param accountLines of all clusters. Only accounts with an association count, so a line that is but the rest of a
 * description with a line break in it does no harm.
 * @throws UpstreamError when a line of the associations is not of three columns.
 */
export function readAccounts(associationLines: readonly string[], accountLines: readonly string[]): AccountSnapshot {
  const parents = new Map<string, string | null>();
  const members = new Map<string, AccountMember>();
  for (const line of associationLines) {
    const [account, parent, user, ...more] = line.split("|");
    if (account === undefined || account === "" || parent === undefined || user === undefined || more.length > 0)
      throw new UpstreamError(`sacctmgr wrote an association that cannot be read: ${JSON.stringify(line)}.`);
    if (user === "") parents.set(account, parent === "" ? null : parent);
    else members.set(`${account}|${user}`, { account, user });
  }
  const details = readDetails(accountLines);
  const accounts = [...parents].map(([name, parent]): SlurmAccount => {
    const { organization, description } = details.get(name) ?? NO_DETAILS;
    return { name, parent, description, organization };
  });
  return { accounts, members: [...members.values()], coordinators: ownCoordinators(accounts, details) };
}

function readDetails(lines: readonly string[]): ReadonlyMap<string, Details> {
  return new Map(
    lines.map((line) => {
      const [account = "", coordinators = "", organization = "", ...description] = line.split("|");
      const names = coordinators.split(",").filter((name) => name !== "");
      return [account, { coordinators: names, organization, description: description.join("|") }];
    }),
  );
}

/** Slurm lists the coordinators of the accounts above as well; who is one of the parent's is left to the parent. */
function ownCoordinators(accounts: readonly SlurmAccount[], details: ReadonlyMap<string, Details>): AccountMember[] {
  return accounts.flatMap(({ name, parent }) => {
    const inherited = new Set(parent === null ? [] : details.get(parent)?.coordinators);
    const own = (details.get(name)?.coordinators ?? []).filter((user) => !inherited.has(user));
    return own.map((user) => ({ account: name, user }));
  });
}
