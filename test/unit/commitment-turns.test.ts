import { Turns } from '../../services/commitment/turns.ts';

/** Tasks that end when told to, and which of them have begun. */
function tasks(): {
  task: (name: string) => () => Promise<string>;
  began: string[];
  end: (name: string) => void;
} {
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    began,
    end: (name) => ends.get(name)?.(),
    task: (name) => () => {
      began.push(name);
      return new Promise((resolve) => ends.set(name, () => resolve(name)));
    },
  };
}

test('a few run at a time, the others in the order in which they came', async () => {
  const { task, began, end } = tasks();
  const turns = new Turns({ atOnceMax: 2, waitingMax: 10 });
  const all = ['a', 'b', 'c', 'd'].map((name) => turns.take(task(name)));
  await Promise.resolve();
  expect(began).toEqual(['a', 'b']);
  end('b');
  await all[1];
  await Promise.resolve();
  expect(began).toEqual(['a', 'b', 'c']);
  end('a');
  await all[0];
  await Promise.resolve();
  expect(began).toEqual(['a', 'b', 'c', 'd']);
  end('c');
  end('d');
  await expect(Promise.all(all)).resolves.toEqual(['a', 'b', 'c', 'd']);
});

test('one that fails makes room all the same', async () => {
  const turns = new Turns({ atOnceMax: 1, waitingMax: 1 });
  const failing = turns.take(() => Promise.reject(new Error('broken')));
  const next = turns.take(() => Promise.resolve('done'));
  await expect(failing).rejects.toThrow('broken');
  await expect(next).resolves.toBe('done');
  await expect(turns.take(() => Promise.resolve('again'))).resolves.toBe('again');
});

test('one that comes when the line is full is sent away', async () => {
  const { task, began, end } = tasks();
  const turns = new Turns({ atOnceMax: 1, waitingMax: 1 });
  const first = turns.take(task('a'));
  const second = turns.take(task('b'));
  await expect(turns.take(task('c'))).rejects.toMatchObject({ kind: 'pushback' });
  end('a');
  await first;
  await Promise.resolve();
  end('b');
  await second;
  expect(began).toEqual(['a', 'b']);
});
