/** Who is asking, in which language, and the frame of the page they get. */
import type { FastifyRequest } from "fastify";
import { MessageError } from "./message-error.ts";
import type { SignedInUser } from "../../identity/index.ts";
import { langOf, translator, type Lang } from "../i18n/index.ts";
import {
  adminNav,
  userNav,
  type AdminSection,
  type Assets,
  type Frame,
  type SignedInFrame,
  type UserSection,
} from "../pages/layout.tsx";
import type { Theme } from "../pages/ui/menu.tsx";
import { LANG_COOKIE, THEME_COOKIE } from "./cookies.ts";
import type { AssetManifest } from "./context.ts";
import { csrfToken } from "./csrf.ts";

/** Null while nobody is signed in. */
export function currentUser(request: FastifyRequest): SignedInUser | null {
  return request.visitor?.user ?? null;
}

/** The user of a route whose access is `user` or `admin`. */
export function requireUser(request: FastifyRequest): SignedInUser {
  const user = currentUser(request);
  if (user === null) throw new MessageError("error.text.signIn", { status: 401 });
  return user;
}

/** The user of a route whose access is `admin`; also for the parts of other routes that only admins may use. */
export function requireAdmin(request: FastifyRequest): SignedInUser {
  const user = requireUser(request);
  if (user.role !== "admin") throw new MessageError("error.text.adminOnly", { status: 403 });
  return user;
}

export function langOfRequest(request: FastifyRequest): Lang {
  return langOf({ cookie: request.cookies[LANG_COOKIE], acceptLanguage: request.headers["accept-language"] });
}

export function themeOfRequest(request: FastifyRequest): Theme {
  const theme = request.cookies[THEME_COOKIE];
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** The frame of any page, whoever asks. */
export function pageFrame(request: FastifyRequest): Frame {
  const { config, manifest } = request.server.web;
  return {
    siteName: config.siteName,
    t: translator(langOfRequest(request)),
    theme: themeOfRequest(request),
    csrfToken: csrfToken(request),
    path: request.method === "GET" ? request.url : "/",
    assets: assetAddresses(manifest),
  };
}

/** The frame of a researcher's page; `current` is the link of the bar that it belongs to. */
export function userFrame(request: FastifyRequest, current: UserSection | null): SignedInFrame {
  const frame = pageFrame(request);
  return { ...frame, ...accountOf(request), nav: userNav(frame.t, current) };
}

/** The frame of a page of the console. */
export function adminFrame(request: FastifyRequest, current: AdminSection | null): SignedInFrame {
  const frame = pageFrame(request);
  return { ...frame, ...accountOf(request), nav: adminNav(frame.t, current) };
}

function accountOf(request: FastifyRequest): Pick<SignedInFrame, "user"> {
  const { username, role } = requireUser(request);
  return { user: { name: username, isAdmin: role === "admin" } };
}

function assetAddresses({ script, style, icon, fonts = [] }: AssetManifest): Assets {
  const address = (name: string): string => `/assets/${name}`;
  return { script: address(script), style: address(style), icon: address(icon), fonts: fonts.map(address) };
}
