import { Button } from "./ui/button.tsx";
import { CsrfField, Input } from "./ui/form.tsx";
import { Panel } from "./ui/panel.tsx";
import { Notice } from "./ui/status.tsx";
import { UserShell, type SignedInFrame } from "./layout.tsx";

export interface ChangePasswordPageProps {
  readonly frame: SignedInFrame;
  readonly isChanged?: boolean;
  /** What was wrong, beside the field it was wrong in. */
  readonly problem?: { readonly field: "current" | "next" | "repeat"; readonly text: string };
}

export function ChangePasswordPage({ frame, isChanged = false, problem }: ChangePasswordPageProps) {
  const { t } = frame;
  const errorOf = (field: "current" | "next" | "repeat"): string | undefined =>
    problem?.field === field ? problem.text : undefined;
  return (
    <UserShell frame={frame} title={t("password.title")}>
      {isChanged ? (
        <Notice kind="good" t={t}>
          {t("password.changed")}
        </Notice>
      ) : null}
      <Panel>
        <form method="post" action="/account/password" class="stack-form">
          <CsrfField token={frame.csrfToken} />
          {/* Tells password managers whose password it is. */}
          <input type="text" name="username" value={frame.user.name} autocomplete="username" hidden readOnly />
          <Input
            id="current"
            name="current"
            type="password"
            label={t("password.current")}
            error={errorOf("current")}
            autocomplete="current-password"
            required
          />
          <Input
            id="next"
            name="next"
            type="password"
            label={t("password.next")}
            hint={t("password.nextHint")}
            error={errorOf("next")}
            autocomplete="new-password"
            required
          />
          <Input
            id="repeat"
            name="repeat"
            type="password"
            label={t("password.repeat")}
            error={errorOf("repeat")}
            autocomplete="new-password"
            required
          />
          <div class="actions">
            <Button kind="primary" busyText={t("action.working")}>
              {t("password.submit")}
            </Button>
          </div>
        </form>
      </Panel>
    </UserShell>
  );
}
