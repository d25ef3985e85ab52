/** Who a client is: JSON Web Tokens (RFC 7519), checked against one public key. */
import { createPublicKey, type KeyObject } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { JWTClaimVerificationOptions, JWTPayload } from "jose";
import { hasDuplicateNames } from "./duplicate-names.ts";
import { EVERYTHING, type Scope } from "./scope.ts";

/** What a valid token says. */
export interface Identity {
  readonly scope: Scope;
  /** When the token ends, the leeway included, in ms since the epoch. Absent: never. */
  readonly endsAt?: number;
}

export interface Authenticator {
  /** Who shows this token; `undefined` when it cannot be believed, whatever the reason. Never rejects. */
  identify(token: string | undefined): Promise<Identity | undefined>;
}

/** Of a server that asks for no tokens. */
export const everybody: Authenticator = {
  identify: () => EVERYBODY,
};
const EVERYBODY = Promise.resolve<Identity>({ scope: EVERYTHING });

export interface TokenRules {
  /** `none`: signatures are not checked, claims still are. */
  readonly key: PublicKey | "none";
  /** What `iss` must be, when given. */
  readonly iss?: string | undefined;
  /** What `aud` must be or contain, when given. */
  readonly aud?: string | undefined;
  /** Milliseconds since the epoch, by the wall clock: tokens are made elsewhere. */
  readonly now: () => number;
}

/** A key, and the algorithms that it may be used with: those of its family and no others. */
export interface PublicKey {
  readonly key: KeyObject;
  readonly algorithms: readonly string[];
}

/** How far the clocks of whoever makes tokens may be off. */
const LEEWAY_S = 60;
/** Longest token, in characters. Those of others with dozens of claims have some 2,000. */
const TOKEN_LENGTH_MAX = 8_192;
/** Most tokens that are remembered as valid: looking at a signature takes longer than most requests. */
const REMEMBERED_MAX = 1_000;
/** RFC 7518 §3.3 */
const RSA_BITS_MIN = 2_048;

/**
 * Reads a public key or a certificate in PEM.
 *
 * @throws Error that says what is wrong with it.
 */
export function readPublicKey(pem: string): PublicKey {
  if (pem.includes("PRIVATE KEY")) throw new Error("it is a private key, and must stay private");
  const key = createPublicKey(pem);
  return { key, algorithms: algorithmsOf(key) };
}

function algorithmsOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject) {
  switch (type) {
    case "rsa":
      if ((details?.modulusLength ?? 0) < RSA_BITS_MIN) {
        throw new Error(`RSA keys must have at least ${RSA_BITS_MIN} bits`);
      }
      return ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    case "ec":
      if (details?.namedCurve === "prime256v1") return ["ES256"];
      if (details?.namedCurve === "secp384r1") return ["ES384"];
      throw new Error(`curve ${details?.namedCurve} is none of P-256, P-384`);
    case "ed25519":
      return ["EdDSA", "Ed25519"];
    default:
      throw new Error(`${type} keys are none of RSA, EC, Ed25519`);
  }
}

/** Checks tokens by `rules`. */
export function createAuthenticator(rules: TokenRules): Authenticator {
  const known = new Map<string, Identity>();
  return {
    async identify(token) {
      if (token === undefined || token.length > TOKEN_LENGTH_MAX) return undefined;
      const before = known.get(token);
      if (before?.endsAt !== undefined && rules.now() < before.endsAt) return before;
      known.delete(token);
      const identity = await check(token, rules).catch(() => undefined);
      if (identity) remember(known, token, identity);
      return identity;
    },
  };
}

function remember(known: Map<string, Identity>, token: string, identity: Identity): void {
  const [oldest] = known.keys();
  if (known.size >= REMEMBERED_MAX && oldest !== undefined) known.delete(oldest);
  known.set(token, identity);
}

/** Rejects, or gives nothing, when the token cannot be believed. */
async function check(token: string, rules: TokenRules): Promise<Identity | undefined> {
  const claims = await claimsOf(token, rules);
  // Whoever made it and whoever reads it might each go by another one.
  if (token.split(".", 2).some((part) => hasDuplicateNames(textOf(part)))) return undefined;
  const endsAt = ((claims.exp ?? 0) + LEEWAY_S) * 1_000;
  return { scope: scopeOf(claims), endsAt };
}

async function claimsOf(token: string, { key, iss, aud, now }: TokenRules): Promise<JWTPayload> {
  const expected: JWTClaimVerificationOptions = {
    clockTolerance: LEEWAY_S,
    currentDate: new Date(now()),
    requiredClaims: ["exp"],
    ...(iss !== undefined && { issuer: iss }),
    ...(aud !== undefined && { audience: aud }),
  };
  // Most servers ask for no tokens: the library is loaded with the first one.
  const { jwtVerify, UnsecuredJWT } = await import("jose");
  if (key === "none") return UnsecuredJWT.decode(unsigned(token), expected).payload;
  const { payload } = await jwtVerify(token, key.key, {
    ...expected,
    algorithms: [...key.algorithms],
  });
  return payload;
}

/** The same claims in a token that says of itself that it is not signed. */
function unsigned(token: string): string {
  const header = Buffer.from('{"alg":"none"}').toString("base64url");
  return `${header}.${token.split(".")[1] ?? ""}.`;
}

function scopeOf({ role, prefix }: JWTPayload): Scope {
  if (typeof role === "string" && role.toLowerCase() === "admin") return EVERYTHING;
  if (typeof prefix !== "string") return { kind: "nothing" };
  return prefix === "" ? EVERYTHING : { kind: "prefix", prefix };
}

function textOf(part: string): string {
  return Buffer.from(part, "base64url").toString("utf8");
}

/** The token in the `Authorization` header, if there is one. */
export function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
}
