import { Button } from "./ui/button.tsx";
import { CsrfField, HiddenFields, Input } from "./ui/form.tsx";
import { Panel } from "./ui/panel.tsx";
import { Notice } from "./ui/status.tsx";
import { BareShell, type Frame } from "./layout.tsx";

export type LoginProblem = { readonly kind: "refused" } | { readonly kind: "locked"; readonly minutes: number };

export interface LoginPageProps {
  readonly frame: Frame;
  /** Where to go afterwards, if not to the own start page. */
  readonly next: string | null;
  /** What was typed, so that it need not be typed again. */
  readonly username?: string;
  readonly problem?: LoginProblem;
}

export function LoginPage({ frame, next, username = "", problem }: LoginPageProps) {
  const { t } = frame;
  return (
    <BareShell frame={frame} title={t("login.title")} subtitle={t("login.subtitle")}>
      {problem === undefined ? null : (
        <Notice kind="error" t={t}>
          {problem.kind === "refused" ? t("login.refused") : t("login.locked", { minutes: problem.minutes })}
        </Notice>
      )}
      <Panel>
        <form method="post" action="/login" class="stack-form">
          <CsrfField token={frame.csrfToken} />
          {next === null ? null : <HiddenFields values={{ next }} />}
          <Input
            id="username"
            name="username"
            label={t("login.username")}
            value={username}
            autocomplete="username"
            spellcheck={false}
            autofocus={username === ""}
            required
          />
          <Input
            id="password"
            name="password"
            type="password"
            label={t("login.password")}
            autocomplete="current-password"
            autofocus={username !== ""}
            required
          />
          <div class="actions">
            <Button kind="primary" busyText={t("action.working")}>
              {t("login.submit")}
            </Button>
          </div>
        </form>
      </Panel>
    </BareShell>
  );
}
