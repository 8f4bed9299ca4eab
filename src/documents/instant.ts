/** Makes a formatter of instants in a time zone, as ISO 8601 with the offset: `2026-10-31T22:14:00+07:00`. */
export function zonedIso(timeZone: string): (epochSeconds: number) => string {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "longOffset",
  });
  return (epochSeconds) => {
    const parts = new Map(format.formatToParts(epochSeconds * 1000).map((part) => [part.type, part.value]));
    const at = (name: Intl.DateTimeFormatPartTypes): string => parts.get(name) ?? "00";
    const offset = at("timeZoneName")
      .replace(/^(GMT|UTC)/u, "")
      .replace("\u2212", "-");
    return `${at("year")}-${at("month")}-${at("day")}T${at("hour")}:${at("minute")}:${at("second")}${offset === "" ? "+00:00" : offset}`;
  };
}
