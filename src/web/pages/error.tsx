/** What stands where a page could not be shown. */
import { LinkButton } from "./ui/button.tsx";
import { Panel } from "./ui/panel.tsx";
import { BareShell, type Frame } from "./layout.tsx";

const TITLES = {
  401: "error.title.signIn",
  403: "error.title.forbidden",
  404: "error.title.notFound",
  409: "error.title.conflict",
  429: "error.title.tooMany",
  500: "error.title.unexpected",
  502: "error.title.unavailable",
  503: "error.title.unavailable",
} as const;

type TitleKey = (typeof TITLES)[keyof typeof TITLES] | "error.title.invalid";

const titles: ReadonlyMap<number, TitleKey> = new Map(
  Object.entries(TITLES).map(([status, key]) => [Number(status), key]),
);

export interface ErrorPageProps {
  readonly frame: Frame;
  readonly status: number;
  /** What was wrong and what to do. */
  readonly text: string;
  /** Given where the details are in the log. */
  readonly requestId?: string | undefined;
}

export function ErrorPage({ frame, status, text, requestId }: ErrorPageProps) {
  const { t } = frame;
  const action = status === 401 ? { href: "/login", label: t("login.submit") } : { href: "/", label: t("error.home") };
  return (
    <BareShell frame={frame} title={t(titles.get(status) ?? "error.title.invalid")}>
      <Panel>
        <div class="stack-form">
          <p>{text}</p>
          {requestId === undefined ? null : (
            <p class="small second">
              <code>{t("error.requestId", { id: requestId })}</code>
              <br />
              {t("error.requestIdHint")}
            </p>
          )}
          <div class="actions">
            <LinkButton kind="primary" href={action.href}>
              {action.label}
            </LinkButton>
          </div>
        </div>
      </Panel>
    </BareShell>
  );
}
