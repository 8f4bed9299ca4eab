import fastifyStatic from "@fastify/static";
import { z } from "zod";
import type { App } from "./context.ts";
import { MessageError } from "./message-error.ts";

/** What the build makes: no folders, nothing hidden. */
const BUILT_NAME = /^[\w-][\w.-]*$/u;
const YEAR_MS = 365 * 24 * 3_600 * 1_000;

/** The built files under `/assets/`. Their names hold a hash of what is in them, so browsers may keep them for ever. */
export async function serveAssets(app: App, publicDir: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: publicDir,
    serve: false,
    index: false,
    dotfiles: "deny",
    maxAge: YEAR_MS,
    immutable: true,
  });
  app.get(
    "/assets/*",
    {
      config: { access: "public", stateless: true, rateLimit: false },
      schema: { params: z.object({ "*": z.string() }) },
    },
    (request, reply) => {
      const name = request.params["*"];
      if (!BUILT_NAME.test(name)) throw new MessageError("error.text.notFound", { status: 404 });
      return reply.sendFile(name);
    },
  );
}
