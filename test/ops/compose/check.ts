/** What must hold of the Compose files. Called by `run` with the folder in which they lie as Compose reads them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { z } from "zod";

const [folder = ""] = process.argv.slice(2);

const service = z.object({
  image: z.string(),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).default({}),
  // One tool writes "127.0.0.1:8000:8000/tcp", the other an object.
  ports: z
    .array(
      z.union([
        z.string(),
        z
          .object({ host_ip: z.string().default("0.0.0.0"), published: z.coerce.string(), target: z.number() })
          .transform((port) => `${port.host_ip}:${port.published}:${port.target}/tcp`),
      ]),
    )
    .default([]),
  profiles: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.union([z.string(), z.array(z.string())]) }).optional(),
  command: z.union([z.string(), z.array(z.string()), z.null()]).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  read_only: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  privileged: z.boolean().default(false),
  restart: z.string().optional(),
  networks: z.union([z.array(z.string()).transform((names) => Object.fromEntries(names.map((name) => [name, null]))), z.record(z.string(), z.unknown())]).optional(), // prettier-ignore
});
const file = z.object({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.object({ internal: z.boolean().optional() }).nullable()).default({}),
});
type Services = z.infer<typeof file>["services"];

// 1. The published schema.
const { $schema: _draft, ...schema } = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(join(import.meta.dirname, "compose-spec.json"), "utf8"))); // prettier-ignore
const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
for (const name of ["docker-compose.yml", "docker-compose.prod.yml"]) {
  assert.ok(
    validate(parse(readFileSync(name, "utf8"), { merge: true })),
    `${name}: ${JSON.stringify(validate.errors)}`,
  );
  report(`ok ${name}: valid by the published schema`);
}

// 2. Development.
const dev = read("dev.yml").services;
assert.deepEqual(started(dev), ["adminer", "db", "hpc", "swagger"]);
assert.deepEqual(started(dev, "metrics").filter((name) => !started(dev).includes(name)), ["grafana", "prometheus"]); // prettier-ignore
assert.deepEqual(started(dev, "docs").filter((name) => !started(dev).includes(name)), ["docs"]); // prettier-ignore
assert.match(dev["db"]?.image ?? "", /^postgres:16(\.|$)/u);
for (const [name, port] of [
  ["hpc", "8000:8000"],
  ["adminer", "8080:8080"],
  ["swagger", "8081:8080"],
  ["prometheus", "9090:9090"],
  ["grafana", "3000:3000"],
] as const) {
  // prettier-ignore
  assert.deepEqual(dev[name]?.ports, [`127.0.0.1:${port}/tcp`]);
}
assert.equal(dev["hpc"]?.environment["APP_ENV"], "development");
assert.equal(dev["hpc"].depends_on["db"]?.condition, "service_healthy");
checkAll(dev);
report("ok development: application 8000, Adminer 8080, Swagger UI 8081, PostgreSQL 16; profiles metrics, docs");

// 3. Production, alone and after the file for development.
const own = read("prod.yml");
for (const [title, { services }] of [
  ["production", own],
  ["both files", read("both.yml")],
] as const) {
  // prettier-ignore
  assert.deepEqual(started(services), ["db", "hpc", "hpc2", "migrate"], `${title}: nothing of development is started`);
  for (const name of ["hpc", "hpc2", "migrate"]) {
    const one = at(services, name);
    assert.equal(one.image, "registry.example.org/hpc-billing:0.1.0");
    assert.ok(
      one.read_only && one.cap_drop.includes("ALL") && one.security_opt.includes("no-new-privileges:true"),
      name,
    );
    assert.equal(one.environment["APP_ENV"], "production");
    assert.equal(one.environment["SECRET_KEY"], "sites-own-secret-key-of-32-characters", `${title}: ${name}`);
    assert.match(String(one.environment["DATABASE_URL"]), /sites-own-password/u);
    assert.equal(one.environment["ADMIN_PASSWORD"], "sites-own-admin-password");
    assert.equal(one.environment["PAYMENT_WEBHOOK_SECRET"], undefined, "nothing of development may fill a gap");
  }
  for (const name of ["hpc", "hpc2"]) {
    assert.deepEqual(at(services, name).depends_on, {
      db: { condition: "service_healthy" },
      migrate: { condition: "service_completed_successfully" },
    });
  }
  assert.equal(at(services, "migrate").restart, "no");
  assert.deepEqual([at(services, "migrate").command].flat(), ["migrate"]);
  assert.equal(at(services, "db").environment["POSTGRES_PASSWORD"], "sites-own-password");
  assert.deepEqual(at(services, "db").ports, [], "the database must not be published");
  assert.deepEqual(Object.keys(at(services, "db").networks ?? {}), ["database"]);
  checkAll(services);
  report(`ok ${title}: ${started(services).join(", ")}; loopback only, read-only, no capability, the site's secrets`);
}
assert.equal(own.networks["database"]?.internal, true);
assert.deepEqual(at(own.services, "hpc").ports, ["127.0.0.1:8001:8000/tcp"]);
assert.deepEqual(at(own.services, "hpc2").ports, ["127.0.0.1:8002:8000/tcp"]);
const nginx = readFileSync("deploy/nginx/hpc-billing.conf", "utf8");
for (const address of ["127.0.0.1:8001", "127.0.0.1:8002"]) assert.ok(nginx.includes(`server ${address}`), address);

// 4. No secret stands in the file for production: neither a value, nor something that Compose would fill in silently.
const source = readFileSync("docker-compose.prod.yml", "utf8").replaceAll(/^\s*#.*$/gmu, "");
assert.doesNotMatch(
  source,
  /(SECRET|PASSWORD|TOKEN|DATABASE_URL|KEY)\w*\s*[:=]/u,
  "a secret stands in docker-compose.prod.yml",
);
report("ok secrets: none in docker-compose.prod.yml; addresses as in deploy/nginx/hpc-billing.conf");

function read(name: string): z.infer<typeof file> {
  return file.parse(parse(readFileSync(join(folder, name), "utf8")));
}

function at(services: Services, name: string): Services[string] {
  const found = services[name];
  assert.ok(found, `there is no service ${name}`);
  return found;
}

/** What `up` starts, with no profile or with one. */
function started(services: Services, profile?: string): string[] {
  return Object.entries(services)
    .filter(([, { profiles }]) => profiles.length === 0 || (profile !== undefined && profiles.includes(profile)))
    .map(([name]) => name)
    .toSorted();
}

function checkAll(services: Services): void {
  for (const [name, one] of Object.entries(services)) {
    assert.match(one.image, /:[\w.-]+$/u, `${name}: an image without a version`);
    assert.doesNotMatch(one.image, /:latest$/u, `${name}: latest is no version`);
    assert.ok(!one.privileged, name);
    for (const port of one.ports) assert.match(port, /^127\.0\.0\.1:/u, `${name}: reachable from outside`);
    const needsHealth = /hpc-billing|postgres/u.test(one.image) && name !== "migrate";
    assert.ok(!needsHealth || one.healthcheck !== undefined, `${name}: no healthcheck`);
  }
}

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
