/** Redirects that come from outside may only lead to our own pages. */

const NOWHERE = "http://same-site.invalid";
const LONGEST = 2_000;

/**
 * The path (with its query) if it leads to a page of this site, else null. Judged by the parser that browsers use, for
 * they drop tabs, take `\` for `/` and resolve `/.//other.example` to another host.
 */
export function safePath(path: string | undefined): string | null {
  if (path === undefined || !path.startsWith("/") || path.length > LONGEST) return null;
  if (!URL.canParse(path, NOWHERE)) return null;
  const url = new URL(path, NOWHERE);
  if (url.origin !== NOWHERE || url.pathname.startsWith("//")) return null;
  return url.pathname + url.search;
}

/** The page of ours that a request came from; null when it came from elsewhere or does not say. */
export function refererPath(referer: string | undefined, hostname: string): string | null {
  if (referer === undefined || !URL.canParse(referer)) return null;
  const url = new URL(referer);
  return url.hostname === hostname ? safePath(url.pathname + url.search) : null;
}
