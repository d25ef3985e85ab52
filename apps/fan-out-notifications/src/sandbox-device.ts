/** The device at the other end of the sandbox's push service, and what a push service checks. */
import {
  createDecipheriv,
  createECDH,
  createHash,
  createPublicKey,
  hkdfSync,
  verify,
} from "node:crypto";
import { z } from "zod";

const CURVE = "prime256v1";
const TAG_BYTES = 16;
const SALT_BYTES = 16;
const HEADER_BYTES = 21;

/** No secret: it belongs to a device that does not exist, and has to be the same in every process. */
const seed = (of: string) => createHash("sha256").update(`the sandbox's ${of}`).digest();
const ecdh = createECDH(CURVE);
ecdh.setPrivateKey(seed("device"));
const auth = seed("shared secret").subarray(0, 16);

/** As a browser gives them with a subscription. */
export const DEVICE_KEYS = {
  p256dh: ecdh.getPublicKey("base64url"),
  auth: auth.toString("base64url"),
};

/**
 * Decrypts a message for the device: RFC 8291 over RFC 8188, in one record.
 *
 * @throws Error when it was not encrypted for this device.
 */
export function decrypt(message: Buffer): string {
  const salt = message.subarray(0, SALT_BYTES);
  const keyBytes = message[HEADER_BYTES - 1] ?? 0;
  const senderKey = message.subarray(HEADER_BYTES, HEADER_BYTES + keyBytes);
  const sealed = message.subarray(HEADER_BYTES + keyBytes);
  const info = Buffer.concat([
    Buffer.from("WebPush: info\0"),
    Buffer.from(DEVICE_KEYS.p256dh, "base64url"),
    senderKey,
  ]);
  const secret = derive(ecdh.computeSecret(senderKey), { salt: auth, info, length: 32 });
  const part = (name: string, length: number) =>
    derive(secret, { salt, info: Buffer.from(`Content-Encoding: ${name}\0`), length });
  const decipher = createDecipheriv("aes-128-gcm", part("aes128gcm", 16), part("nonce", 12));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const padded = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
  // A byte 2 ends the text of the last record; zeros may follow.
  return padded.subarray(0, padded.lastIndexOf(2)).toString();
}

const claimsSchema = z.object({ aud: z.string(), exp: z.number(), sub: z.string() });

/** Whether `authorization` is a VAPID signature (RFC 8292) by `publicKey` for a push service at one of `origins`. */
export function isSigned(
  authorization: string,
  asked: { readonly publicKey: string; readonly origins: readonly string[]; readonly nowS: number },
): boolean {
  const [, token = "", key] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(authorization) ?? [];
  const [head = "", claims = "", signature = ""] = token.split(".");
  if (key !== asked.publicKey) return false;
  const point = Buffer.from(key, "base64url");
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) =>
    half.toString("base64url"),
  );
  const publicKey = createPublicKey({
    key: { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" },
    format: "jwk",
  });
  const signed = Buffer.from(`${head}.${claims}`);
  const sealed = Buffer.from(signature, "base64url");
  if (!verify("sha256", signed, { key: publicKey, dsaEncoding: "ieee-p1363" }, sealed))
    return false;
  const { aud, exp } = claimsSchema.parse(JSON.parse(Buffer.from(claims, "base64url").toString()));
  return asked.origins.includes(aud) && exp > asked.nowS;
}

function derive(
  secret: Buffer,
  { salt, info, length }: { salt: Buffer; info: Buffer; length: number },
): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, length));
}
