/** Before all tests: a PostgreSQL for those that want one. */
import type { TestProject } from "vitest/node";
import { startCluster } from "./postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Of a database whose user may create others. */
    postgresUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env["DATABASE_URL"];
  const cluster = given === undefined ? await startCluster() : undefined;
  project.provide("postgresUrl", cluster?.url ?? given ?? "");
  return async () => cluster?.stop();
}
