/** nginx and Caddy with the files of deploy/: only names, ports and paths are replaced. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { call } from "./client.ts";
import { ROOT, untilReady, type Started, type Workplace } from "./processes.ts";

export type Kind = "nginx" | "caddy";

export interface Ports {
  readonly https: number;
  readonly http: number;
  /** nginx: the server for deploy/roll.sh. */
  readonly status: number;
  /** Where the two processes of the application listen; nobody needs to. */
  readonly upstreams: readonly [number, number];
}

export interface Proxy {
  readonly kind: Kind;
  readonly ports: Ports;
  readonly started: Started;
  /** Where it writes, and its list of addresses lies. */
  readonly folder: string;
  /** Makes a started proxy read changed files. */
  reload(): void;
}

/** @param name of its folder and log, one for each proxy of a test. */
export async function startProxy(place: Workplace, kind: Kind, name: string, ports: Ports): Promise<Proxy> {
  const folder = join(place.folder, name);
  mkdirSync(folder);
  const started = kind === "nginx" ? startNginx(place, name, folder, ports) : startCaddy(place, name, folder, ports);
  await untilReady(started, `${kind} answers`, async () => {
    const answer = await call(place.ca, ports.https, "/healthz", { from: "127.0.9.9" });
    // Caddy has not heard from the processes yet.
    return kind === "nginx" || answer.status !== 503;
  });
  return { kind, ports, started, folder, reload: () => void started.child.kill("SIGHUP") };
}

function startNginx(place: Workplace, name: string, folder: string, ports: Ports): Started {
  const shipped = join(ROOT, "deploy/nginx");
  for (const list of ["webhook-allow.conf", "internal-allow.conf"]) {
    copyFileSync(join(shipped, list), join(folder, list));
  }
  const conf = replaceAll(readFileSync(join(shipped, "hpc-billing.conf"), "utf8"), [
    [/^ *listen \[::\]:.*\n/gmu, ""],
    ["listen 80;", `listen 127.0.0.1:${ports.http};`],
    ["listen 443 ssl", `listen 127.0.0.1:${ports.https} ssl`],
    ["listen 127.0.0.1:8090;", `listen 127.0.0.1:${ports.status};`],
    ["https://$server_name$request_uri", `https://$server_name:${ports.https}$request_uri`],
    ["127.0.0.1:8001", `127.0.0.1:${ports.upstreams[0]}`],
    ["127.0.0.1:8002", `127.0.0.1:${ports.upstreams[1]}`],
    [/\/etc\/letsencrypt\/live\/\S+\/fullchain\.pem/gu, place.ca.certPath],
    [/\/etc\/letsencrypt\/live\/\S+\/privkey\.pem/gu, place.ca.keyPath],
    ["/etc/nginx/hpc-billing/", `${folder}/`],
    ["/var/log/nginx/hpc-billing.log", `${folder}/access.log`],
  ]);
  writeFileSync(join(folder, "hpc-billing.conf"), conf);
  // What Debian's nginx.conf has around it, with all paths in our folder.
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; worker_processes 2; pid ${folder}/nginx.pid; error_log ${folder}/error.log warn;
events { worker_connections 768; }
http {
  include /etc/nginx/mime.types; default_type application/octet-stream;
  sendfile on; tcp_nopush on; access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  scgi_temp_path ${folder}/scgi; uwsgi_temp_path ${folder}/uwsgi;
  include ${folder}/hpc-billing.conf;
}\n`,
  );
  return place.start(name, "nginx", ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")]);
}

function startCaddy(place: Workplace, name: string, folder: string, ports: Ports): Started {
  const file = replaceAll(readFileSync(join(ROOT, "deploy/caddy/Caddyfile"), "utf8"), [
    [
      /^\{\n/mu,
      `{\n\tadmin off\n\tskip_install_trust\n\thttp_port ${ports.http}\n\thttps_port ${ports.https}\n\tdefault_bind 127.0.0.1\n`,
    ],
    [/^billing\.example\.org \{\n/gmu, `billing.example.org {\n\ttls ${place.ca.certPath} ${place.ca.keyPath}\n`],
    ["127.0.0.1:8001", `127.0.0.1:${ports.upstreams[0]}`],
    ["127.0.0.1:8002", `127.0.0.1:${ports.upstreams[1]}`],
  ]);
  const path = join(folder, "Caddyfile");
  writeFileSync(path, file);
  return place.start(name, "caddy", ["run", "--adapter", "caddyfile", "--config", path], {
    env: { XDG_DATA_HOME: join(folder, "data"), XDG_CONFIG_HOME: join(folder, "config") },
  });
}

/** Fails for what is not there: a file of deploy/ that changed would otherwise be tested in part only. */
function replaceAll(text: string, pairs: readonly (readonly [string | RegExp, string])[]): string {
  return pairs.reduce((rest, [from, to]) => {
    // A function, since `$` in a replacement text has a meaning.
    const next = rest.replaceAll(typeof from === "string" ? from : new RegExp(from, withG(from)), () => to);
    if (next === rest) throw new Error(`the file of deploy/ has no ${String(from)} any more`);
    return next;
  }, text);
}

function withG({ flags }: RegExp): string {
  return flags.includes("g") ? flags : `${flags}g`;
}
