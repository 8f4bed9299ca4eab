/** What the usage is narrowed to: menus to choose from, and what is chosen with a way out of it. */
import { TIERS } from "../../../rating/tiers.ts";
import { FilterForm, Input, jobStateText, Select, type Choice } from "../ui/index.ts";
import type { UsagePageProps } from "./usage.tsx";
import { usageHref, type UsageAddress } from "./usage-address.ts";
import { textParams, tierName } from "./view.ts";

/** States worth choosing, the frequent ones first. */
const STATES = [
  "COMPLETED",
  "FAILED",
  "TIMEOUT",
  "OUT_OF_MEMORY",
  "CANCELLED",
  "NODE_FAIL",
  "PREEMPTED",
  "DEADLINE",
  "BOOT_FAIL",
];

/** A value that is set stays choosable, also where the window has none of it. */
function choicesOf(
  first: string,
  values: readonly string[],
  current: string,
  words: (value: string) => string = (value) => value,
): readonly Choice[] {
  const all = current === "" || values.includes(current) ? values : [...values, current];
  return [
    { value: "", label: first },
    ...all.filter((value) => value !== "").map((value) => ({ value, label: words(value) })),
  ];
}

export function UsageFilters({ view, address, choices }: UsagePageProps) {
  const { t } = view;
  const { cluster, user, account, partition, tier, state, billed, q, ...keep } = address;
  const isJobs = address.group === "jobs";
  return (
    <div class="filters">
      <FilterForm t={t} action="/admin" keep={textParams({ section: "usage", ...keep })}>
        {isJobs ? (
          <Input
            id="q"
            name="q"
            type="search"
            width="search"
            label={t("usage.search")}
            labelLook="hidden"
            placeholder={t("usage.searchHint")}
            value={q}
            maxLength={100}
          />
        ) : null}
        <Input
          id="user"
          name="user"
          type="search"
          width="search"
          label={t("usage.userExact")}
          labelLook="hidden"
          placeholder={t("usage.userExact")}
          value={user}
          maxLength={64}
        />
        <Select
          id="account"
          name="account"
          label={t("usage.one.account")}
          labelLook="hidden"
          value={account}
          options={choicesOf(t("usage.allAccounts"), choices.accounts, account)}
        />
        <Select
          id="partition"
          name="partition"
          label={t("usage.one.partition")}
          labelLook="hidden"
          value={partition}
          options={choicesOf(t("usage.allPartitions"), choices.partitions, partition)}
        />
        <Select
          id="cluster"
          name="cluster"
          label={t("usage.one.cluster")}
          labelLook="hidden"
          value={cluster}
          options={choicesOf(t("usage.allClusters"), choices.clusters, cluster)}
        />
        <Select
          id="tier"
          name="tier"
          label={t("usage.one.tier")}
          labelLook="hidden"
          value={tier}
          options={choicesOf(t("usage.allTiers"), TIERS, tier, (value) => tierName(value, t))}
        />
        {isJobs ? (
          <>
            <Select
              id="state"
              name="state"
              label={t("usage.state")}
              labelLook="hidden"
              value={state}
              options={choicesOf(t("usage.anyState"), ["failed", ...STATES], state, (value) =>
                value === "failed" ? t("usage.failed") : jobStateText(value, t),
              )}
            />
            <Select
              id="billed"
              name="billed"
              label={t("usage.billing")}
              labelLook="hidden"
              value={billed}
              options={choicesOf(t("usage.anyBilling"), ["no", "yes"], billed, (value) =>
                t(value === "no" ? "usage.open" : "usage.billed"),
              )}
            />
          </>
        ) : null}
      </FilterForm>
      <Chosen address={address} view={view} />
    </div>
  );
}

function Chosen({ address, view }: Pick<UsagePageProps, "address" | "view">) {
  const { t } = view;
  const words: readonly (readonly [field: keyof UsageAddress, text: string])[] = [
    ["user", address.user],
    ["account", address.account],
    ["partition", address.partition],
    ["cluster", address.cluster],
    ["tier", address.tier === "" ? "" : tierName(address.tier, t)],
  ];
  const chosen = words.filter(([, text]) => text !== "");
  if (chosen.length === 0) return null;
  return (
    <p class="chosen small">
      <span class="second">{t("usage.filters")}</span>
      {chosen.map(([field, text]) => (
        <a href={usageHref({ ...address, [field]: "" })} class="chip" aria-label={t("usage.without", { what: text })}>
          {text} <span aria-hidden="true">×</span>
        </a>
      ))}
      <a
        href={usageHref({
          ...address,
          user: "",
          account: "",
          partition: "",
          cluster: "",
          tier: "",
          state: "",
          billed: "",
          q: "",
        })}
      >
        {t("usage.clear")}
      </a>
    </p>
  );
}
