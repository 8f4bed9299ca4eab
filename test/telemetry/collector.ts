/** A small OTLP/HTTP collector: takes traces as JSON and shows what is in them. */
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { until } from "../support/until.ts";

const attributeSchema = z.object({
  key: z.string(),
  value: z
    .object({ stringValue: z.string().optional(), intValue: z.union([z.number(), z.string()]).optional() })
    .transform(({ stringValue, intValue }) => stringValue ?? Number(intValue)),
});

const spanSchema = z
  .object({
    traceId: z.string(),
    spanId: z.string(),
    parentSpanId: z.string().optional(),
    name: z.string(),
    kind: z.int(),
    attributes: z.array(attributeSchema),
    status: z.object({ code: z.int().optional() }).optional(),
  })
  .transform(({ attributes, status, parentSpanId, ...span }) => ({
    ...span,
    parentSpanId: parentSpanId === "" ? undefined : parentSpanId,
    hasFailed: status?.code === 2,
    attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, value])),
  }));

export type ReceivedSpan = z.output<typeof spanSchema>;

const bodySchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(attributeSchema) }),
      scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })),
    }),
  ),
});

export interface Collector {
  readonly endpoint: string;
  /** Every request's headers and body as they came. */
  readonly raw: string[];
  readonly spans: ReceivedSpan[];
  readonly services: Set<unknown>;
  /** How the next requests are answered; `never` leaves them hanging. */
  answer: number | "never";
  /** Waits for a span of that name. */
  span(name: string): Promise<ReceivedSpan>;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      collector.raw.push(`${request.url ?? ""} ${JSON.stringify(request.headers)} ${body}`);
      for (const { resource, scopeSpans } of bodySchema.parse(JSON.parse(body)).resourceSpans) {
        collector.services.add(resource.attributes.find(({ key }) => key === "service.name")?.value);
        collector.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
      }
      if (collector.answer !== "never")
        response.writeHead(collector.answer, { "content-type": "application/json" }).end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const collector: Collector = {
    endpoint: `http://127.0.0.1:${port}`,
    raw: [],
    spans: [],
    services: new Set(),
    answer: 200,
    span: (name) => until(`the span "${name}" has come`, () => collector.spans.find((one) => one.name === name)),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return collector;
}
