import { describe, expect, it } from "vitest";
import { releaseNotes } from "../../../scripts/release-notes.ts";

const CHANGELOG = `# Changelog

## Unreleased

## 0.2.0 (2026-12-01)

- Refunds.
- A line that goes on
  in the next.

### For operators

- A new variable.

## 0.1.0

First version.
`;

describe("release notes", () => {
  it("are what stands below the version's heading, with its parts", () => {
    expect(releaseNotes(CHANGELOG, "0.2.0")).toBe(
      "- Refunds.\n- A line that goes on\n  in the next.\n\n### For operators\n\n- A new variable.",
    );
    expect(releaseNotes(CHANGELOG, "0.1.0")).toBe("First version.");
  });

  it("fail for a version that is not there, and name those that are", () => {
    expect(() => releaseNotes(CHANGELOG, "0.3.0")).toThrow(
      /no section "## 0\.3\.0", only: Unreleased, 0\.2\.0, 0\.1\.0/u,
    );
    expect(() => releaseNotes(CHANGELOG, "0.2")).toThrow(/no section/u);
  });

  it("fail for a version that nothing is said of", () => {
    expect(() => releaseNotes("## 0.2.0\n\n## 0.1.0\n\nFirst.\n", "0.2.0")).toThrow(/is empty/u);
  });

  it("fail for the newest version while changes wait under Unreleased", () => {
    const waiting = CHANGELOG.replace("## Unreleased\n", "## Unreleased\n\n- Something.\n");
    expect(() => releaseNotes(waiting, "0.2.0")).toThrow(/still has changes/u);
    expect(releaseNotes(waiting, "0.1.0")).toBe("First version.");
  });

  it("fail where a heading stands twice", () => {
    expect(() => releaseNotes("## 0.1.0\n\na\n\n## 0.1.0\n\nb\n", "0.1.0")).toThrow(/two sections/u);
  });
});
