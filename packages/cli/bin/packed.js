#!/usr/bin/env node
// The command where it was installed from a package: built, because Node loads no TypeScript from node_modules.
import "../dist/main.js";
