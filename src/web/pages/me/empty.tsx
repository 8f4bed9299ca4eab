import { EmptyState, LinkButton, Panel } from "../ui/index.ts";
import { address } from "./address.ts";
import type { MeCommon, MeView } from "./shell.tsx";

/** An empty window says when the last job ran, and leads there. */
export function EmptyWindow({
  common,
  view,
  lastDay,
}: {
  readonly common: MeCommon;
  readonly view: MeView;
  readonly lastDay: string | null;
}) {
  const { t } = common.frame;
  const { fmt } = common;
  if (lastDay === null) {
    return (
      <Panel>
        <EmptyState title={t("me.emptyFirst")}>{t("me.emptyFirstHint")}</EmptyState>
      </Panel>
    );
  }
  const start = `${lastDay.slice(0, 7)}-01`;
  const href = address("/me", { view: view === "aggregate" ? undefined : view, start, before: monthEnd(lastDay) });
  return (
    <Panel>
      <EmptyState
        title={t("me.empty")}
        action={<LinkButton href={href}>{t("me.emptyAction", { month: fmt.monthYear(lastDay) })}</LinkButton>}
      >
        {t("me.emptyLast", { day: fmt.dateLong(lastDay) })}
      </EmptyState>
    </Panel>
  );
}

/** Last day of the month a day lies in. */
export function monthEnd(day: string): string {
  const date = new Date(`${day.slice(0, 7)}-01T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + 1, 0);
  return date.toISOString().slice(0, 10);
}
