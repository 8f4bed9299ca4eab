/** Tells providers of checkouts that were called off here, so that nobody can pay them any more. */
import { z } from "zod";
import { sql } from "../db/database.ts";
import { messageOf, UpstreamError } from "../errors.ts";
import { checkPayment } from "./check.ts";
import type { PaymentContext } from "./context.ts";

const FIRST_DELAY_SECONDS = 10;
const LONGEST_DELAY_SECONDS = 3_600;

const dueSchema = z.object({ id: z.bigint(), provider: z.string(), external_payment_id: z.string() });

/**
 * Closes checkouts that were canceled or expired, as long as any is due; any number of processes may do so at once. If one
 * was paid in the meantime, its money is taken into the books.
 */
export async function closeCheckouts(context: PaymentContext, signal?: AbortSignal): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const due = await claim(context);
    if (due === undefined) return;
    const provider = context.providers.get(due.provider);
    if (provider === undefined) continue;
    try {
      await provider.cancelCheckout(due.external_payment_id);
      await checkPayment(context, due.id);
      await context.db.run(sql`UPDATE payments SET closed_at = ${context.clock.now()} WHERE id = ${due.id}`);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      context.onTrouble(new Error(`a checkout could not be closed: ${messageOf(error)}`), {
        id: due.id,
        provider: due.provider,
      });
    }
  }
}

/** Takes the next one, and puts its next attempt off, so that a process that dies leaves it to another. */
function claim({ db, clock, providers }: PaymentContext): Promise<z.output<typeof dueSchema> | undefined> {
  const now = clock.now();
  return db.maybeOne(
    dueSchema,
    sql`UPDATE payments
        SET close_attempts = close_attempts + 1,
            close_next_at = ${now}::timestamptz
              + make_interval(secs => least(${FIRST_DELAY_SECONDS} * 2 ^ least(close_attempts, 10), ${LONGEST_DELAY_SECONDS}))
        WHERE id = (SELECT id FROM payments
                    WHERE status IN ('canceled', 'expired') AND closed_at IS NULL AND provider = ANY(${[...providers.keys()]}::text[])
                      AND (close_next_at IS NULL OR close_next_at <= ${now})
                    ORDER BY close_next_at NULLS FIRST, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, provider, external_payment_id`,
  );
}
