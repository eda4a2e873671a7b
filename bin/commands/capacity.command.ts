import { Command, InvalidArgumentError } from 'commander';
import { describePlan } from '../capacity/describe-plan.ts';
import { measuredFigures } from '../capacity/measured.ts';
import { type Demand, planCapacity } from '../capacity/plan-capacity.ts';

const help = `
It asks no server: the figures are measured ones, described with examples in docs/capacity.md.

Examples:
  npx --no sequencer capacity --events-per-day 1000000 --payload 1000
  npx --no sequencer capacity --events-per-day 50000000 --payload 500 --signed-share 1 --replicas 2 --json`;

/** `sequencer capacity`: what a number of events a day takes of disks, memory, networks and nodes. */
export function capacityCommand(): Command {
  return new Command('capacity')
    .description('say what events take: disk, memory, bandwidth, nodes, connections')
    .requiredOption('--events-per-day <count>', 'of all streams together', number(0, 1e12))
    .requiredOption('--payload <bytes>', 'of one event, on average', number(2, 268_435_456))
    .option('--agents <count>', 'clients that are connected at once', number(0, 1e8), 100)
    .option('--streams <count>', 'stores in use at once', number(1, 1e8), 1_000)
    .option('--retention-days <days>', 'how long events are kept', number(1, 36_500), 365)
    .option('--signed-share <share>', 'of the events, from 0 to 1', number(0, 1), 0)
    .option('--replicas <count>', 'of Postgres, beside the primary', number(0, 100), 1)
    .option('--peak-factor <factor>', 'the busiest second beside the mean one', number(1, 1_000), 5)
    .option('--wal-archive-days <days>', 'how far back a restore may go', number(0, 36_500), 7)
    .option('--json', 'print the plan and the measured figures as JSON')
    .addHelpText('after', help)
    .action((options: Omit<Demand, 'payloadBytes'> & { readonly payload: number; readonly json?: true }) => {
      const { payload, json, ...rest } = options;
      const plan = planCapacity({ ...rest, payloadBytes: payload });
      console.log(json === true ? JSON.stringify({ ...plan, measuredFigures }, null, 2) : describePlan(plan));
    });
}

function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
    }
    return value;
  };
}
