/** The API at a glance: every operation with its parameters. The whole of it is in the document for programs. */
import { LinkButton } from "./ui/button.tsx";
import { EmptyState, Panel } from "./ui/panel.tsx";
import { DataTable, TwoLines, type Column } from "./ui/table.tsx";
import { BareShell, type Frame } from "./layout.tsx";

export interface ApiParameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly description: string;
}

export interface ApiOperation {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly ApiParameter[];
}

export interface ApiDocumentationPageProps {
  readonly frame: Frame;
  readonly title: string;
  readonly version: string;
  readonly operations: readonly ApiOperation[];
}

export function ApiDocumentationPage({ frame, title, version, operations }: ApiDocumentationPageProps) {
  const { t } = frame;
  return (
    <BareShell frame={frame} title={title} subtitle={version}>
      {operations.length === 0 ? (
        <EmptyState title={t("api.none")} />
      ) : (
        operations.map((operation) => <Operation frame={frame} operation={operation} />)
      )}
      <div class="actions">
        <LinkButton href="/openapi.json" icon="file">
          {t("api.download")}
        </LinkButton>
      </div>
    </BareShell>
  );
}

function Operation({ frame: { t }, operation }: { readonly frame: Frame; readonly operation: ApiOperation }) {
  const heading = `${operation.method} ${operation.path}`;
  const columns: readonly Column<ApiParameter>[] = [
    {
      key: "name",
      header: t("api.parameter"),
      cell: (one) => <TwoLines main={<code>{one.name}</code>} note={one.in} />,
    },
    {
      key: "about",
      header: t("api.about"),
      cell: (one) => (one.required ? `${t("api.required")} ${one.description}` : one.description),
    },
  ];
  return (
    <Panel title={<code>{heading}</code>}>
      {operation.summary === "" ? null : <p>{operation.summary}</p>}
      {operation.description === "" ? null : <p class="second">{operation.description}</p>}
      {operation.parameters.length === 0 ? null : (
        <DataTable caption={heading} columns={columns} rows={operation.parameters} />
      )}
    </Panel>
  );
}
