export const CLUSTER = "alpha";

/** A user of a company who is given the prices of the government, and keeps name and account. */
export const FAVOURED_USER = "dora";

interface Person {
  readonly user: string;
  readonly account: string;
}

/** Names that differ by case only, and names in another script. */
export const PEOPLE: readonly [Person, ...Person[]] = [
  { user: "alice", account: "mu-physics" }, { user: "Alice", account: "gov-met" }, { user: "bob", account: "mu-climate" },
  { user: "สมชาย", account: "mu-physics" }, { user: "สมหญิง", account: "co-acme" }, { user: FAVOURED_USER, account: "co-acme" },
  { user: "erik", account: "mu-climate" }, { user: "ERIK", account: "gov-met" }, { user: "fatima", account: "mu-physics" },
]; // prettier-ignore
