/** What metrics ask of the database: kept apart from each other, off the requests' back, and never in a scrape's way. */
import { Gauge, type Registry } from "prom-client";

/** Less than the 10 s that Prometheus waits for the whole answer. */
const PATIENCE_MS = 4_000;

/** What took longer rests for so many times as long: metrics cost a large database a twentieth of a connection at most. */
const SLOW_MS = 250;
const REST_FACTOR = 20;

/** Hands the answer to `use`; where there is none, the series stay as they were and the others are not disturbed. */
export type Question<T> = (use: (answer: T) => void) => Promise<void>;

export interface QuestionOptions {
  readonly patienceMs?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
  /** Told once when a part begins to fail. */
  readonly onTrouble?: ((part: string, error: unknown) => void) | undefined;
}

interface Part {
  underWay: Promise<unknown> | undefined;
  hasFailed: boolean;
  restsUntilMs: number;
}

/**
 * The questions of one process. They go one after another over one connection. Series that share a part share its
 * answer, and scrapes that come while one is under way share it too: a database that hangs must not collect them.
 */
export class ScrapeQuestions {
  readonly #patienceMs: number;
  readonly #now: () => number;
  readonly #onTrouble: (part: string, error: unknown) => void;
  readonly #parts = new Map<string, Part>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ patienceMs = PATIENCE_MS, now = () => performance.now(), onTrouble }: QuestionOptions = {}) {
    this.#patienceMs = patienceMs;
    this.#now = now;
    this.#onTrouble = onTrouble ?? (() => undefined);
  }

  /** A question that answers one part of the series. */
  about<T>(name: string, ask: () => Promise<T>): Question<T> {
    const part: Part = { underWay: undefined, hasFailed: false, restsUntilMs: 0 };
    this.#parts.set(name, part);
    let asking: Promise<{ readonly answer: T } | undefined> | undefined;
    const askInTurn = async (): Promise<{ readonly answer: T } | undefined> => {
      const startedMs = this.#now();
      try {
        const answer = await ask();
        part.hasFailed = false;
        return { answer };
      } catch (error) {
        if (!part.hasFailed) this.#onTrouble(name, error);
        part.hasFailed = true;
        return undefined;
      } finally {
        const tookMs = this.#now() - startedMs;
        part.restsUntilMs = tookMs > SLOW_MS ? this.#now() + tookMs * REST_FACTOR : 0;
        part.underWay = asking = undefined;
      }
    };
    return async (use) => {
      if (asking === undefined) {
        if (this.#now() < part.restsUntilMs) return;
        asking = this.#turn.then(askInTurn);
        this.#turn = part.underWay = asking;
      }
      const found = await this.#wait(asking);
      if (found !== undefined) use(found.answer);
    };
  }

  /** Which parts show what they showed before, because they could not be read now. */
  addTo(registers: Registry[]): void {
    const stale = new Gauge({
      name: "hpc_metrics_stale",
      help: "1 while the series of a part could not be read anew and stay as they were",
      labelNames: ["part"],
      registers,
      collect: async () => {
        // The other series of this scrape begin to ask in this same turn of the loop.
        await Promise.resolve();
        await this.#wait(this.#turn);
        for (const [part, { underWay, hasFailed }] of this.#parts) {
          stale.set({ part }, hasFailed || underWay !== undefined ? 1 : 0);
        }
      },
    });
  }

  async #wait<T>(work: Promise<T>): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#patienceMs);
    });
    try {
      return await Promise.race([work, patience]);
    } finally {
      clearTimeout(timer);
    }
  }
}
