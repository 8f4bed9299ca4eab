/** Price classes: own university, government and academic partners, private companies. */
export const TIERS = ["mu", "gov", "private"] as const;

export type Tier = (typeof TIERS)[number];

/**
 * What a rule's pattern is held against: the job's account, the username, or the account and every account above it in
 * the cluster's tree.
 */
export const TIER_SUBJECTS = ["account", "account_tree", "username"] as const;

export type TierRuleSubject = (typeof TIER_SUBJECTS)[number];

/** A rule that gives a natural tier: the first rule, by position, whose pattern matches. */
export interface TierRule {
  readonly id: number;
  readonly position: number;
  readonly subject: TierRuleSubject;
  /** `*` stands for any run of characters; everything else, case included, is literal. */
  readonly pattern: string;
  readonly tier: Tier;
}

/** Who a job is priced for. */
export interface TierSubject {
  readonly username: string;
  readonly account: string;
  /** Accounts above this one, the nearest first; none where no tree is known. */
  readonly ancestors: readonly string[];
}

export interface NaturalTier {
  readonly tier: Tier;
  /** Null: no rule matched. */
  readonly rule: TierRule | null;
  /** The name that the rule's pattern matched: the username, the account, or the nearest such account above it. */
  readonly matched: string | null;
}

/** The natural tier and the rule that gave it; `private` when no rule matches, so that nobody is under-billed by a gap. */
export function naturalTier(rules: readonly TierRule[], subject: TierSubject): NaturalTier {
  for (const rule of rules) {
    const matched = namesFor(rule.subject, subject).find((name) => matchesGlob(rule.pattern, name));
    if (matched !== undefined) return { tier: rule.tier, rule, matched };
  }
  return { tier: "private", rule: null, matched: null };
}

function namesFor(ruleSubject: TierRuleSubject, { username, account, ancestors }: TierSubject): readonly string[] {
  switch (ruleSubject) {
    case "username":
      return [username];
    case "account":
      return [account];
    case "account_tree":
      return [account, ...ancestors];
  }
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
