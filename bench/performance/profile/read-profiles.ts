import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlameFrame } from '../report.ts';

export interface ProfiledSpan {
  /** On the monotonic clock of the machine, as V8 tells it. */
  readonly fromMicros: number;
  readonly toMicros: number;
}

/** As V8 writes it; times in microseconds. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Frames below this share of the whole are left out of the report. */
const shareMin = 0.0008;

/** The profiles that `--cpu-prof` left in a folder, one for each thread, cut to a span of time and put side by side. */
export function readProfiles(folder: string, span: ProfiledSpan): FlameFrame {
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  const threads = files
    .map((name) => readThread(JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile, span))
    .filter(({ micros }) => micros > 0)
    .sort((one, other) => busyMicros(other) - busyMicros(one));
  if (threads.length === 0) throw new Error('the node left no profile of this time');
  if (threads.length === 1) return prune(threads[0]!, threads[0]!.micros * shareMin);
  const root = openFrame('all threads', 'runtime');
  for (const thread of threads) {
    root.calls.push(thread);
    root.micros += thread.micros;
  }
  return prune(root, root.micros * shareMin);
}

interface Frame extends FlameFrame {
  micros: number;
  calls: Frame[];
}

function openFrame(name: string, origin: FlameFrame['origin']): Frame {
  return { name, origin, micros: 0, calls: [] };
}

function readThread({ nodes, startTime, samples, timeDeltas }: CpuProfile, span: ProfiledSpan): Frame {
  const self = new Map<number, number>();
  let atMicros = startTime;
  samples.forEach((id, index) => {
    atMicros += timeDeltas[index] ?? 0;
    // A sample tells where the time up to the next one went.
    const lasts = timeDeltas[index + 1] ?? 0;
    if (atMicros >= span.fromMicros && atMicros < span.toMicros) self.set(id, (self.get(id) ?? 0) + lasts);
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const build = (id: number): Frame => {
    const { callFrame, children = [] } = byId.get(id)!;
    const frame = openFrame(nameOf(callFrame), originOf(callFrame));
    frame.micros = self.get(id) ?? 0;
    for (const child of children.map(build)) {
      frame.calls.push(child);
      frame.micros += child.micros;
    }
    return frame;
  };
  const root = build(nodes[0]!.id);
  return { ...root, name: 'thread', origin: 'runtime' };
}

function nameOf({ functionName, url }: { functionName: string; url: string }): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  const file = url.split('/').at(-1) ?? '';
  return file === '' || name.startsWith('(') ? name : `${name} ${file}`;
}

function originOf({ functionName, url }: { functionName: string; url: string }): FlameFrame['origin'] {
  if (functionName === '(idle)') return 'idle';
  if (url.includes('/node_modules/')) return 'package';
  return url.startsWith('file:') ? 'project' : 'runtime';
}

/** Without what is too narrow to be seen; wide frames first, idle time last. */
function prune(frame: Frame, microsMin: number): FlameFrame {
  const calls = frame.calls
    .filter(({ micros }) => micros >= microsMin)
    .sort((one, other) => rank(other) - rank(one))
    .map((call) => prune(call, microsMin));
  return { ...frame, micros: Math.round(frame.micros), calls };
}

function rank({ origin, micros }: Frame): number {
  return origin === 'idle' ? -1 : micros;
}

function busyMicros({ micros, calls }: Frame): number {
  return micros - calls.filter(({ origin }) => origin === 'idle').reduce((sum, call) => sum + call.micros, 0);
}
