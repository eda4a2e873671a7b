import type { Scheduler } from './scheduler.ts';
import type { SimulatedNetwork } from './simulated-network.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { SimulatedStorage } from './simulated-storage.ts';

/** How long it takes until the others notice that a node is silent, and that it is back. */
const detectionMs = { min: 200, max: 3_000 };
const returnMs = 1_000;
/** Longer than every time-out. */
const pauseMaxMs = 12_000;

type FaultKind = 'crash' | 'restore' | 'pause' | 'leave' | 'cut' | 'forget' | 'clock' | 'outage';
const faultKinds: readonly FaultKind[] = [
  'crash',
  'restore',
  'pause',
  'leave',
  'cut',
  'forget',
  'clock',
  'outage',
];

/**
 * Breaks things at times that the seed chooses. Each run draws which kinds of fault it has and how bad the weather is,
 * so that some runs are about one fault alone and others about all of them.
 */
export class Nemesis {
  private readonly scheduler: Scheduler;
  private readonly network: SimulatedNetwork;
  private readonly storage: SimulatedStorage;
  private readonly nodes: readonly SimulatedNode[];
  private hasHealed = false;

  constructor(network: SimulatedNetwork, storage: SimulatedStorage, nodes: readonly SimulatedNode[]) {
    this.scheduler = network.scheduler;
    this.network = network;
    this.storage = storage;
    this.nodes = nodes;
  }

  /** Plans all faults of the next `forMs` milliseconds. */
  unleash(forMs: number): void {
    const { random } = this.scheduler;
    const probability = (): number => random.pick([0, 0, 0.01, 0.05, 0.15]);
    Object.assign(this.network.weather, {
      drop: probability(),
      duplicate: probability(),
      delay: probability(),
    });
    Object.assign(this.storage.weather, { failure: probability(), delay: probability() });
    const kinds = random.shuffled(faultKinds).slice(0, random.integer(0, faultKinds.length));
    if (kinds.length === 0) return;
    const faultCount = random.integer(1, 10);
    for (let fault = 0; fault < faultCount; fault++) {
      const kind = random.pick(kinds);
      this.plan(random.between(0, forMs), `fault: ${kind}`, () => this.strike(kind));
    }
  }

  /** Ends all faults: every node runs, everything gets through, and soon all know all. */
  heal(): void {
    const { scheduler, network, storage } = this;
    this.hasHealed = true;
    Object.assign(network.weather, { drop: 0, duplicate: 0, delay: 0 });
    Object.assign(storage.weather, { failure: 0, delay: 0 });
    network.cuts.clear();
    storage.comeUp();
    for (const node of this.nodes) {
      node.process.resume();
      if (!node.process.isAlive) node.start();
      for (const other of this.nodes) {
        const seenMs = scheduler.random.between(0, returnMs);
        scheduler.after(seenMs, `${node.name} sees ${other.name}`, () => node.addMember(other.name));
      }
    }
  }

  private strike(kind: FaultKind): void {
    const { random } = this.scheduler;
    this.scheduler.count(`fault: ${kind}`);
    const node = random.pick(this.nodes);
    const other = random.pick(this.nodes.filter((candidate) => candidate !== node));
    switch (kind) {
      case 'crash':
        this.crash(node, 'restarts', () => node.start());
        break;
      case 'restore':
        this.crash(node, 'is restored from a snapshot', () => node.restore());
        break;
      case 'pause':
        this.pause(node);
        break;
      case 'leave':
        this.leave(node);
        break;
      case 'cut':
        this.cut(node, other);
        break;
      case 'forget':
        node.dropMember(other.name);
        this.plan(random.between(200, 5_000), `${node.name} sees ${other.name} again`, () =>
          node.addMember(other.name),
        );
        break;
      case 'clock':
        node.wallClock.offsetUs = random.integer(-3_600_000_000, 3_600_000_000);
        break;
      case 'outage':
        this.storage.goDown();
        this.plan(random.between(100, 3_000), 'the database is back', () => this.storage.comeUp());
    }
  }

  private crash(node: SimulatedNode, how: string, start: () => void): void {
    if (!node.process.isAlive) return;
    this.scheduler.note(`${node.name} crashes`);
    node.crash();
    this.noticeSilence(node, () => !node.process.isAlive);
    this.plan(this.scheduler.random.between(100, 5_000), `${node.name} ${how}`, () => {
      if (node.process.isAlive) return;
      start();
      this.noticeReturn(node);
    });
  }

  private pause(node: SimulatedNode): void {
    if (!node.process.isRunning) return;
    const { process } = node;
    process.pause();
    this.noticeSilence(node, () => !process.isRunning);
    this.plan(this.scheduler.random.between(10, pauseMaxMs), `${node.name} goes on`, () => {
      process.resume();
      this.noticeReturn(node);
    });
  }

  /** As a rolling restart does: says so, finishes what is in flight, ends, comes back. */
  private leave(node: SimulatedNode): void {
    if (!node.process.isRunning) return;
    const { process } = node;
    for (const other of this.nodes) {
      this.plan(this.scheduler.random.about(1), `${other.name} hears that ${node.name} leaves`, () =>
        other.dropMember(node.name),
      );
    }
    void node.leave().then(() => {
      process.after(this.scheduler.random.between(1, 50), `${node.name} has left`, () => {
        if (process !== node.process) return;
        if (!this.hasHealed) this.crash(node, 'starts again', () => node.start());
        else {
          node.crash();
          node.start();
        }
      });
    });
  }

  private cut(from: SimulatedNode, to: SimulatedNode): void {
    const pair = `${from.name}>${to.name}`;
    this.network.cuts.add(pair);
    const { random } = this.scheduler;
    this.plan(random.between(detectionMs.min, detectionMs.max), `${to.name} misses ${from.name}`, () => {
      if (this.network.cuts.has(pair)) to.dropMember(from.name);
    });
    this.plan(random.between(500, 8_000), `${pair} is mended`, () => {
      this.network.cuts.delete(pair);
      this.noticeReturn(from);
    });
  }

  private noticeSilence(node: SimulatedNode, isSilent: () => boolean): void {
    for (const other of this.nodes) {
      const { min, max } = detectionMs;
      this.plan(this.scheduler.random.between(min, max), `${other.name} misses ${node.name}`, () => {
        if (isSilent()) other.dropMember(node.name);
      });
    }
  }

  private noticeReturn(node: SimulatedNode): void {
    for (const other of this.nodes) {
      const seenMs = this.scheduler.random.between(0, returnMs);
      this.plan(seenMs, `${other.name} sees ${node.name}`, () => {
        if (node.process.isRunning) other.addMember(node.name);
      });
      this.plan(seenMs, `${node.name} sees ${other.name}`, () => {
        if (other.process.isRunning) node.addMember(other.name);
      });
    }
  }

  /** Whatever is planned and has not happened by the time everything heals does not happen. */
  private plan(afterMs: number, label: string, run: () => void): void {
    this.scheduler.after(afterMs, label, () => {
      if (!this.hasHealed) run();
    });
  }
}
