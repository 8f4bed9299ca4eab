import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { LANGS } from "../i18n/index.ts";
import { LANG_COOKIE, setPreferenceCookie, THEME_COOKIE } from "../plugins/cookies.ts";
import { refererPath, safePath, type RouteModule } from "../route-kit.ts";

const THEMES = ["system", "light", "dark"] as const;
const comeBack = z.string().optional();

/** What a visitor chooses for themselves: language and theme, kept in cookies for a year. */
export const preferenceRoutes: RouteModule = (app, { config }) => {
  const open = { access: "public", csrf: "session" } as const;

  app.post(
    "/i18n/set",
    { config: open, schema: { body: z.object({ lang: z.enum(LANGS), next: comeBack }) } },
    (request, reply) => {
      setPreferenceCookie(reply, config, { name: LANG_COOKIE, value: request.body.lang, httpOnly: true });
      return reply.redirect(wayBack(request, request.body.next));
    },
  );

  // For browsers without script: with it, the page sets the same cookie itself.
  app.post(
    "/theme/set",
    { config: open, schema: { body: z.object({ theme: z.enum(THEMES), next: comeBack }) } },
    (request, reply) => {
      setPreferenceCookie(reply, config, { name: THEME_COOKIE, value: request.body.theme, httpOnly: false });
      return reply.redirect(wayBack(request, request.body.next));
    },
  );
};

function wayBack(request: FastifyRequest, next: string | undefined): string {
  return safePath(next) ?? refererPath(request.headers.referer, request.hostname) ?? "/";
}
