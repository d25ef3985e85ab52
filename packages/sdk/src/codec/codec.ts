/** The port between the values of a program and the payloads of the wire. */
import type { Value } from "@resonate-ts/protocol";

export interface Codec {
  /**
   * Async only with an async encryptor.
   *
   * @param id The promise that the value is for, to be named in errors.
   * @throws ResonateError `VALUE_NOT_ENCODABLE`, with the path of what cannot be, or `VALUE_TOO_LARGE`.
   */
  encode(value: unknown, id?: string): Value | Promise<Value>;
  /**
   * The value, or a promise of it with an async encryptor (a decoded value is never thenable itself).
   *
   * @throws ResonateError `VALUE_NOT_DECODABLE`.
   */
  decode(value: Value): unknown;
}
