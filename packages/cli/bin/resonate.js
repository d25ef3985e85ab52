#!/usr/bin/env node
// Plain JavaScript, so that the command can be linked before anything is built.
import module from "node:module";

// What was compiled once is not compiled again: half of the time that a start takes. Node 20 does not know it.
module.enableCompileCache?.();
try {
  await import("../src/main.ts");
} catch (error) {
  // Node before 22.18 cannot load TypeScript.
  if (error.code !== "ERR_UNKNOWN_FILE_EXTENSION") throw error;
  process.stderr.write(`resonate needs Node 22.19 or newer; this is ${process.versions.node}\n`);
  process.exitCode = 1;
}
