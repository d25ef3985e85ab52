export * from "./addresses.ts";
export * from "./dashboard.ts";
export * from "./ids.ts";
export * from "./records.ts";
export * from "./requests.ts";
export * from "./tags.ts";
