import { defineConfig } from "vitest/config";
import { CountReporter } from "./tests/count-reporter.ts";

export default defineConfig({
  test: {
    globalSetup: ["packages/server/test/support/postgres-setup.ts"],
    include: ["{packages,apps}/*/test/**/*.test.ts", "tests/**/*.test.ts"],
    // Real processes are started and killed; on a busy machine that takes its time.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ["default", new CountReporter()],
  },
});
