/**
 * Writes made-up Slurm accounting, the same for the same arguments:
 *
 *     node bench/generate.ts --jobs 200000 --seed 1 --out dump.psv [--cluster centre|demo]
 *
 * `--out` with `.gz` at its end is compressed; `-` is standard output.
 */
import { createWriteStream } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { createGzip } from "node:zlib";
import { CENTRE_CLUSTER, DEMO_CLUSTER } from "./generate-cluster.ts";
import { makeUpRuns } from "./generate-jobs.ts";
import { SeededRandom } from "./generate-random.ts";
import { HEADER, linesOf } from "./generate-rows.ts";

const WRITE_CHARACTERS = 262_144;

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "200000" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: "-" },
    cluster: { type: "string", default: "centre" },
  },
});
const jobs = Number(values.jobs);
const seed = Number(values.seed);
const cluster = [CENTRE_CLUSTER, DEMO_CLUSTER].find(({ name }) => name === values.cluster);
if (!Number.isSafeInteger(jobs) || jobs < 1 || !Number.isSafeInteger(seed) || cluster === undefined) {
  console.error("Usage: node bench/generate.ts --jobs COUNT --seed NUMBER --out FILE|- [--cluster centre|demo]");
  process.exit(2);
}
const profile = cluster;

function* pieces(): Generator<string> {
  let piece = HEADER;
  for (const run of makeUpRuns(profile, new SeededRandom(seed), jobs)) {
    piece += linesOf(run, profile);
    if (piece.length >= WRITE_CHARACTERS) {
      yield piece;
      piece = "";
    }
  }
  yield piece;
}

const target: Writable = values.out === "-" ? process.stdout : createWriteStream(values.out);
const source = Readable.from(pieces(), { objectMode: true });
if (values.out.endsWith(".gz")) await pipeline(source, createGzip({ level: 9 }), target);
else await pipeline(source, target);
