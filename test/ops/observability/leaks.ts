/** Finds planted secrets in a text, however it was written down; independent of how the product hides them. */

/** Whose secrets they are, for the message of a test that fails. */
export type Planted = ReadonlyMap<string, string>;

/** Names of the secrets that the text gives away. */
export function leaksIn(text: string, planted: Planted): readonly string[] {
  const readings = [text, unquoted(text), unescaped(text), ...unescapedWords(text), ...decodedRuns(text)];
  return [...planted]
    .filter(([, secret]) => readings.some((reading) => reading.includes(secret)))
    .map(([name]) => name);
}

/** As the strings in it read, where it is JSON. */
function unquoted(text: string): string {
  return text.replaceAll(/\\(["\\/])/gu, "$1");
}

/** As addresses and forms read. */
function unescaped(text: string): string {
  const bytes = text.replaceAll("+", " ").replaceAll(/%([0-9a-f]{2})/giu, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))); // prettier-ignore
  return bytes;
}

function unescapedWords(text: string): readonly string[] {
  return [text.replaceAll(/%([0-9a-f]{2})/giu, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))];
}

/** Everything that could be base64 or hex, decoded from each place at which it could begin. */
function decodedRuns(text: string): readonly string[] {
  const base64 = [...text.matchAll(/[A-Za-z0-9+/_-]{8,}/gu)].flatMap(([run]) =>
    [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), "base64url").toString("latin1")),
  );
  const hex = [...text.matchAll(/[0-9a-f]{16,}/giu)].flatMap(([run]) =>
    [0, 1].map((from) => Buffer.from(run.slice(from), "hex").toString("latin1")),
  );
  return [...base64, ...hex];
}
