import swagger from "@fastify/swagger";
import { createJsonSchemaTransform } from "fastify-type-provider-zod";
import type { App } from "./context.ts";
import { SESSION_COOKIE } from "./cookies.ts";

/** Collects the routes whose schema has tags; `app.swagger()` gives the document. Comes before the routes. */
export async function describeApi(
  app: App,
  options: { readonly siteName: string; readonly version: string },
): Promise<void> {
  await app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: "3.1.0",
      info: {
        title: `${options.siteName} API`,
        version: options.version,
        description:
          "JSON and CSV routes. Errors are JSON: `error` says what was wrong and what is accepted, `code` is the HTTP status.",
      },
      components: {
        securitySchemes: {
          session: { type: "apiKey", in: "cookie", name: SESSION_COOKIE },
          csrf: {
            type: "apiKey",
            in: "header",
            name: "X-CSRFToken",
            description: "The token of any page of the session; required of every request that changes something.",
          },
        },
      },
    },
    // A bigint or a date goes over the wire as text; its own `.meta()` says in which form.
    transform: createJsonSchemaTransform({ zodToJsonConfig: { unrepresentable: "any" } }),
  });
}
