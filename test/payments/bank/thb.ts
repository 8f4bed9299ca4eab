export const THB = { code: "THB", minorDigits: 2 };
export const EUR = { code: "EUR", minorDigits: 2 };

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
