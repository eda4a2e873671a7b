import { boolean, integer } from '../definition.ts';

/** Which node does what one node is to do for all. */
export const leadershipDefinitions = {
  workerLeaderElection: boolean({
    env: 'WORKER_LEADER_ELECTION',
    default: true,
    why: 'one elected node makes the automatic commitments, and one deletes old records; off, every node that could does, which is as safe and costs each of them the looking',
  }),
  leaderLeaseSecs: integer({
    env: 'LEADER_LEASE_SECS',
    default: 5,
    min: 2,
    max: 300,
    unit: 'seconds',
    why: 'a leader that is not heard of for this long is replaced; it renews three times as often, a row update each. One that stops hands over at once',
  }),
};
