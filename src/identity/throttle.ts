import { isIPv6 } from "node:net";
import type { Queries } from "../db/database.ts";
import { countAttempt, type ThrottleKey, type ThrottleRule } from "./throttle-store.ts";
import { isUsername } from "./username.ts";

export type Admission =
  /** `locks` when this attempt is the last one: if it fails, the lock is on. */
  | { readonly kind: "admitted"; readonly locks: boolean }
  | { readonly kind: "locked"; readonly retryAfterSeconds: number };

/** Asks to check one password. The attempt counts as failed until `deleteThrottle` says otherwise. */
export async function admitAttempt(
  queries: Queries,
  key: ThrottleKey,
  rule: ThrottleRule,
  now: Date,
): Promise<Admission> {
  const { fails, locked_until: lockedUntil } = await countAttempt(queries, key, rule, now);
  if (fails <= rule.maxFails) return { kind: "admitted", locks: fails === rule.maxFails };
  // The lock may have been set by a replica whose limit was another.
  const waitMs = (lockedUntil?.getTime() ?? now.getTime() + rule.lockSeconds * 1_000) - now.getTime();
  return { kind: "locked", retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) };
}

/** Names that cannot exist share one counter, so that rows are made for sensible names only. */
export function throttleKey(username: string, ip: string): ThrottleKey {
  return { username: isUsername(username) ? username : "", ip: networkOf(ip) };
}

/** An IPv6 subscriber has a whole /64 to call from: it is one caller. */
function networkOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/iu.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(ip)) return ip.slice(0, 64);
  const [head = "", tail] = (ip.split("%")[0] ?? "").toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => "0");
  const groups = [...before, ...gap, ...after].slice(0, 4).map((group) => group.replace(/^0+(?=.)/u, ""));
  return `${groups.join(":")}::/64`;
}
