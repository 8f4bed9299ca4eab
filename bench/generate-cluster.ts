/** The clusters that made-up accounting is about. */
export interface UserProfile {
  readonly name: string;
  readonly uid: number;
  readonly account: string;
  /** How many of all jobs are this user's, relative to the others. */
  readonly weight: number;
  /** How likely a job of this user is of each kind. */
  readonly habits: readonly [readonly [JobKind, number], ...(readonly [JobKind, number])[]];
  /** Share of the allocated CPU time that is used, 0 to 1. */
  readonly efficiency: number;
}

export type JobKind = "serial" | "threaded" | "mpi" | "gpu" | "array" | "debug";

export interface ClusterProfile {
  readonly name: string;
  readonly users: readonly [UserProfile, ...UserProfile[]];
  readonly gpuTypes: readonly [string, ...string[]];
  readonly coresPerNode: number;
  readonly nodes: number;
  /** First submission and the moment the dump was made, in seconds since 1970. */
  readonly fromSeconds: number;
  readonly nowSeconds: number;
  readonly hasEnergyMeters: boolean;
}

const seconds = (utc: string): number => Date.parse(`${utc}Z`) / 1000;

/** A department's cluster, three months of it. */
export const DEMO_CLUSTER: ClusterProfile = {
  name: "demo",
  users: [
    {
      name: "alice",
      uid: 1001,
      account: "mu-climate",
      weight: 22,
      efficiency: 0.93,
      habits: [
        ["mpi", 5],
        ["threaded", 3],
        ["debug", 2],
      ],
    },
    {
      name: "bob",
      uid: 1002,
      account: "mu-genome",
      weight: 12,
      efficiency: 0.62,
      habits: [
        ["array", 2],
        ["serial", 6],
        ["threaded", 2],
      ],
    },
    {
      name: "somchai",
      uid: 1003,
      account: "mu-climate",
      weight: 16,
      efficiency: 0.81,
      habits: [
        ["threaded", 4],
        ["mpi", 2],
        ["serial", 3],
      ],
    },
    {
      name: "carol",
      uid: 1004,
      account: "gov-health",
      weight: 14,
      efficiency: 0.55,
      habits: [
        ["gpu", 6],
        ["debug", 2],
        ["serial", 2],
      ],
    },
    {
      name: "dan",
      uid: 1005,
      account: "gov-health",
      weight: 9,
      efficiency: 0.4,
      habits: [
        ["serial", 5],
        ["gpu", 2],
        ["threaded", 2],
      ],
    },
    {
      name: "erin",
      uid: 1006,
      account: "co-acme",
      weight: 8,
      efficiency: 0.87,
      habits: [
        ["gpu", 5],
        ["mpi", 3],
        ["debug", 1],
      ],
    },
  ],
  gpuTypes: ["a100", "h100"],
  coresPerNode: 64,
  nodes: 6,
  fromSeconds: seconds("2026-08-25T01:00:00"),
  nowSeconds: seconds("2026-11-22T16:00:00"),
  hasEnergyMeters: true,
};

const CENTRE_USERS = 400;
const CENTRE_ACCOUNTS = 60;

/** A national centre, a year of it; a few users make most of the jobs (Zipf's law). */
export const CENTRE_CLUSTER: ClusterProfile = {
  name: "centre",
  users: [centreUser(1), ...Array.from({ length: CENTRE_USERS - 1 }, (_, index) => centreUser(index + 2))],
  gpuTypes: ["a100", "h100", "nvidia_a100_1g.10gb", "v100"],
  coresPerNode: 128,
  nodes: 600,
  fromSeconds: seconds("2025-11-22T00:00:00"),
  nowSeconds: seconds("2026-11-22T16:00:00"),
  hasEnergyMeters: true,
};

function centreUser(rank: number): UserProfile {
  const kinds: readonly JobKind[] = ["serial", "array", "threaded", "gpu", "mpi"];
  const favourite = kinds[rank % kinds.length] ?? "serial";
  const group = ["mu", "gov", "co"][rank % 3] ?? "mu";
  return {
    name: `user${String(rank).padStart(4, "0")}`,
    uid: 20_000 + rank,
    account: `${group}-project${String(rank % CENTRE_ACCOUNTS).padStart(2, "0")}`,
    weight: 1 / rank ** 1.1,
    efficiency: 0.3 + ((rank * 37) % 70) / 100,
    habits: [
      [favourite, 6],
      ["serial", 2],
      ["debug", 1],
    ],
  };
}
