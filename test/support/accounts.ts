import type { AccountMember, AccountSnapshot, SlurmAccount } from "../../src/slurm/source.ts";

/** An account below `root` unless told otherwise. */
export function anAccount(name: string, parent: string | null = "root"): SlurmAccount {
  return { name, parent, description: `about ${name}`, organization: "" };
}

/** A snapshot with people by account. */
export function aSnapshot(given: {
  readonly accounts: readonly SlurmAccount[];
  readonly members?: Readonly<Record<string, readonly string[]>>;
  readonly coordinators?: Readonly<Record<string, readonly string[]>>;
}): AccountSnapshot {
  return {
    accounts: given.accounts,
    members: people(given.members ?? {}),
    coordinators: people(given.coordinators ?? {}),
  };
}

function people(byAccount: Readonly<Record<string, readonly string[]>>): AccountMember[] {
  return Object.entries(byAccount).flatMap(([account, users]) => users.map((user) => ({ account, user })));
}
