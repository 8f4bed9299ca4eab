/** How the pages word what became of a provider's event. */
import type { RecordedEvent } from "../../../payments/events.ts";
import type { Tone } from "../ui/index.ts";

export const VERDICT_WORDS = {
  applied: ["billing.verdict.applied", "good"],
  replay: ["billing.verdict.replay", "neutral"],
  ignored: ["billing.verdict.ignored", "waiting"],
  refused: ["billing.verdict.refused", "bad"],
} as const satisfies Record<RecordedEvent["verdict"], readonly [string, Tone]>;
