/** The group's usage by person and by account. */
import type { UsageGroup, UsageSums } from "../../../usage/queries/summary.ts";
import { KeyPager } from "../admin/parts.tsx";
import { DataTable, LinkButton, Panel, TwoLines, type Column } from "../ui/index.ts";
import { address } from "./address.ts";
import { groupHref, type GroupAccount, type GroupProps } from "./group-model.ts";
import { sumColumns } from "./overview.tsx";
import type { MeCommon } from "./shell.tsx";

/** The sums of every view, with what is not billed yet in front of the amount. */
function columnsOf(common: MeCommon): Column<UsageSums>[] {
  const { frame, fmt } = common;
  const columns = sumColumns(common);
  const open: Column<UsageSums> = {
    key: "open",
    header: frame.t("me.notBilled"),
    align: "end",
    phone: "line",
    cell: ({ unbilledMinor }) => fmt.money(unbilledMinor),
  };
  return [...columns.slice(0, -1), open, ...columns.slice(-1)];
}

function totalCells(common: MeCommon, total: UsageSums) {
  return Object.fromEntries(columnsOf(common).map((column) => [column.key, column.cell(total)]));
}

function Download({ common, account, member }: GroupProps) {
  const { window, frame } = common;
  return (
    <LinkButton
      href={address("/me/group.csv", { start: window.fromDay, end: window.toDay, account, member })}
      icon="download"
      size="small"
      download
    >
      {frame.t("me.download")}
    </LinkButton>
  );
}

export function GroupMembers(props: GroupProps) {
  const { common, account, members, people, now } = props;
  const { t } = common.frame;
  const isCut = members.length < people;
  return (
    <>
      <Panel id="people" title={t("group.byMember")} body="flush" actions={<Download {...props} />}>
        <DataTable<UsageGroup>
          caption={t("group.byMember")}
          rows={members}
          columns={[
            {
              key: "member",
              header: t("group.member"),
              cell: ({ key }) => (key === "" ? "–" : <a href={groupHref(common, { account, member: key })}>{key}</a>),
            },
            ...columnsOf(common),
          ]}
          foot={[
            {
              cells: {
                member: isCut ? t("group.totalPeople", { count: people }) : t("me.total"),
                ...totalCells(common, now),
              },
            },
          ]}
        />
      </Panel>
      {isCut ? (
        <KeyPager
          t={t}
          text={t("group.shownPeople", { shown: members.length, count: people })}
          backHref={props.backHref}
          onHref={props.onHref}
        />
      ) : null}
    </>
  );
}

export function GroupAccounts(props: GroupProps) {
  const { common, member, accounts, usedAccounts, now } = props;
  const { t } = common.frame;
  const isCut = accounts.length < usedAccounts;
  return (
    <Panel
      id="accounts"
      title={t("me.byAccount")}
      body="flush"
      {...(member !== "" && { actions: <Download {...props} /> })}
      {...(isCut && { foot: t("group.shownAccounts", { shown: accounts.length, count: usedAccounts }) })}
    >
      <DataTable<GroupAccount>
        caption={t("me.byAccount")}
        rows={accounts}
        columns={[
          {
            key: "account",
            header: t("me.account"),
            cell: ({ account, place }) => {
              const link = <a href={groupHref(common, { account, member })}>{account === "" ? "–" : account}</a>;
              return place.length === 0 ? link : <TwoLines main={link} note={place.join(" › ")} />;
            },
          },
          ...columnsOf(common),
        ]}
        foot={[
          {
            cells: {
              account: isCut ? t("group.totalAccounts", { count: usedAccounts }) : t("me.total"),
              ...totalCells(common, now),
            },
          },
        ]}
      />
    </Panel>
  );
}
