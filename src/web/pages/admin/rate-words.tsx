/** How rates and rules are said, wherever they stand. */
import type { Exemption, RuleSet } from "../../../rating/price-book.ts";
import type { VersionState } from "../../../rating/current-rates.ts";
import type { Translator } from "../../i18n/index.ts";
import { jobStateText, Pill, type Tone } from "../ui/index.ts";
import { shareText } from "../me/words.ts";
import { Facts } from "./parts.tsx";
import { tierName, type AdminView } from "./view.ts";

interface Scope {
  readonly cluster: string | null;
  readonly partition: string | null;
  readonly qos: string | null;
}

/** `everywhere`, `partition gpu, QOS long`. */
export function scopeText({ cluster, partition, qos }: Scope, t: Translator): string {
  const parts = [
    cluster === null ? null : t("rates.onCluster", { name: cluster }),
    partition === null ? null : t("rates.onPartition", { name: partition }),
    qos === null ? null : t("rates.onQos", { name: qos }),
  ].filter((part) => part !== null);
  return parts.length === 0 ? t("rates.everywhere") : parts.join(", ");
}

/** `all usage not yet billed`, `jobs that end from 1 Nov 2026 on`; from seconds since 1970 or a day. */
export function windowText(from: number | string | null, { t, fmt }: AdminView): string {
  if (from === null || from === "") return t("rates.allUnbilled");
  return t("rates.jobsFrom", { day: fmt.date(typeof from === "string" ? from : new Date(from * 1000)) });
}

const STATES = {
  inForce: ["rates.state.inForce", "good"],
  upcoming: ["rates.state.upcoming", "waiting"],
  replaced: ["rates.state.replaced", "neutral"],
} as const satisfies Record<VersionState, readonly [string, Tone]>;

export function VersionPill({ state, t }: { readonly state: VersionState; readonly t: Translator }) {
  const [key, tone] = STATES[state];
  return <Pill tone={tone}>{t(key)}</Pill>;
}

function exemptionText(exemption: Exemption, t: Translator): string {
  if (exemption.kind === "state") return t("rates.exempt.state", { name: jobStateText(exemption.state, t) });
  if (exemption.kind === "partition") return t("rates.exempt.partition", { name: exemption.partition });
  return t("rates.exempt.shorter", { count: exemption.seconds });
}

/** One version of the rules, in full. */
export function RulesFacts({
  view,
  rules,
}: {
  readonly view: AdminView;
  readonly rules: Pick<RuleSet, "basis" | "exemptions" | "shares">;
}) {
  const { t, fmt } = view;
  return (
    <Facts
      rows={[
        [t("rates.basis"), t(rules.basis === "allocated" ? "rates.basis.allocated" : "rates.basis.used")],
        [
          t("rates.exempt"),
          rules.exemptions.length === 0 ? (
            t("rates.exemptNone")
          ) : (
            <ul>
              {rules.exemptions.map((one) => (
                <li>
                  {exemptionText(one, t)} <span class="third">· {one.reason}</span>
                </li>
              ))}
            </ul>
          ),
        ],
        [
          t("rates.shares"),
          rules.shares.length === 0 ? (
            t("rates.sharesNone")
          ) : (
            <ul>
              {rules.shares.map(({ tier, millionths, reason }) => (
                <li>
                  {t("rates.share", { tier: tierName(tier, t), percent: shareText(fmt, millionths) })}{" "}
                  <span class="third">· {reason}</span>
                </li>
              ))}
            </ul>
          ),
        ],
      ]}
    />
  );
}
