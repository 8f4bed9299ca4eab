import type { App } from "./context.ts";

/**
 * In this scope every body arrives as the bytes that were sent, whatever its type: a signature covers bytes, not what
 * a parser made of them. The handler reads `request.body` as a Buffer (an empty body is an empty one).
 */
export function receiveRawBodies(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => {
    done(null, body);
  });
}
