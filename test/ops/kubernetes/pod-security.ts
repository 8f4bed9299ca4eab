import { z } from "zod";

const securityContext = z.object({
  allowPrivilegeEscalation: z.literal(false),
  readOnlyRootFilesystem: z.literal(true),
  privileged: z.literal(false).optional(),
  procMount: z.literal("Default").optional(),
  runAsUser: z.int().positive().optional(),
  runAsNonRoot: z.literal(true).optional(),
  seccompProfile: z.object({ type: z.enum(["RuntimeDefault", "Localhost"]) }).optional(),
  capabilities: z.strictObject({ drop: z.tuple([z.literal("ALL")]), add: z.array(z.literal("NET_BIND_SERVICE")).optional() }), // prettier-ignore
});
const container = z.looseObject({
  name: z.string(),
  securityContext,
  ports: z.array(z.object({ hostPort: z.literal(0).optional() })).optional(),
});
const volume = z.union(
  ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"].map(
    (type) => z.strictObject({ name: z.string(), [type]: z.unknown() }),
  ),
);

/**
 * The restricted pod security standard (kubernetes.io, Pod Security Standards), control by control, and beyond it a
 * read-only root and no token of the service account.
 */
const restricted = z.looseObject({
  hostNetwork: z.literal(false).optional(),
  hostPID: z.literal(false).optional(),
  hostIPC: z.literal(false).optional(),
  automountServiceAccountToken: z.literal(false),
  securityContext: z.object({
    runAsNonRoot: z.literal(true),
    runAsUser: z.int().positive(),
    seccompProfile: z.object({ type: z.enum(["RuntimeDefault", "Localhost"]) }),
    sysctls: z.tuple([]).optional(),
    seLinuxOptions: z.undefined().optional(),
    windowsOptions: z.undefined().optional(),
  }),
  volumes: z.array(volume).optional(),
  containers: z.array(container).min(1),
  initContainers: z.array(container).optional(),
});

const withPods = z.object({ spec: z.object({ template: z.object({ spec: z.record(z.string(), z.unknown()) }) }) });

/** The pod specs of an object, none where it starts no pods; fails where one does not meet the standard. */
export function checkPodSecurity(object: { kind: string; metadata: { name: string } }): z.infer<typeof restricted>[] {
  const pods = withPods.safeParse(object);
  if (!pods.success) return [];
  const found = restricted.safeParse(pods.data.spec.template.spec);
  if (!found.success) {
    throw new Error(`${object.kind} ${object.metadata.name} is not restricted:\n${z.prettifyError(found.error)}`);
  }
  return [found.data];
}
