/** Where slurmrestd listens. */
import { UserError } from "../../errors.ts";

export interface RestAddress {
  readonly isTls: boolean;
  /** Null: `host` and `port` are used. */
  readonly socketPath: string | null;
  readonly host: string;
  readonly port: number;
  /** In front of every path, where a proxy serves the API below one; without a slash at its end. */
  readonly basePath: string;
  /** For messages: the address without anything secret in it. */
  readonly label: string;
}

/** @throws UserError when the text is no address that is understood. */
export function parseRestAddress(url: string): RestAddress {
  const socket = /^unix:(?:\/\/)?(\/[^?#]+)$/u.exec(url)?.[1];
  if (socket !== undefined) {
    const socketPath = decodeURIComponent(socket);
    return { isTls: false, socketPath, host: "localhost", port: 0, basePath: "", label: `unix:${socketPath}` };
  }
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || (parsed.protocol !== "http:" && parsed.protocol !== "https:") || parsed.hostname === "") {
    throw new UserError("SLURMRESTD_URL takes http://host:port, https://host:port or unix:/path/to/the.sock");
  }
  const isTls = parsed.protocol === "https:";
  const basePath = parsed.pathname.replace(/\/+$/u, "");
  return {
    isTls,
    socketPath: null,
    host: parsed.hostname.replace(/^\[(.*)\]$/u, "$1"),
    port: parsed.port === "" ? (isTls ? 443 : 80) : Number(parsed.port),
    basePath,
    label: `${parsed.protocol}//${parsed.host}${basePath}`,
  };
}
