// How the page is built; while it is developed, `npx vite` asks the API that MONOLAYER_API names.
import { defineConfig } from "vite";

export default defineConfig({
  base: "/",
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { host: "127.0.0.1", proxy: { "/api": process.env.MONOLAYER_API ?? "http://127.0.0.1:8080" } },
});
