import type { Formatter } from "../../format.ts";

/** An instant in the site's zone; the zone shows on hover. */
export function When({
  at,
  fmt,
  look = "short",
}: {
  readonly at: Date;
  readonly fmt: Formatter;
  readonly look?: "short" | "long";
}) {
  return (
    <time dateTime={at.toISOString()} title={fmt.dateTimeZone(at)}>
      {look === "short" ? fmt.dateTimeShort(at) : fmt.dateTime(at)}
    </time>
  );
}
