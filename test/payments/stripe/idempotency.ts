/** Idempotency keys of version 1 of the API. Source: docs.stripe.com/api/idempotent_requests. */
import { refusal, type ApiAnswer } from "./api-answer.ts";

interface Attempt {
  readonly request: string;
  /** Null while it is carried out. */
  saved: ApiAnswer | null;
}

/** Remembers what was answered under each key. */
export class IdempotencyKeys {
  readonly #attempts = new Map<string, Attempt>();

  /**
   * Carries a request out once for each key. What failed its validation is not saved, and may be asked again under its
   * key; anything else is answered from then on, a failure too.
   */
  async once(key: string | undefined, request: string, carryOut: () => Promise<ApiAnswer>): Promise<ApiAnswer> {
    if (key === undefined) return carryOut();
    const earlier = this.#attempts.get(key);
    if (earlier !== undefined && earlier.request !== request) {
      return refusal(400, {
        type: "idempotency_error",
        message: `The key ${key} was first used with other parameters. Use another key for another request.`,
      });
    }
    if (earlier?.saved === null) {
      return refusal(409, {
        type: "idempotency_error",
        code: "idempotency_key_in_use",
        message: `Another request with the key ${key} is still in progress.`,
      });
    }
    if (earlier !== undefined) {
      return { ...earlier.saved, headers: { ...earlier.saved.headers, "idempotent-replayed": "true" } };
    }
    const attempt: Attempt = { request, saved: null };
    this.#attempts.set(key, attempt);
    const answer = await carryOut();
    if (answer.status === 400) this.#attempts.delete(key);
    else attempt.saved = answer;
    return answer;
  }

  /** As Stripe may do once keys are a day old. */
  forget(): void {
    this.#attempts.clear();
  }
}
