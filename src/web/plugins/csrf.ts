/**
 * CSRF tokens are HMACs over a nonce and what they are bound to: the session, or for an anonymous visitor a random
 * cookie. Nothing is stored, tabs do not invalidate each other, and since each page has another nonce, compression
 * gives nothing away.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { MessageError } from "./message-error.ts";
import { ANONYMOUS_COOKIE, setSecretCookie } from "./cookies.ts";
import type { App, WebContext } from "./context.ts";

const NONCE_LENGTH = 16;
const KEY_PATTERN = /^[A-Za-z0-9_-]{22}$/u;
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

function sign(secretKey: string, nonce: string, binding: string): Buffer {
  return createHmac("sha256", secretKey).update(`csrf\n${nonce}\n${binding}`).digest();
}

function mint(secretKey: string, binding: string): string {
  const nonce = randomBytes(12).toString("base64url");
  return nonce + sign(secretKey, nonce, binding).toString("base64url");
}

function isGenuine(secretKey: string, token: string, binding: string): boolean {
  const given = Buffer.from(token.slice(NONCE_LENGTH), "base64url");
  const expected = sign(secretKey, token.slice(0, NONCE_LENGTH), binding);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The token for the forms of the page that answers this request. */
export function csrfToken(request: FastifyRequest): string {
  const { secretKey } = request.server.web.config;
  if (request.visitor !== null) return mint(secretKey, sessionBinding(request.visitor.sessionHash));
  request.anonymousKey ??= anonymousKeyOf(request) ?? randomBytes(16).toString("base64url");
  return mint(secretKey, anonymousBinding(request.anonymousKey));
}

function sessionBinding(sessionHash: Buffer): string {
  return `session ${sessionHash.toString("hex")}`;
}

function anonymousBinding(key: string): string {
  return `anonymous ${key}`;
}

function anonymousKeyOf(request: FastifyRequest): string | undefined {
  const key = request.cookies[ANONYMOUS_COOKIE];
  return key !== undefined && KEY_PATTERN.test(key) ? key : undefined;
}

/**
 * What a token may be bound to: the session, where there is one. What anybody may send (the login form, the language)
 * may also come from a page that was opened before another tab signed in.
 */
function bindingsOf(request: FastifyRequest): string[] {
  const key = anonymousKeyOf(request);
  const anonymous = key === undefined ? [] : [anonymousBinding(key)];
  if (request.visitor === null) return anonymous;
  const session = sessionBinding(request.visitor.sessionHash);
  return request.routeOptions.config.access === "public" ? [session, ...anonymous] : [session];
}

function sentToken(request: FastifyRequest): string | undefined {
  const header = request.headers["x-csrftoken"];
  if (typeof header === "string") return header;
  const { body } = request;
  if (typeof body !== "object" || body === null || !("csrf_token" in body)) return undefined;
  return typeof body.csrf_token === "string" ? body.csrf_token : undefined;
}

function needsToken(request: FastifyRequest): boolean {
  if (request.is404 || SAFE_METHODS.has(request.method)) return false;
  const { access, csrf } = request.routeOptions.config;
  if (access === "provider" || access === "private") return false;
  return csrf !== "session" || request.visitor !== null;
}

/** Refuses every request that changes something and does not come from one of our own pages. */
export function protectFromForgery(app: App, { config }: Pick<WebContext, "config">): void {
  app.decorateRequest("anonymousKey", null);
  app.addHook("preValidation", (request, _reply, done) => {
    if (!needsToken(request)) return done();
    const token = sentToken(request) ?? "";
    if (bindingsOf(request).some((binding) => isGenuine(config.secretKey, token, binding))) return done();
    done(new MessageError("error.text.csrf", { status: 403 }));
  });
  app.addHook("onSend", (request, reply, payload, done) => {
    const { anonymousKey } = request;
    if (anonymousKey !== null && request.cookies[ANONYMOUS_COOKIE] !== anonymousKey) {
      setSecretCookie(reply, config, ANONYMOUS_COOKIE, anonymousKey);
    }
    done(null, payload);
  });
}
