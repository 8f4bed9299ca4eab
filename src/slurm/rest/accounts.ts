/** The account tree, who may use it and who may see it, from slurmdb's associations and accounts. */
import type { AccountMember, AccountSnapshot, SlurmAccount } from "../source.ts";
import type { RestClient } from "./client.ts";
import { listAt, numberAt, textAt, valueAt } from "./fields.ts";
import { listPath, type ApiVersion } from "./version.ts";

/** Reads the accounts as they stand now; of one cluster, or of all when none is named. @throws UpstreamError */
export async function readAccounts(
  client: RestClient,
  version: ApiVersion,
  ask: { readonly cluster: string | null; readonly signal: AbortSignal },
): Promise<AccountSnapshot> {
  const query = ask.cluster === null ? "" : `?cluster=${encodeURIComponent(ask.cluster)}`;
  const [associationAnswer, accountAnswer] = await Promise.all([
    client.read(`${listPath(version, "associations")}${query}`, ask.signal),
    client.read(`${listPath(version, "accounts")}${coordinatorsQuery(version)}`, ask.signal),
  ]);
  const associations = listAt(associationAnswer, "associations").filter(
    (entry) => !isDeleted(entry) && (ask.cluster === null || [ask.cluster, ""].includes(textAt(entry, "cluster"))),
  );
  const details = new Map(listAt(accountAnswer, "accounts").map((entry) => [textAt(entry, "name"), entry]));
  const accounts = readTree(associations, details);
  const members = unique(
    associations.map((entry) => ({ account: textAt(entry, "account"), user: textAt(entry, "user") })),
  );
  const coordinators = unique(accounts.flatMap(({ name }) => coordinatorsOf(name, details.get(name))));
  return { accounts, members, coordinators };
}

/** v0.0.38 tells coordinators unasked; the parameter has had two names since. */
function coordinatorsQuery(version: ApiVersion): string {
  if (version < 39) return "";
  const parameters = version <= 40 ? ["with_coords"] : version === 41 ? ["with_coords", "WithCoordinators"] : ["WithCoordinators"]; // prettier-ignore
  return `?${parameters.map((name) => `${name}=true`).join("&")}`;
}

/** An account's place in the tree is told by its association without a user. */
function readTree(associations: readonly unknown[], details: ReadonlyMap<string, unknown>): readonly SlurmAccount[] {
  const accounts = new Map<string, SlurmAccount>();
  for (const entry of associations) {
    const name = textAt(entry, "account");
    if (name === "" || textAt(entry, "user") !== "" || accounts.has(name)) continue;
    const parent = textAt(entry, "parent_account");
    accounts.set(name, {
      name,
      parent: parent === "" || parent === name ? null : parent,
      description: textAt(details.get(name), "description"),
      organization: textAt(details.get(name), "organization"),
    });
  }
  return [...accounts.values()];
}

/** Those set on the account itself; Slurm also lists those that follow from an account above it. */
function coordinatorsOf(account: string, details: unknown): readonly AccountMember[] {
  return listAt(details, "coordinators")
    .filter((entry) => valueAt(entry, "direct") !== false && numberAt(entry, "direct") !== 0)
    .map((entry) => ({ account, user: typeof entry === "string" ? entry : textAt(entry, "name") }));
}

/** A user has one association for each partition; here they count once. */
function unique(members: readonly AccountMember[]): readonly AccountMember[] {
  const byKey = new Map<string, AccountMember>();
  for (const member of members) {
    if (member.account !== "" && member.user !== "") byKey.set(`${member.account}\0${member.user}`, member);
  }
  return [...byKey.values()];
}

function isDeleted(association: unknown): boolean {
  return listAt(association, "flags").includes("DELETED");
}
