/** Serves the gallery over HTTP under the product's own content security policy. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { buildBrowser } from "../../scripts/build.ts";
import type { Assets } from "../../src/web/pages/layout.tsx";
import { GALLERY, renderGallery } from "./ui-gallery.tsx";

export const ROOT = resolve(import.meta.dirname, "../..");
const POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

export interface GalleryServer {
  readonly origin: string;
  /** What was posted, path by path, in order. */
  readonly posts: readonly string[];
  /** What `/status` answers. */
  status: string;
  close(): void;
}

export async function serveGallery(): Promise<GalleryServer> {
  const folder = mkdtempSync(join(tmpdir(), "ui-gallery-"));
  const { script, style, icon, fonts } = await buildBrowser(ROOT, folder);
  const address = (name: string): string => `/assets/${name}`;
  const assets: Assets = {
    script: address(script),
    style: address(style),
    icon: address(icon),
    fonts: fonts.map(address),
  };
  const posts: string[] = [];

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://localhost");
    const send = (type: string, body: string | Buffer, status = 200): void => {
      response.writeHead(status, { "content-type": type, "content-security-policy": POLICY });
      response.end(body);
    };
    if (request.method === "POST") {
      posts.push(url.pathname);
      // Slow, so that there is time for a second click.
      setTimeout(() => send("text/html", "<!doctype html><title>done</title>"), 400);
      return;
    }
    if (url.pathname === "/status") return send("application/json", JSON.stringify({ status: running.status }));
    if (url.pathname.startsWith("/assets/")) {
      const file = join(folder, "public", url.pathname.slice("/assets/".length));
      return send(TYPES[extname(file)] ?? "application/octet-stream", readFileSync(file));
    }
    const page = GALLERY.find((one) => `/${one}` === url.pathname);
    const lang = url.searchParams.get("lang") === "th" ? "th" : "en";
    const theme = url.searchParams.get("theme");
    const html =
      page === undefined
        ? ""
        : renderGallery(page, { lang, theme: theme === "dark" || theme === "light" ? theme : "system", assets });
    send("text/html; charset=utf-8", html, page === undefined ? 404 : 200);
  }

  const server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("no port");
  const running: GalleryServer = {
    origin: `http://127.0.0.1:${bound.port}`,
    posts,
    status: "pending",
    close() {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return running;
}
