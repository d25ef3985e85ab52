/** What goes on in a lab at this instant, so that time moves only when nothing does. */
export class Activity {
  /** Grows with everything that happens. */
  count = 0;
  /** Grows with what means something: a function called, a message, a request that is not routine. */
  events = 0;
  /** Requests that the server works on, and turns of the event loop that were asked for. */
  underWay = 0;
  /** Called at every event. */
  onEvent: () => void = () => {};

  happened(): void {
    this.count += 1;
  }

  event(): void {
    this.count += 1;
    this.events += 1;
    this.onEvent();
  }

  begin(): void {
    this.count += 1;
    this.underWay += 1;
  }

  end(): void {
    this.count += 1;
    this.underWay -= 1;
  }
}
