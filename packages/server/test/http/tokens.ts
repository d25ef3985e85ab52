/** Tokens for tests, and the keys that they are signed with. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JWTPayload } from "jose";
import { SignJWT } from "jose";

export const FAMILIES = {
  RSA: {
    pair: generateKeyPairSync("rsa", { modulusLength: 2_048 }),
    algorithms: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  },
  "P-256": { pair: generateKeyPairSync("ec", { namedCurve: "P-256" }), algorithms: ["ES256"] },
  "P-384": { pair: generateKeyPairSync("ec", { namedCurve: "P-384" }), algorithms: ["ES384"] },
  Ed25519: { pair: generateKeyPairSync("ed25519"), algorithms: ["EdDSA"] },
} as const;

export const SIGNER = FAMILIES.Ed25519.pair;

export interface KeyFile {
  readonly path: string;
  remove(): void;
}

/** A public key as a file in a folder of its own. */
export function keyFile(key: KeyObject | string = SIGNER.publicKey): KeyFile {
  const folder = mkdtempSync(join(tmpdir(), "resonate-key-"));
  const path = join(folder, "key.pem");
  writeFileSync(path, typeof key === "string" ? key : pemOf(key));
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

export function pemOf(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

export function nowS(): number {
  return Math.floor(Date.now() / 1_000);
}

/** Signed with the key that `keyFile()` is of, valid for an hour. */
export function tokenOf(
  claims: JWTPayload,
  { key = SIGNER.privateKey, alg = "EdDSA", header = {} }: TokenOptions = {},
): Promise<string> {
  return new SignJWT({ exp: nowS() + 3_600, ...claims })
    .setProtectedHeader({ ...header, alg })
    .sign(key);
}

interface TokenOptions {
  readonly key?: KeyObject | Uint8Array;
  readonly alg?: string;
  readonly header?: Readonly<Record<string, string>>;
}

/** Text as it stands in a token. */
export function part(text: string | object): string {
  const json = typeof text === "string" ? text : JSON.stringify(text);
  return Buffer.from(json).toString("base64url");
}
