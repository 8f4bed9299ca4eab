/** Price classes: own university, government and academic partners, private companies. */
export const TIERS = ["mu", "gov", "private"] as const;

export type Tier = (typeof TIERS)[number];

/** A rule that gives a natural tier: the first rule, by position, whose pattern matches. */
export interface TierRule {
  readonly id: number;
  readonly position: number;
  readonly subject: "account" | "username";
  /** `*` stands for any run of characters; everything else, case included, is literal. */
  readonly pattern: string;
  readonly tier: Tier;
}

/** Who a job is priced for. */
export interface TierSubject {
  readonly username: string;
  readonly account: string;
}

/** The natural tier and the rule that gave it; `private` when no rule matches, so that nobody is under-billed by a gap. */
export function naturalTier(rules: readonly TierRule[], subject: TierSubject): { tier: Tier; rule: TierRule | null } {
  for (const rule of rules) {
    const text = rule.subject === "account" ? subject.account : subject.username;
    if (matchesGlob(rule.pattern, text)) return { tier: rule.tier, rule };
  }
  return { tier: "private", rule: null };
}

/** Glob with `*` only; linear in the text, whatever the pattern. */
export function matchesGlob(pattern: string, text: string): boolean {
  const parts = pattern.split("*");
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (parts.length === 1) return pattern === text;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let position = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, position);
    if (found === -1 || found + part.length > end) return false;
    position = found + part.length;
  }
  return true;
}
