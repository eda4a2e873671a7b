/**
 * The bytes that a node's heap holds after a full collection, asked of the inspector that `NODE_OPTIONS=--inspect=…` opens.
 * Without the collection the number would be garbage for the most part.
 */
export async function heapAfterCollection(inspectorPort: number): Promise<number> {
  const list = await fetch(`http://127.0.0.1:${inspectorPort}/json/list`);
  const [target] = (await list.json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target!.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('the inspector does not answer')), {
      once: true,
    });
  });
  let lastId = 0;
  const call = (method: string): Promise<{ usedSize?: number; backingStorageSize?: number }> =>
    new Promise((resolve) => {
      const id = (lastId += 1);
      const listen = (message: MessageEvent): void => {
        const answer = JSON.parse(String(message.data)) as { id?: number; result: object };
        if (answer.id !== id) return;
        socket.removeEventListener('message', listen);
        resolve(answer.result);
      };
      socket.addEventListener('message', listen);
      socket.send(JSON.stringify({ id, method }));
    });
  await call('HeapProfiler.collectGarbage');
  await call('HeapProfiler.collectGarbage');
  const { usedSize = 0, backingStorageSize = 0 } = await call('Runtime.getHeapUsage');
  socket.close();
  return usedSize + backingStorageSize;
}
