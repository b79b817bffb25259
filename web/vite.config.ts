import { defineConfig } from "vite";

// What is built is served by `jobplan serve web` under a policy without anything inline.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es" },
  build: {
    outDir: "../jobplan/web/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.txt" },
    reportCompressedSize: true,
    chunkSizeWarningLimit: 700,
  },
});
