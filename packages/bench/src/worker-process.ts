/** One more worker of the server that is its argument; it ends when its parent lets go of it. */
import { connect } from "./connect.ts";

const [url = ""] = process.argv.slice(2);
const resonate = connect({ url });
process.on("disconnect", () => {
  void resonate.stop().then(() => process.exit());
});
// Its stream is open when it has an answer.
await resonate.run(`ready-${process.pid}`, "one");
process.send?.("ready");
