/** How the page is built, and how it is served while it is being worked on. */
import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  const server = loadEnv(mode, ".", "RESONATE_")["RESONATE_URL"] ?? "http://localhost:8001";
  const proxy = {
    target: server,
    changeOrigin: true,
    // The server takes requests of its own origin only, and here the browser names that of vite.
    headers: { Origin: new URL(server).origin },
  };
  return {
    base: "/ui/",
    plugins: [react()],
    server: { proxy: { "/ui/api": proxy, "^/$": proxy } },
    build: {
      target: ["chrome123", "firefox128", "safari17.5"],
      // The page's policy allows neither inline scripts nor inline styles.
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      reportCompressedSize: false,
    },
  };
});
