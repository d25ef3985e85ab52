/** Cron as the oracle reads it: looks at one minute after the other. Numbers, lists, ranges, steps, names of days. */

const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MINUTE = 60_000;
/** Farthest that is looked, in minutes: a little more than a year. */
const MINUTES_MAX = 370 * 1_440;

/** The first occurrence strictly after `after`, in ms since the epoch, UTC. */
export function nextAfter(cron: string, after: number): number {
  const expression = cron === "@hourly" ? "0 * * * *" : cron;
  const fields = expression.split(" ");
  const [seconds = "0", minutes = "*", hours = "*", dayOfMonth = "*", months = "*", days = "*"] =
    fields.length === 5 ? ["0", ...fields] : fields;
  for (let look = 0; look < MINUTES_MAX; look++) {
    const minute = (Math.floor(after / MINUTE) + look) * MINUTE;
    const date = new Date(minute);
    const inMonth = matches(dayOfMonth, date.getUTCDate());
    const onDay = matches(days, date.getUTCDay()) || (date.getUTCDay() === 0 && matches(days, 7));
    const day = dayOfMonth === "*" ? onDay : days === "*" ? inMonth : inMonth || onDay;
    const fits =
      day &&
      matches(minutes, date.getUTCMinutes()) &&
      matches(hours, date.getUTCHours()) &&
      matches(months, date.getUTCMonth() + 1);
    if (!fits) continue;
    for (let second = 0; second < 60; second++) {
      const at = minute + second * 1_000;
      if (at > after && matches(seconds, second)) return at;
    }
  }
  throw new Error(`'${cron}' does not occur within a year`);
}

function matches(field: string, value: number): boolean {
  return field.split(",").some((part) => {
    const [range = "*", step = "1"] = part.split("/");
    const [from, to = from] = range === "*" ? [0, 99] : range.split("-").map(numberOf);
    if (from === undefined || to === undefined) return false;
    return value >= from && value <= to && (value - from) % Number(step) === 0;
  });
}

function numberOf(text: string): number {
  const day = DAYS.indexOf(text);
  return day === -1 ? Number(text) : day;
}
