import { Errors } from 'moleculer';
import {
  AppendOutcomeUnknown,
  BytesInFlightExceeded,
  ClusterUnreachable,
  DeadlineExceeded,
  Fenced,
  InvariantBroken,
  LogUnavailable,
  MailboxFull,
  NodeLinkFull,
  Refused,
  type SequencerError,
  ShuttingDown,
  TooManyLiveActors,
} from '../../domain/errors.ts';
import { readError, toBrokerError } from '../../services/broker-errors.ts';

const ours: [SequencerError, boolean][] = [
  [new Refused('WRONG_SHAPE', 'why', { field: 'events' }), false],
  [new MailboxFull('why'), true],
  [new BytesInFlightExceeded('why', { bytesInFlight: 7 }), true],
  [new TooManyLiveActors('why'), true],
  [new DeadlineExceeded('why'), true],
  [new ShuttingDown('why'), true],
  [new LogUnavailable('why'), true],
  [new NodeLinkFull('why', { nodeId: 'node-2' }), true],
  [new ClusterUnreachable('why'), true],
  [new Fenced('why', { epoch: 3 }), true],
  [new AppendOutcomeUnknown('why'), false],
  [new InvariantBroken('why', { head: 3 }), false],
];

/** What the broker of another node makes of an error. */
function crossNodes(error: Error): Error {
  const regenerator = new Errors.Regenerator();
  regenerator.init({ nodeID: 'there' } as Parameters<typeof regenerator.init>[0]);
  const plain = regenerator.extractPlainError(error) as unknown;
  return regenerator.restore(JSON.parse(JSON.stringify(plain)) as Errors.PlainMoleculerError, {});
}

describe('an error of ours', () => {
  test.each(ours)('%s reads the same here, as a broker error, and on another node', (error, retryable) => {
    const here = readError(error);
    expect(here).toMatchObject({ kind: error.kind, code: error.code, message: 'why', data: error.data });
    const translated = toBrokerError(error);
    expect(readError(translated)).toEqual(here);
    expect(translated).toMatchObject({ type: error.code, retryable, cause: error });
    const there = crossNodes(translated);
    expect(readError(there)).toEqual(here);
    expect(there).toMatchObject({ retryable });
  });

  test('says when to try again exactly where the same request may then succeed', () => {
    for (const [error] of ours) {
      const expected = error.kind === 'pushback' || error.kind === 'fenced' ? 1 : undefined;
      expect(readError(error)?.retryAfterSecs).toBe(expected);
    }
  });
});

describe('an error of the broker', () => {
  const facts = { action: 'sequencer.append', nodeID: 'there' };
  test.each<[Error, string, string]>([
    [new Errors.RequestTimeoutError(facts), 'unknown', 'REQUEST_TIMEOUT'],
    // The node vanished with the call under way, so the call may have taken effect.
    [new Errors.RequestRejectedError(facts), 'unknown', 'REQUEST_REJECTED'],
    [new Errors.RequestSkippedError(facts), 'pushback', 'REQUEST_SKIPPED'],
    [new Errors.ServiceNotFoundError(facts), 'pushback', 'SERVICE_NOT_FOUND'],
    [new Errors.ServiceNotAvailableError(facts), 'pushback', 'SERVICE_NOT_AVAILABLE'],
    [new Errors.QueueIsFullError(facts), 'pushback', 'QUEUE_FULL'],
    [new Errors.MaxCallLevelError({ nodeID: 'there', level: 9 }), 'pushback', 'MAX_CALL_LEVEL'],
  ])('%s is %s', (error, kind, code) => {
    for (const seen of [error, crossNodes(error)]) {
      expect(readError(seen)).toMatchObject({ kind, code });
      expect(readError(seen)?.retryAfterSecs).toBe(kind === 'pushback' ? 1 : undefined);
    }
  });
});

test.each<[unknown]>([
  [new TypeError('x')],
  [new Errors.ValidationError('x', 'VALIDATION_ERROR', {})],
  [new Errors.MoleculerError('x', 500, 'OTHER', { kind: 'constructor' })],
  ['text'],
  [null],
  [undefined],
])('%p is not one of the errors that we know', (error) => {
  expect(readError(error)).toBeNull();
});

test('what is not ours is passed on as it is', () => {
  const error = new TypeError('x');
  expect(toBrokerError(error)).toBe(error);
  expect(toBrokerError('text')).toMatchObject({ message: 'text', type: 'UNEXPECTED' });
});
