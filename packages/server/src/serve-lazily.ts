/** `serve`, loaded when it is called. */
import type { RunningServer, serve as Serve, ServeOptions } from "./serve.ts";
import type { Settings } from "./settings.ts";

/**
 * Starts a server.
 *
 * @throws SettingsError when the key that tokens are to be checked with cannot be used; PortInUseError when another
 *   program listens on the port; and what `openEngine` throws when the file cannot be used.
 */
export const serve: typeof Serve = async (
  settings: Settings,
  options?: ServeOptions,
): Promise<RunningServer> => {
  // Programs with an engine of their own load this package too. What HTTP needs (metrics, tokens) is half of it.
  const { serve: start } = await import("./serve.ts");
  return start(settings, options);
};
