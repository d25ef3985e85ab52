/** The fake web in a process of its own, so that it does not take time from what is measured in the same process. */
import { openFakeWeb } from "../../apps/crawler/test/fake-web.ts";

const web = await openFakeWeb({ hosts: 20, pagesPerHost: 49, strange: false, textBytes: 4_000 });
process.send?.({ start: web.start, connectTo: web.connectTo });
process.on("disconnect", () => process.exit());
