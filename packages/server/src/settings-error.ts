/** A setting that cannot be used. The message names it, where it came from, and what may be given. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}
