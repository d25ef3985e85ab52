/** The server, as others use it: an engine in this process, or a server on a port. */
export type { Clock } from "./engine/clock.ts";
export {
  BATCH_ENTRIES_MAX,
  type Connection,
  type Engine,
  EXTENSIONS,
} from "./engine/engine.ts";
export { keepHeapSmall } from "./heap.ts";
export { PortInUseError } from "./http/listener.ts";
export { jsonLogger, type Logger, type LogLevel, terminalLogger } from "./logger.ts";
export { type EngineOptions, openEngine, type PostgresLocation } from "./open.ts";
export type { RunningServer, ServeOptions } from "./serve.ts";
export { serve } from "./serve-lazily.ts";
export {
  findSettingsFile,
  readSettings,
  SETTINGS,
  type SettingInfo,
  type SettingKey,
  type Settings,
  SettingsError,
  type SettingsFile,
  type SettingsInput,
  settingsNotes,
} from "./settings.ts";
export {
  type BackupReport,
  backupDatabase,
  restoreDatabase,
} from "./stores/sqlite/backup.ts";
export { HttpPush, type HttpPushOptions, type PushAuth } from "./transports/http-push.ts";
export type { Pusher } from "./transports/router.ts";
