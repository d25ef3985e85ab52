/** The same pages fetched and parsed by a plain loop that remembers nothing: `START CONNECT-TO PAGES CONCURRENCY`. */
import { readHtml } from "../../apps/crawler/src/read-html.ts";
import { openWeb } from "../../apps/crawler/src/web.ts";

const [start = "", connectTo = "", pages, concurrency] = process.argv.slice(2);
const [name = "", address = "", port] = connectTo.split(/[=:]/);
const web = openWeb({ connectTo: [{ name, address, port: Number(port) }] });
const wanted = {
  accept: "text/html",
  bytesMax: 2 ** 21,
  allowPrivate: false,
  signal: new AbortController().signal,
};
const found = new Set([start]);
const queue = [start];
const since = performance.now();
let read = 0;
let busy = 0;
const done = Promise.withResolvers<void>();
fill();
await done.promise;
process.stdout.write(`${JSON.stringify({ pages: read, ms: performance.now() - since })}\n`);
await web.close();

function fill(): void {
  if (busy === 0 && queue.length === 0) done.resolve();
  while (busy < Number(concurrency)) {
    const url = queue.shift();
    if (url === undefined) return;
    busy++;
    visit(url).then(() => {
      busy--;
      fill();
    }, done.reject);
  }
}

async function visit(url: string): Promise<void> {
  const got = await web.get(url, wanted);
  if (got.kind !== "answer") throw new Error(`${url}: ${got.problem}`);
  read++;
  for (const link of readHtml(String(got.body ?? ""), url).links) {
    if (found.size === Number(pages) || found.has(link)) continue;
    found.add(link);
    queue.push(link);
  }
}
