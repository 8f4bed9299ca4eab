/** What an address can say beside its path; what is undefined or empty is left out. */
export type Params = Readonly<Record<string, string | undefined>>;

/** `address("/me", { view: "detail", q: "" })` is `/me?view=detail`. */
export function address(path: string, params: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined && value !== "") query.set(name, value);
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

/** As hidden fields of a form that sends the same. */
export function asFields(params: Params): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(params).flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value]])),
  );
}
