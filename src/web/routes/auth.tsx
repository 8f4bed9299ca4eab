import { z } from "zod";
import { UserError } from "../../errors.ts";
import { changeOwnPassword, endSession, isAcceptedPassword, signIn, type Role } from "../../identity/index.ts";
import { translator } from "../i18n/index.ts";
import { ChangePasswordPage, type ChangePasswordPageProps } from "../pages/change-password.tsx";
import { LoginPage, type LoginProblem } from "../pages/login.tsx";
import { clearSessionCookie, SESSION_COOKIE, setSecretCookie } from "../plugins/cookies.ts";
import { wantsJson } from "../plugins/wants-json.ts";
import {
  currentUser,
  langOfRequest,
  pageFrame,
  renderPage,
  requireUser,
  safePath,
  userFrame,
  type RouteModule,
} from "../route-kit.ts";

/** A field that was sent empty or not at all is a wrong one, not a malformed request. */
const typed = z.string().default("");

const loginForm = z.object({ username: typed, password: typed, next: z.string().optional() });
const passwordForm = z.object({ current: typed, next: typed, repeat: typed });

export const authRoutes: RouteModule = (app, { config, db, clock, metrics }) => {
  app.get("/", { config: { access: "public" } }, (request, reply) => {
    const user = currentUser(request);
    return reply.redirect(user === null ? "/login" : startPage(user.role));
  });

  app.get(
    "/login",
    { config: { access: "public" }, schema: { querystring: z.object({ next: z.string().optional() }) } },
    (request, reply) => {
      const user = currentUser(request);
      if (user !== null) return reply.redirect(landingPage(user.role, request.query.next));
      return renderPage(reply, <LoginPage frame={pageFrame(request)} next={destination(request.query.next)} />);
    },
  );

  app.post("/login", { config: { access: "public" }, schema: { body: loginForm } }, async (request, reply) => {
    const { username, password, next } = request.body;
    const user = currentUser(request);
    if (user !== null) return reply.redirect(landingPage(user.role, next));
    const outcome = await signIn(db, clock, config.throttle, {
      username,
      password,
      ip: request.ip,
      requestId: request.id,
    });
    if (outcome.kind === "signedIn") {
      metrics.logins.inc({ result: "succeeded" });
      setSecretCookie(reply, config, SESSION_COOKIE, outcome.token);
      return reply.redirect(landingPage(outcome.user.role, next));
    }
    metrics.logins.inc({ result: outcome.kind === "locked" ? "locked" : "failed" });
    if (outcome.kind === "locked") reply.header("retry-after", String(outcome.retryAfterSeconds));
    const status = outcome.kind === "locked" ? 429 : 401;
    const problem: LoginProblem =
      outcome.kind === "locked" ? { kind: "locked", minutes: minutesOf(outcome.retryAfterSeconds) } : outcome;
    if (wantsJson(request)) throw new UserError(wordsOf(problem), { status });
    return renderPage(
      reply.code(status),
      <LoginPage frame={pageFrame(request)} next={destination(next)} username={username} problem={problem} />,
    );
  });

  app.post("/logout", { config: { access: "public", csrf: "session" } }, async (request, reply) => {
    if (request.visitor !== null)
      await endSession(db, { sessionHash: request.visitor.sessionHash, requestId: request.id });
    clearSessionCookie(reply, config);
    return reply.redirect("/login");
  });

  app.get(
    "/account/password",
    { config: { access: "user" }, schema: { querystring: z.object({ changed: z.string().optional() }) } },
    (request, reply) =>
      renderPage(
        reply,
        <ChangePasswordPage frame={userFrame(request, null)} isChanged={request.query.changed !== undefined} />,
      ),
  );

  app.post(
    "/account/password",
    { config: { access: "user" }, schema: { body: passwordForm } },
    async (request, reply) => {
      const { current, next, repeat } = request.body;
      const { username } = requireUser(request);
      const t = translator(langOfRequest(request));
      const again = (status: number, problem: NonNullable<ChangePasswordPageProps["problem"]>) =>
        renderPage(reply.code(status), <ChangePasswordPage frame={userFrame(request, null)} problem={problem} />);
      if (next !== repeat) return again(400, { field: "repeat", text: t("password.repeatDiffers") });
      if (!isAcceptedPassword(next)) return again(400, { field: "next", text: t("password.invalid") });
      if (next === current) return again(400, { field: "next", text: t("password.same") });
      const outcome = await changeOwnPassword(db, clock, config.throttle, {
        username,
        current,
        next,
        ip: request.ip,
        requestId: request.id,
      });
      if (outcome.kind === "refused") return again(401, { field: "current", text: t("password.refused") });
      if (outcome.kind === "locked") {
        reply.header("retry-after", String(outcome.retryAfterSeconds));
        return again(429, {
          field: "current",
          text: t("login.locked", { minutes: minutesOf(outcome.retryAfterSeconds) }),
        });
      }
      setSecretCookie(reply, config, SESSION_COOKIE, outcome.token);
      return reply.redirect("/account/password?changed=1");
    },
  );
};

function wordsOf(problem: LoginProblem): string {
  const t = translator("en");
  return problem.kind === "refused" ? t("login.refused") : t("login.locked", { minutes: problem.minutes });
}

function minutesOf(seconds: number): number {
  return Math.max(1, Math.ceil(seconds / 60));
}

function startPage(role: Role): string {
  return role === "admin" ? "/admin" : "/me";
}

/** A page of ours worth going to after signing in. */
function destination(next: string | undefined): string | null {
  const path = safePath(next);
  return path === null || /^\/(?:$|\?|login\b|logout\b)/u.test(path) ? null : path;
}

function landingPage(role: Role, next: string | undefined): string {
  return destination(next) ?? startPage(role);
}
