/** A line on the terminal that says how far long work has come; silent where standard error is no terminal. */
export interface ProgressBar {
  update(done: number, note: string): void;
  end(): void;
}

const CELLS = 24;

export function progressBar(label: string, total: number | null): ProgressBar {
  const { stderr } = process;
  if (!stderr.isTTY) return { update: () => undefined, end: () => undefined };
  let isDrawn = false;
  return {
    update(done, note) {
      const fraction = total === null || total === 0 ? null : Math.min(done / total, 1);
      const filled = fraction === null ? 0 : Math.round(fraction * CELLS);
      const bar =
        fraction === null
          ? ""
          : ` [${"#".repeat(filled)}${".".repeat(CELLS - filled)}] ${Math.floor(fraction * 100)} %`;
      stderr.write(`\r\u001B[2K${label}${bar} ${note}`);
      isDrawn = true;
    },
    end() {
      if (isDrawn) stderr.write("\r\u001B[2K");
    },
  };
}
