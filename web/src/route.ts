/** Which view the address names: everything behind the `#`, each part percent-encoded. */
import { signal } from "@preact/signals";

const read = (): string[] => {
  try {
    return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return [];
  }
};

export const route = signal(read());
addEventListener("hashchange", () => {
  route.value = read();
});

export const to = (...parts: string[]): string => `#/${parts.map(encodeURIComponent).join("/")}`;
