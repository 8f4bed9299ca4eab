import type { FastifyReply } from "fastify";
import type { Config } from "../../config.ts";

export const SESSION_COOKIE = "hpc_session";
/** Holds nothing but randomness that an anonymous visitor's CSRF tokens are bound to. */
export const ANONYMOUS_COOKIE = "hpc_visitor";
export const LANG_COOKIE = "lang";
export const THEME_COOKIE = "theme";

const YEAR_SECONDS = 365 * 24 * 3_600;

/** Ends with the browser; the server ends it earlier when it is idle. */
export function setSecretCookie(reply: FastifyReply, config: Config, name: string, value: string): void {
  reply.setCookie(name, value, {
    path: "/",
    httpOnly: true,
    sameSite: config.cookie.sameSite,
    secure: config.cookie.secure,
  });
}

export function clearSessionCookie(reply: FastifyReply, config: Config): void {
  reply.clearCookie(SESSION_COOKIE, {
    path: "/",
    httpOnly: true,
    sameSite: config.cookie.sameSite,
    secure: config.cookie.secure,
  });
}

/** A choice of the visitor's. `httpOnly: false` where the browser's own script sets it too. */
export function setPreferenceCookie(
  reply: FastifyReply,
  config: Config,
  cookie: { readonly name: string; readonly value: string; readonly httpOnly: boolean },
): void {
  reply.setCookie(cookie.name, cookie.value, {
    path: "/",
    maxAge: YEAR_SECONDS,
    httpOnly: cookie.httpOnly,
    sameSite: config.cookie.sameSite,
    secure: config.cookie.secure,
  });
}
