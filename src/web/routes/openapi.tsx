import { z } from "zod";
import { ApiDocumentationPage, type ApiOperation } from "../pages/api-documentation.tsx";
import { pageFrame, renderPage, type RouteModule } from "../route-kit.ts";

/** What the page shows of the document; everything else in it is for programs. */
const documentSchema = z.object({
  info: z.object({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});

const operationSchema = z.object({
  summary: z.string().default(""),
  description: z.string().default(""),
  tags: z.array(z.string()).default([]),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.string(),
        required: z.boolean().default(false),
        description: z.string().default(""),
      }),
    )
    .default([]),
});

/** The API's description: open where the site is tried out, for administrators where it is in use. */
export const apiDocumentationRoutes: RouteModule = (app, { config }) => {
  const access = config.appEnv === "production" ? "admin" : "public";

  app.get("/openapi.json", { config: { access, errors: "json" } }, () => app.swagger());

  app.get("/docs/api", { config: { access } }, (request, reply) => {
    const { info, paths } = documentSchema.parse(app.swagger());
    return renderPage(
      reply,
      <ApiDocumentationPage
        frame={pageFrame(request)}
        title={info.title}
        version={info.version}
        operations={operationsOf(paths)}
      />,
    );
  });
};

function operationsOf(paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>): ApiOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      ...operationSchema.parse(operation),
    })),
  );
}
