/** Lists as people type them into one field. */

export const partsOf = (text: string, by: string): string[] => text.split(by).map((one) => one.trim()).filter(Boolean);
