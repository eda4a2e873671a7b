/** As the answers of the two worlds call it. */
const acceptedKeys = ['"events_accepted":', '"eventsAccepted":'];

/** How many events an answer to an ingest request says were accepted, without parsing all of it. */
export function acceptedIn(body: Buffer): number {
  for (const key of acceptedKeys) {
    const at = body.indexOf(key);
    if (at !== -1) return Number.parseInt(body.toString('latin1', at + key.length, at + 40), 10);
  }
  return 0;
}
