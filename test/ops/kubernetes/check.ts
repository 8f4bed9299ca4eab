/** What must hold of the rendered manifests. Called by `run` with their folder and the folder of the tools. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { checkPodSecurity } from "./pod-security.ts";
import { checkSchemas, kubernetesObject, type KubernetesObject } from "./schemas.ts";

const [work = "", tools = ""] = process.argv.slice(2);

const files = readdirSync(work).filter((name) => name.endsWith(".yaml"));
const all = new Map(files.map((name) => [name, objectsIn(name)]));

await checkSchemas(all, work, tools);
const count = [...all.values()].flat().length;
report(`ok schemas: ${count} objects of ${files.join(", ")} fit the published schemas, with no unknown field`);

const rendered = all.get("example.yaml") ?? [];
const namespaced = rendered.filter(({ kind }) => kind !== "Namespace");
for (const one of namespaced) assert.equal(one.metadata.namespace, "hpc-billing", `${one.kind} ${one.metadata.name}`);
assert.ok(!rendered.some(({ kind }) => kind === "Secret"), "secrets are not part of what is rendered");

// Pods.
const podSpecs = rendered.flatMap((one) => checkPodSecurity(one));
assert.equal(podSpecs.length, 2, "the server and the migration");
const deployment = z
  .object({
    spec: z.object({
      replicas: z.int().optional(),
      strategy: z.object({ rollingUpdate: z.object({ maxUnavailable: z.literal(0), maxSurge: z.literal(1) }) }),
      template: z.object({
        metadata: z.object({ labels: z.record(z.string(), z.string()) }),
        spec: z.object({
          terminationGracePeriodSeconds: z.int().min(25),
          topologySpreadConstraints: z.array(z.unknown()).min(1),
          serviceAccountName: z.literal("hpc-billing"),
          containers: z.tuple([
            z.object({
              image: z.string().regex(/^registry\.example\.org\/hpc-billing:\d+\.\d+\.\d+$/u),
              args: z.tuple([z.literal("serve")]),
              envFrom: z.array(z.record(z.string(), z.object({ name: z.string() }))),
              resources: z.object({ requests: z.object({ cpu: z.string(), memory: z.string() }), limits: z.object({ memory: z.string() }) }), // prettier-ignore
              livenessProbe: probe("/healthz"),
              readinessProbe: probe("/readyz"),
              startupProbe: probe("/healthz"),
            }),
          ]),
        }),
      }),
    }),
  })
  .parse(one("Deployment"));
assert.equal(deployment.spec.replicas, undefined, "with an autoscaler the number of replicas is its own");
const alone = (all.get("base.yaml") ?? []).find(({ kind }) => kind === "Deployment");
assert.ok(
  z.object({ spec: z.object({ replicas: z.int().min(2) }) }).safeParse(alone).success,
  "without one there are two",
);
const [container] = deployment.spec.template.spec.containers;
const configMap = one("ConfigMap").metadata.name;
assert.match(configMap, /^hpc-billing-[a-z0-9]{10}$/u, "a changed value must start new pods");
assert.deepEqual(container.envFrom, [{ configMapRef: { name: configMap } }, { secretRef: { name: "hpc-billing" } }]);
assert.equal(
  z.object({ automountServiceAccountToken: z.literal(false) }).safeParse(one("ServiceAccount")).success,
  true,
);
report("ok pods: restricted pod security standard, probes, rolling update without a gap, no token, limits");

// Who finds whom.
const selector = z.object({
  spec: z.object({ selector: z.object({ matchLabels: z.record(z.string(), z.string()) }) }),
});
const labels = deployment.spec.template.metadata.labels;
for (const kind of ["Deployment", "PodDisruptionBudget"]) {
  assertSubset(selector.parse(one(kind)).spec.selector.matchLabels, labels, kind);
}
const services = rendered.filter(({ kind }) => kind === "Service").map((service) => serviceShape().parse(service));
const app = services.find(({ metadata }) => metadata.name === "hpc-billing");
assert.ok(app?.spec.selector, "there is no service");
assertSubset(app.spec.selector, labels, "Service");
assertSubset(selector.parse(one("ServiceMonitor")).spec.selector.matchLabels, app.metadata.labels, "ServiceMonitor");
const nowhere = services.find(({ metadata }) => metadata.name === "hpc-billing-nowhere");
assert.ok(nowhere !== undefined && nowhere.spec.selector === undefined, "it must not have endpoints");
const hpa = z
  .object({
    spec: z.object({
      minReplicas: z.int().min(2),
      scaleTargetRef: z.object({ kind: z.literal("Deployment"), name: z.literal("hpc-billing") }),
    }),
  }) // prettier-ignore
  .safeParse(one("HorizontalPodAutoscaler"));
assert.ok(hpa.success, "the autoscaler does not scale the server");
z.object({ metadata: z.object({ labels: z.object({ "pod-security.kubernetes.io/enforce": z.literal("restricted") }) }) }).parse(one("Namespace")); // prettier-ignore
const wave = z.object({
  metadata: z.object({ annotations: z.object({ "argocd.argoproj.io/sync-wave": z.string() }) }),
});
assert.equal(wave.parse(one("Job")).metadata.annotations["argocd.argoproj.io/sync-wave"], "1");
assert.equal(wave.parse(one("Deployment")).metadata.annotations["argocd.argoproj.io/sync-wave"], "2");

// From outside.
const ingresses = rendered.filter(({ kind }) => kind === "Ingress").map((ingress) => ingressShape().parse(ingress));
assert.equal(ingresses.length, 2);
const routes = new Map<string, string>();
for (const { spec } of ingresses) {
  for (const rule of spec.rules) {
    assert.ok(
      spec.tls.some(({ hosts }) => hosts.includes(rule.host)),
      `${rule.host} has no certificate`,
    );
    for (const { path, backend } of rule.http.paths) routes.set(path, backend.service.name);
  }
}
assert.deepEqual(Object.fromEntries(routes), {
  "/": "hpc-billing",
  "/payments/webhook": "hpc-billing",
  "/metrics": "hpc-billing-nowhere",
  "/openapi.json": "hpc-billing-nowhere",
  "/docs/api": "hpc-billing-nowhere",
});
report("ok reach: selectors meet; TLS everywhere; /metrics and the API's pages are not public");

// Network.
const policies = rendered.filter(({ kind }) => kind === "NetworkPolicy").map((policy) => policyShape().parse(policy));
const incoming = policies.flatMap(({ spec }) => spec.ingress);
assert.ok(policies.some(({ spec }) => spec.policyTypes.includes("Ingress")));
assert.ok(policies.every(({ spec }) => spec.policyTypes.includes("Egress")));
for (const { from, ports } of incoming) {
  assert.ok(from.length > 0 && from.every((peer) => "namespaceSelector" in peer), "open to everybody");
  assert.deepEqual(ports.map(({ port }) => port), [8000]); // prettier-ignore
}
const outgoing = policies.flatMap(({ spec }) => spec.egress);
assert.ok(
  outgoing.every(({ to, ports }) => to.length > 0 && ports.length > 0),
  "an open way out",
);
assert.deepEqual([...new Set(outgoing.flatMap(({ ports }) => ports.map(({ port }) => port)))].toSorted((a, b) => a - b), [53, 443, 5432, 6820]); // prettier-ignore
assert.match(JSON.stringify(outgoing), /"except":\[[^\]]*169\.254\.0\.0\/16/u, "clouds hand out credentials there");
report("ok network: in from the ingress controller and Prometheus; out to DNS, database, slurmrestd, https");

function objectsIn(name: string): KubernetesObject[] {
  return parseAllDocuments(readFileSync(join(work, name), "utf8")).map((document) => {
    assert.deepEqual(document.errors, []);
    return kubernetesObject.parse(document.toJS());
  });
}

function one(kind: string): KubernetesObject {
  const [found, ...more] = rendered.filter((candidate) => candidate.kind === kind);
  assert.ok(found !== undefined && more.length === 0, `expected one ${kind}`);
  return found;
}

function probe(path: string) {
  return z.object({ httpGet: z.object({ path: z.literal(path), port: z.literal("http") }), failureThreshold: z.int() });
}

function serviceShape() {
  return z.object({
    metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()) }),
    spec: z.object({ type: z.literal("ClusterIP"), selector: z.record(z.string(), z.string()).optional() }),
  });
}

function ingressShape() {
  const path = z.object({ path: z.string(), backend: z.object({ service: z.object({ name: z.string() }) }) });
  return z.object({
    spec: z.object({
      tls: z.array(z.object({ hosts: z.array(z.string()), secretName: z.string() })),
      rules: z.array(z.object({ host: z.string(), http: z.object({ paths: z.array(path) }) })),
    }),
  });
}

function policyShape() {
  const ports = z.array(z.object({ port: z.int() }));
  const peers = z.array(z.record(z.string(), z.unknown()));
  return z.object({
    spec: z.object({
      policyTypes: z.array(z.string()),
      ingress: z.array(z.object({ from: peers, ports })).default([]),
      egress: z.array(z.object({ to: peers, ports })).default([]),
    }),
  });
}

function assertSubset(part: Record<string, string>, whole: Record<string, string>, who: string): void {
  for (const [name, value] of Object.entries(part))
    assert.equal(whole[name], value, `${who} looks for another ${name}`);
}

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}
