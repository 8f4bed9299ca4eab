import { z } from "zod";
import { UserError } from "../../errors.ts";
import type { App } from "./context.ts";

/** A file that was sent with a form. */
export interface SentFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Takes forms with files in this scope: text fields become strings, files `SentFile`s. The whole body is read first, so
 * that the token of the form is there when it is checked.
 */
export function receiveFiles(app: App, { limitBytes }: { readonly limitBytes: number }): void {
  app.addContentTypeParser(
    "multipart/form-data",
    { parseAs: "buffer", bodyLimit: limitBytes },
    async (request: { readonly headers: { readonly "content-type"?: string | undefined } }, body: Buffer) => {
      try {
        // The platform's own reader: no dependency knows the format better.
        const form = await new Response(new Uint8Array(body), {
          headers: { "content-type": request.headers["content-type"] ?? "" },
        }).formData();
        const fields: [string, string | SentFile][] = [];
        for (const [name, value] of form) {
          fields.push([
            name,
            typeof value === "string" ? value : { name: value.name, bytes: Buffer.from(await value.arrayBuffer()) },
          ]);
        }
        return Object.fromEntries(fields);
      } catch (error) {
        throw new UserError("the form cannot be read: it takes multipart/form-data", { cause: error });
      }
    },
  );
}

/** A field with a file. */
export const sentFile = z.object({ name: z.string(), bytes: z.instanceof(Buffer) });
