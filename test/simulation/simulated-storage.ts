import { AppendOutcomeUnknown, LogUnavailable } from '../../domain/errors.ts';
import { storeKeyText, type StoreKey, type World } from '../../domain/types.ts';
import type { MemoryEventLog } from '../../storage/memory/memory-event-log.ts';
import { type Fault } from '../../storage/memory/memory-event-log.ts';
import type { AppendBatch, AppendOutcome, Claim, EventLog } from '../../storage/event-log.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** How the database and the way to it behave at the moment. */
export interface StorageWeather {
  /** Of each call: that it fails, saved or not. */
  failure: number;
  /** Of each call: that it takes seconds, which is beyond the time-outs, each way. */
  delay: number;
}

/** How long a caller waits for an answer. */
const timeoutMs = 2_000;
const longDelayMs = 5_000;

/** What a claim told a node, for the history. */
export interface ClaimAnswer {
  readonly node: string;
  readonly claim: Claim;
  readonly invokedUs: number;
  readonly completedUs: number;
}

/** The one database of a simulation. Nodes reach it through logs of their own, which have its faults. */
export class SimulatedStorage {
  readonly weather: StorageWeather = { failure: 0, delay: 0 };
  readonly memory: MemoryEventLog;
  readonly scheduler: Scheduler;
  readonly claims: ClaimAnswer[] = [];
  /** Calls that went out and have not taken effect or failed yet. */
  inFlight = 0;
  isDown = false;
  /** Rises when it goes down, so that a call knows whether the database went away under it. */
  outages = 0;
  private readonly epochs = new Map<string, number[]>();

  constructor(scheduler: Scheduler, memory: MemoryEventLog) {
    this.scheduler = scheduler;
    this.memory = memory;
  }

  goDown(): void {
    this.isDown = true;
    this.outages++;
  }

  comeUp(): void {
    this.isDown = false;
  }

  /** The epoch under which each event of a stream was appended, in the order of the log. */
  epochsOf(store: StoreKey, world: World): readonly number[] {
    return this.epochs.get(`${storeKeyText(store)}/${world}`) ?? [];
  }

  /** @throws Never: what it does is what the log in memory does */
  async append(batch: AppendBatch): Promise<AppendOutcome> {
    const outcome = await this.memory.append(batch);
    this.scheduler.count(`append: ${outcome.kind}`);
    if (outcome.kind === 'appended') {
      for (const world of ['legacy', 'ves'] as const) {
        const key = `${storeKeyText(batch.claim)}/${world}`;
        const known = this.epochs.get(key) ?? [];
        this.epochs.set(key, [...known, ...batch[world].map(() => batch.claim.epoch as number)]);
      }
    }
    return outcome;
  }

  /** What becomes of the next call. */
  fateOfCall(): Fault | 'answered' {
    const { random } = this.scheduler;
    if (!random.chance(this.weather.failure)) return 'answered';
    return random.chance(0.5) ? 'failed, not saved' : 'failed, but saved';
  }

  /** One way, in milliseconds. */
  delayMs(): number {
    const { random } = this.scheduler;
    return random.chance(this.weather.delay) ? random.between(0, longDelayMs) : 0.2 + random.about(1);
  }
}

/**
 * The log as one process of a node sees it: every call takes its time there and back, may fail before or after it
 * took effect, and is given up after a while although it may still take effect later.
 */
export class SimulatedEventLog implements EventLog {
  /** The claims that this node holds as far as it knows; a snapshot of its memory would have them. */
  readonly held = new Map<string, Claim>();
  private readonly storage: SimulatedStorage;
  private readonly process: SimulatedProcess;
  private readonly node: string;
  private readonly restored: Map<string, Claim>;
  private isConnected = true;

  /** @param restored claims that the process was restored with, from a snapshot of an earlier one */
  constructor(
    storage: SimulatedStorage,
    process: SimulatedProcess,
    node: string,
    restored: ReadonlyMap<string, Claim> = new Map(),
  ) {
    this.storage = storage;
    this.process = process;
    this.node = node;
    this.restored = new Map(restored);
  }

  async claim(store: StoreKey, claimant: string): Promise<Claim> {
    const key = storeKeyText(store);
    const restored = this.restored.get(key);
    if (restored !== undefined) {
      this.restored.delete(key);
      return restored;
    }
    const invokedUs = this.storage.scheduler.nowUs;
    const claim = await this.call('claim', () => this.storage.memory.claim(store, claimant));
    const completedUs = this.storage.scheduler.nowUs;
    this.storage.claims.push({ node: this.node, claim, invokedUs, completedUs });
    this.held.set(key, claim);
    return claim;
  }

  /** What has not arrived yet never will. */
  disconnect(): void {
    this.isConnected = false;
  }

  append(batch: AppendBatch): Promise<AppendOutcome> {
    return this.call('append', () => this.storage.append(batch));
  }

  findEvents: EventLog['findEvents'] = (...given) =>
    this.call('findEvents', () => this.storage.memory.findEvents(...given));

  findVesEvents: EventLog['findVesEvents'] = (...given) =>
    this.call('findVesEvents', () => this.storage.memory.findVesEvents(...given));

  findCommands: EventLog['findCommands'] = (...given) =>
    this.call('findCommands', () => this.storage.memory.findCommands(...given));

  entityVersions: EventLog['entityVersions'] = (...given) =>
    this.call('entityVersions', () => this.storage.memory.entityVersions(...given));

  heads: EventLog['heads'] = (...given) => this.call('heads', () => this.storage.memory.heads(...given));

  readLegacy: EventLog['readLegacy'] = (...given) =>
    this.call('readLegacy', () => this.storage.memory.readLegacy(...given));

  readVes: EventLog['readVes'] = (...given) =>
    this.call('readVes', () => this.storage.memory.readVes(...given));

  readVesEvent: EventLog['readVesEvent'] = (...given) =>
    this.call('readVesEvent', () => this.storage.memory.readVesEvent(...given));

  readLegacyEntity: EventLog['readLegacyEntity'] = (...given) =>
    this.call('readLegacyEntity', () => this.storage.memory.readLegacyEntity(...given));

  private call<Result>(operation: keyof EventLog, takeEffect: () => Promise<Result>): Promise<Result> {
    const { storage, process, node } = this;
    const fate = storage.fateOfCall();
    if (fate !== 'answered') storage.scheduler.count(`${operation} ${fate}`);
    storage.inFlight++;
    return new Promise((resolve, reject) => {
      const timeout = process.after(timeoutMs, `${node} gives up waiting for ${operation}`, () =>
        reject(failure(operation, 'no answer in time')),
      );
      const answer = (how: string, settle: () => void): void => {
        storage.inFlight--;
        process.after(storage.delayMs(), `${node} ${operation} ${how}`, () => {
          timeout.cancel();
          settle();
        });
      };
      storage.scheduler.after(storage.delayMs(), `${operation} of ${node} arrives`, () => {
        if (storage.isDown || !this.isConnected) {
          answer('finds no server', () => reject(new LogUnavailable('the log is down')));
          return;
        }
        if (fate === 'failed, not saved') {
          // A log may know that nothing was stored, or may not.
          const isCertain = storage.scheduler.random.chance(0.3);
          answer(fate, () => reject(isCertain ? new LogUnavailable(fate) : failure(operation, fate)));
          return;
        }
        const { outages } = storage;
        takeEffect().then(
          (result) =>
            answer(fate, () => {
              if (fate === 'answered' && storage.outages === outages) resolve(result);
              else reject(failure(operation, 'failed, but saved'));
            }),
          (error: Error) => answer('is refused', () => reject(error)),
        );
      });
    });
  }
}

function failure(operation: keyof EventLog, how: string): Error {
  const message = `${operation}: ${how}`;
  return operation === 'append' ? new AppendOutcomeUnknown(message) : new LogUnavailable(message);
}
