/** Small pictures, drawn with lines in the colour of the text. */

const PATHS = {
  overview: "M3 13V8M8 13V3M13 13V6",
  executions: "M2.5 4h11M2.5 8h11M2.5 12h7",
  schedules: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 5v3l2 1.5",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7",
  moon: "M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6Z",
  system: "M2.5 3.5h11v7.5h-11ZM6 13.5h4",
  help: "M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.6-.7 1.1v.4M8 11.8v.1",
  plus: "M8 3.5v9M3.5 8h9",
  minus: "M3.5 8h9",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M5.5 5.5h7v7h-7ZM3.5 10.5v-7h7",
  check: "M3.5 8.5l3 3 6-7",
  search: "M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM10 10l3.5 3.5",
  shared:
    "M6.5 9.5l3-3M7 5l1.5-1.5a2.5 2.5 0 0 1 3.5 3.5L10.5 8.500M9 11l-1.500 1.500a2.5 2.5 0 0 1-3.500-3.500L5.500 7.500",
  root: "M8 3.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9ZM8 8h.01",
  rpc: "M3 5.500h9M9.500 3l2.500 2.500L9.500 8M13 10.500H4M6.500 8L4 10.500 6.500 13",
  run: "M5 3.500l7 4.500-7 4.500Z",
  sleep:
    "M4.500 2.500h7M4.500 13.500h7M5.500 2.500c0 3 5 4 5 5.500s-5 2.500-5 5.500M10.500 2.500c0 3-5 4-5 5.500s5 2.500 5 5.500",
  promise: "M8 2.500l5.500 5.500L8 13.500 2.500 8Z",
  graph:
    "M2.500 6h3v4h-3ZM10.500 2.500h3v4h-3ZM10.500 9.500h3v4h-3ZM5.500 8h2.500M10.500 4.500H8v7h2.500",
  timeline: "M2.500 4h6M5 8h6M8 12h5.500",
  fit: "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
  retry: "M12.500 6.500A5 5 0 1 0 13 9M13 3v3.500H9.500",
  stop: "M4.500 4.500h7v7h-7Z",
  expand: "M8 10V3M5 6l3-3 3 3M3 13h10",
  fold: "M8 3v7M5 7l3 3 3-3M3 13h10",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
