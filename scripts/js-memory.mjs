// JavaScript memory of a page and all its workers, as Chrome's inspector counts it: objects, and the bytes of ArrayBuffers, garbage that
// is not collected yet included. A thread that computes answers too. What lies on the GPU or in files is not JavaScript's.

const SAMPLE_MS = 25;

/** Begins to watch. `peak` is the largest sum of what was seen at one time since `restart`. */
export async function watchJsMemory(page) {
  const client = await page.context().newCDPSession(page);
  const workers = new Set();
  const waiting = new Map();
  let asked = 0;
  const ask = (sessionId, method, params = {}) =>
    new Promise((resolve) => {
      asked++;
      waiting.set(asked, { sessionId, resolve });
      const message = JSON.stringify({ id: asked, method, params });
      // The worker has ended.
      client.send('Target.sendMessageToTarget', { sessionId, message }).catch(() => resolve(null));
    });
  client.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    if (targetInfo.type === 'worker') workers.add(sessionId);
  });
  client.on('Target.detachedFromTarget', ({ sessionId }) => {
    workers.delete(sessionId);
    for (const { sessionId: of, resolve } of waiting.values()) if (of === sessionId) resolve(null);
  });
  client.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result = null } = JSON.parse(message);
    waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  // Not flattened: Playwright keeps the flattened sessions to itself.
  await client.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });

  const bytesOf = (usage) => (usage ? usage.usedSize + usage.backingStorageSize : 0);
  let [peak, samples, mostWorkers] = [0, 0, 0];
  const sample = async () => {
    const usages = [
      client.send('Runtime.getHeapUsage').catch(() => null),
      ...[...workers].map((sessionId) => ask(sessionId, 'Runtime.getHeapUsage')),
    ];
    const bytes = (await Promise.all(usages)).reduce((sum, usage) => sum + bytesOf(usage), 0);
    peak = Math.max(peak, bytes);
    samples++;
    mostWorkers = Math.max(mostWorkers, usages.length - 1);
    return bytes;
  };
  let stopped = false;
  const sampling = (async () => {
    while (!stopped) {
      await sample();
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
  })();
  return {
    restart() {
      [peak, samples, mostWorkers] = [0, 0, 0];
    },
    figures: () => ({ peak, samples, workers: mostWorkers }),
    async stop() {
      stopped = true;
      await sampling;
    },
  };
}
