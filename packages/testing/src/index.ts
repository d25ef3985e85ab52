/** What tests of programs with durable functions use. */
export {};
