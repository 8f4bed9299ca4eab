import { createHash } from "node:crypto";

/** The items in an order that only the seed decides, so that what went wrong once can be seen again. */
export function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const place = (position: number): string => createHash("sha256").update(`${seed}:${position}`).digest("hex");
  return items
    .map((item, position) => ({ item, place: place(position) }))
    .sort((one, other) => (one.place < other.place ? -1 : 1))
    .map(({ item }) => item);
}
